/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

enum a { A_ONE = 1, A_TWO = 1 } __contract(flags("A"));
typedef struct { int x; } b __contract(tagged("B"));
