// SPDX-License-Identifier: GPL-2.0
/*
 * Functions for rust/kernel/hmm that an architecture may have as macros, or
 * that the Rust compiler would take for accesses of its own: memory of a process
 * changes at any time, and only C functions may be called on it.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

__rust_helper void rust_helper_copy_page(void *to, void *from)
{
	copy_page(to, from);
}

__rust_helper void rust_helper_hmm_memcpy(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
}

__rust_helper void rust_helper_hmm_memmove(void *to, const void *from, size_t len)
{
	memmove(to, from, len);
}

__rust_helper void rust_helper_hmm_memset(void *to, int byte, size_t len)
{
	memset(to, byte, len);
}

__rust_helper int rust_helper_hmm_cond_resched_killable(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}
