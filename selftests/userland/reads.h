/* SPDX-License-Identifier: GPL-2.0 */
#ifndef USERLAND_READS_H
#define USERLAND_READS_H

#include <stdbool.h>

/*
 * Watch the core's loads. The rule is that an entry is read once in each visit.
 * @change false: record a second reading as a broken rule. @change true: change
 * the entry before a second, third or fourth reading, as another CPU can; the
 * oracle knows the first value only.
 */
void reads_watch(bool change);

#endif /* USERLAND_READS_H */
