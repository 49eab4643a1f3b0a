// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of mirrors, migration and device memory.
 */
#include <linux/mm.h>

#define CREATE_TRACE_POINTS
#include <trace/events/hmm.h>
