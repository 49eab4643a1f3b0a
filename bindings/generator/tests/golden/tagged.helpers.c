// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <tagged.h>

__rust_helper unsigned long rust_helper_entry_number(unsigned long entry)
{
	return entry_number(entry);
}
