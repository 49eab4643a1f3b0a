/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct boiler { int fire; } __contract(object("Boiler"), pinned);
void boiler_init(struct boiler *boiler) __contract(constructor);
void boiler_poke(struct boiler *boiler, unsigned long address) __contract(method, unsafe);
void boiler_peek(struct boiler *boiler, unsigned int bar __contract(out)) __contract(method);
