/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers for the tracepoints of <trace/events/hmm.h>. Nothing is computed for an event
 * that is not enabled.
 */
#ifndef _MM_HMM_TRACE_H
#define _MM_HMM_TRACE_H

#include <linux/timekeeping.h>
#include <trace/events/hmm.h>

/* The time at which an operation began, if its event is enabled; else 0. */
#define hmm_trace_begin(event) (trace_##event##_enabled() ? ktime_get_ns() : 0)

/* How long it took: 0 if the event was not enabled when it began. */
static inline u64 hmm_trace_ns(u64 began)
{
	return began ? ktime_get_ns() - began : 0;
}

#endif /* _MM_HMM_TRACE_H */
