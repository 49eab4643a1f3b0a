/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _FIRMWARE_TYPED_H
#define _FIRMWARE_TYPED_H

#include <linux/cleanup.h>
#include <linux/firmware.h>

/* struct firmware *x __free(release_firmware): ended when @x goes out of scope. */
DEFINE_FREE(release_firmware, struct firmware *,
	    if (!IS_ERR_OR_NULL(_T)) release_firmware(_T))

__must_check int request_firmware(const struct firmware **fw, const char *name,
				  struct device *device);

#endif /* _FIRMWARE_TYPED_H */
