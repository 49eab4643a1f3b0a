/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: what is returned through a pointer, beside an error. Such a constructor cannot be stated: it is left out, and
 * with it all else.
 */
#include <linux/contract.h>
#include <linux/firmware.h>

struct __contract(object("Device"), foreign("crate::device::Device<crate::device::Bound>",
					    kept("crate::device::Device"))) device;

/**
 * struct firmware - a file that a device needs
 */
struct __contract(object("Firmware"), send, sync) firmware;

/**
 * request_firmware() - load a file
 * @fw: the file
 * @name: its name below the folders of firmware
 * @device: the device that needs it
 *
 * Return: 0, or an error.
 */
int request_firmware(const struct firmware **fw, const char *name __contract(borrows),
		     struct device *device __contract(borrows))
	__contract(constructor(fw), errno, may_sleep);

/**
 * release_firmware() - free it
 * @fw: the file
 */
void release_firmware(const struct firmware *fw) __contract(destructor);
