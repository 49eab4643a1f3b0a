/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct s { int x; } __contract(section("S"));
