/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a;
struct __contract(record("A")) a;
struct b { unsigned long x __contract(flags); } __contract(record("B"));
