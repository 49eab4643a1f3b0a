// SPDX-License-Identifier: GPL-2.0
/* libFuzzer target: the input is the string of choices that a case is made from. */
#include <stdio.h>
#include <stdlib.h>

#include "case.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct test_case t;
	const char *bad;

	case_make(&t, data, size);
	bad = case_check(&t);
	if (!bad)
		return 0;
	printf("# %s\n", bad);
	case_print(&t);
	fflush(stdout);
	abort();
}
