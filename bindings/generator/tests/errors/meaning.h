/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* Names that what is written uses itself. */
struct outcome { int x; } __contract(record("Result"));
struct self { int x; } __contract(record("Self"));
struct type { int x; } __contract(record("T"));
struct lid { int x; } __contract(object("Lid"), pinned);
void lid_init(struct lid *lid) __contract(constructor, leaked);
void lid_lock(struct lid *lid) __contract(lock("Deref"));
void lid_unlock(struct lid *lid) __contract(unlock("Deref"));
