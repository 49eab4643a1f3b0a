/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x } __contract(object("A"));
#include <linux/nowhere.h>
