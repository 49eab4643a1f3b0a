// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <macro.h>

__rust_helper void rust_helper_counter_init(struct counter *counter)
{
	counter_init(counter);
}

__rust_helper void rust_helper_counter_up(struct counter *counter, int by)
{
	counter_up(counter, by);
}

__rust_helper int rust_helper_counter_value(const struct counter *counter)
{
	return counter_value(counter);
}

__rust_helper int rust_helper_lid_open(struct lid *lid)
{
	return lid_open(lid);
}
