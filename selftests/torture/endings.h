/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What hostile and lifetimes share: results in TAP, and what is left when all has ended.
 */
#ifndef HMM_TESTS_ENDINGS_H
#define HMM_TESTS_ENDINGS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hmm_user.h"

#define STATS_DEVMEM	"/sys/kernel/debug/hmm/devmem"
#define STATS_MIRRORS	"/sys/kernel/debug/hmm/mirrors"

/* The number of results so far. */
static unsigned int test_number;

/* Print a result; @skip is the reason if there is none, or NULL. Returns false if it is bad. */
static inline bool result(bool good, const char *name, const char *skip)
{
	printf("%sok %u %s%s%s\n", good || skip ? "" : "not ", ++test_number, name,
	       skip ? " # SKIP " : "", skip ?: "");
	return good || skip;
}

/*
 * The sum of a number in the lines of a file of statistics, or, with @count, in how many
 * lines it is; -1 if there is no file.
 */
static inline long stats_sum(const char *path, const char *key, bool count)
{
	FILE *file = fopen(path, "r");
	char line[1024], *at;
	long sum = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		at = strstr(line, key);
		if (at)
			sum += count ? 1 : atol(at + strlen(key));
	}
	fclose(file);
	return sum;
}

/* Wait until the sum is 0; return what is left after so many seconds, or -1. */
static inline long stats_wait(const char *path, const char *key, bool count, double seconds)
{
	double deadline = monotonic_seconds() + seconds;
	long left;

	while ((left = stats_sum(path, key, count)) > 0 && monotonic_seconds() < deadline)
		usleep(10000);
	if (left > 0)
		printf("# %s has %s%ld\n", path, key, left);
	return left;
}

#endif /* HMM_TESTS_ENDINGS_H */
