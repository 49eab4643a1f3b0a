/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: an object of the kernel's, and states that must be entered in an order and left again.
 */
#include <linux/clk.h>
#include <linux/contract.h>

struct __contract(object("Device"), foreign("crate::device::Device<crate::device::Bound>",
					    kept("crate::device::Device"))) device;

/**
 * struct clk - a clock signal
 */
struct __contract(object("Clock"), send, sync) clk;

/**
 * clk_get() - find a clock of a device
 * @dev: the device
 * @id: its name for the clock, or none for its only one
 *
 * Return: the clock, an error, or NULL where the kernel has no clocks.
 */
struct clk *clk_get(struct device *dev __contract(keeps),
		    const char *id __contract(borrows, nullable))
	__contract(constructor, errno, nullable, may_sleep);

/**
 * clk_put() - give it back
 * @clk: the clock. One that is enabled still goes on running.
 */
void clk_put(struct clk *clk) __contract(destructor, leaked, may_sleep);

/**
 * clk_prepare() - do what may sleep before the clock can be enabled
 * @clk: the clock
 *
 * Return: 0, or an error of the clock's driver.
 */
int clk_prepare(struct clk *clk)
	__contract(trylock("Prepared"), errno, unbound, name("prepare"), may_sleep);
void clk_unprepare(struct clk *clk) __contract(unlock("Prepared"));

/**
 * clk_enable() - have the clock run
 * @clk: the clock
 *
 * Return: 0, or an error of the clock's driver.
 */
int clk_enable(struct clk *clk)
	__contract(trylock("Enabled"), errno, unbound, requires(Prepared), name("enable"), atomic);
void clk_disable(struct clk *clk) __contract(unlock("Enabled"));

/**
 * clk_get_rate() - ask how fast it is
 * @clk: the clock
 *
 * Return: the rate in Hz.
 */
unsigned long clk_get_rate(struct clk *clk) __contract(method, plain, name("rate"), may_sleep);

/**
 * clk_set_rate() - change how fast it is
 * @clk: the clock
 * @rate: the rate in Hz
 *
 * Return: 0, or an error of the clock's driver.
 */
int clk_set_rate(struct clk *clk, unsigned long rate) __contract(method, errno, may_sleep);
