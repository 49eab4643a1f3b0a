/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files of statistics, read without debugfs, which may not be mounted.
 */
#ifndef _MM_HMM_TESTS_FIXTURE_STATS_H
#define _MM_HMM_TESTS_FIXTURE_STATS_H

#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#define STATS_LINE	512

/* Print what @v stands for into @line. */
static inline void stats_print(const struct seq_operations *ops, void *v,
			       char line[STATS_LINE])
{
	struct seq_file m = { .buf = line, .size = STATS_LINE };

	ops->show(&m, v);
	line[min_t(size_t, m.count, STATS_LINE - 1)] = 0;
}

/*
 * Read a file to its end, as a reader does whose buffer has room for one line: each line
 * in a start, next, and stop of its own. Returns the number of lines; @line is the one
 * that begins with @prefix, or empty.
 */
static inline unsigned int stats_find(const struct seq_operations *ops,
				      const char *prefix, char line[STATS_LINE])
{
	char now[STATS_LINE];
	struct seq_file m = {};
	unsigned int lines = 0;
	loff_t pos = 0;
	void *v;

	line[0] = 0;
	while ((v = ops->start(&m, &pos))) {
		lines++;
		stats_print(ops, v, now);
		if (str_has_prefix(now, prefix))
			strscpy(line, now, STATS_LINE);
		v = ops->next(&m, v, &pos);
		ops->stop(&m, v);
	}
	ops->stop(&m, v);
	return lines;
}

/* The number of a field, " name=number", of a line; the test fails if there is none. */
static inline u64 stats_value(struct kunit *test, const char *line, const char *name)
{
	char key[32], *at;
	u64 value = 0;

	snprintf(key, sizeof(key), " %s=", name);
	at = strstr(line, key);
	KUNIT_EXPECT_NOT_NULL_MSG(test, at, "no %s in: %s", name, line);
	if (at)
		KUNIT_EXPECT_EQ(test, 1, sscanf(at + strlen(key), "%llu", &value));
	return value;
}

#endif /* _MM_HMM_TESTS_FIXTURE_STATS_H */
