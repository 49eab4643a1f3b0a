/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* What a guard shows must not be referred to while C may release its lock. */
struct shelf {
	int books;
} __contract(object("Shelf"), pinned, send, sync, data(Reading = shared, Writing = exclusive));

void shelf_init(struct shelf *shelf) __contract(constructor, leaked);
void shelf_read(struct shelf *shelf) __contract(lock("Reading"), name("read"));
void shelf_read_end(struct shelf *shelf) __contract(unlock("Reading"));
void shelf_write(struct shelf *shelf) __contract(lock("Writing"), name("write"));
void shelf_write_end(struct shelf *shelf) __contract(unlock("Writing"));
void shelf_wait(struct shelf *shelf) __contract(method, requires(Writing));
void shelf_yield(struct shelf *shelf) __contract(method, requires(Reading));
/* It only reads, so it cannot release the lock. */
int shelf_count(const struct shelf *shelf) __contract(method, plain, requires(Writing));
