/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct door {
	int lock;
} __contract(object("Door"), pinned, send, sync);

void door_init(struct door *door) __contract(constructor, leaked);
void door_read(struct door *door) __contract(lock("ReadGuard"));
void door_unread(struct door *door) __contract(unlock("ReadGuard"));
int door_write(struct door *door) __contract(trylock("WriteGuard"), errno(-EINTR));
void door_unwrite(struct door *door) __contract(unlock("WriteGuard"));
void door_write_always(struct door *door) __contract(lock("WriteGuard"));
unsigned int door_width(struct door *door) __contract(requires(ReadGuard));
void door_widen(struct door *door, unsigned int by) __contract(requires(WriteGuard));
