/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Real memory that is otherwise unused, for coherent devices. The VM's command line
 * reserves it (tree/run); without it, tests of such devices are skipped.
 */
#ifndef HMM_TESTS_FIXTURE_SET_ASIDE_H
#define HMM_TESTS_FIXTURE_SET_ASIDE_H

#include <linux/init.h>
#include <linux/string.h>

#define SET_ASIDE_AT	0x140000000ULL
#define SET_ASIDE_SIZE	(512ULL << 20)

static inline bool memory_is_set_aside(void)
{
	/* arm64 has no memmap=; there the memory lies behind what the kernel may use. */
	return strstr(saved_command_line, IS_ENABLED(CONFIG_ARM64) ?
		      "mem=4G" : "memmap=512M$0x140000000");
}

#endif /* HMM_TESTS_FIXTURE_SET_ASIDE_H */
