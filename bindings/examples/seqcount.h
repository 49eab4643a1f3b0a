/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: a section that is run again when what it read has changed.
 */
#include <linux/contract.h>
#include <linux/seqlock.h>

/**
 * struct seqcount - how often something has changed
 */
struct __contract(object("SeqCount"), pinned, send, sync) seqcount;

/**
 * seqcount_init() - make one for something that has not changed yet
 * @count: room for it
 */
void (seqcount_init)(struct seqcount *count) __contract(macro, constructor);

/**
 * read_seqcount_begin() - begin to read data that may change
 * @count: counts its changes
 */
unsigned int (read_seqcount_begin)(const struct seqcount *count)
	__contract(macro, begin("Read", method(read)));
int (read_seqcount_retry)(const struct seqcount *count, unsigned int start)
	__contract(macro, check("Read"));

/**
 * write_seqcount_invalidate() - make current readers start again
 * @count: counts the changes
 */
void (write_seqcount_invalidate)(struct seqcount *count)
	__contract(macro, method, atomic, name("invalidate"));
