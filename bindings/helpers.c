// SPDX-License-Identifier: GPL-2.0
/*
 * What bindings/runtime calls and not every architecture has as a function.
 */
#include <linux/mm.h>

__rust_helper void rust_helper_copy_page(void *to, void *from)
{
	copy_page(to, from);
}
