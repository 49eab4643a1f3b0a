/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: an object that is returned through a pointer, beside an error, and whose members do not change.
 */
#include <linux/contract.h>
#include <linux/firmware.h>

struct __contract(object("Device"), foreign("crate::device::Device<crate::device::Bound>",
					    kept("crate::device::Device"))) device;

/**
 * struct firmware - a file that a device needs
 * @size: how many bytes it has
 * @data: its bytes
 */
struct __contract(object("Firmware"), send, sync, field(size, constant),
		  field(data, constant, slice(size))) firmware;

/**
 * request_firmware() - load a file
 * @fw: the file
 * @name: its name below the folders of firmware
 * @device: the device that needs it
 *
 * Return: 0, or an error.
 */
int request_firmware(const struct firmware **fw __contract(out),
		     const char *name __contract(borrows),
		     struct device *device __contract(borrows))
	__contract(constructor, errno, may_sleep);

/**
 * release_firmware() - free it
 * @fw: the file
 */
void release_firmware(const struct firmware *fw) __contract(destructor);
