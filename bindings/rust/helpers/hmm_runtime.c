// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that our hand-written Rust calls and that are macros or inline
 * functions on some architecture.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

__rust_helper void rust_helper_copy_page(void *to, void *from)
{
	copy_page(to, from);
}

__rust_helper int rust_helper_hmm_cond_resched_killable(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}
