/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct b { int x; } __contract(object("B"));
void b_unsaid(struct b *b) __contract(method, stage());
void b_small(struct b *b) __contract(method, stage("four"));
void b_nowhere(struct b *b) __contract(method, stage("Four", "Four"));
