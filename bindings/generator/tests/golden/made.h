/* SPDX-License-Identifier: GPL-2.0 */
/* An object that is given out by a parameter, whose members do not change; and one that is removed from what it keeps. */
#include <linux/contract.h>

/**
 * struct image - what a device runs
 * @size: how many bytes it has
 * @data: its bytes
 */
struct image {
	unsigned long size __contract(constant);
	const unsigned char *data __contract(constant, slice(size));
	const unsigned int *values __contract(constant, slice(count));
	/* Left out: C may write there. */
	unsigned char *scratch __contract(constant, slice(size));
	unsigned int count;
	void *private __contract(constant);
} __contract(object("Image"), send, sync);

/**
 * image_load() - read an image
 * @image: set to the image
 * @name: the name of its file
 *
 * Return: 0, or -ENOENT without such a file.
 */
int image_load(const struct image **image __contract(out), const char *name __contract(borrows))
	__contract(constructor, errno);
void image_free(const struct image *image) __contract(destructor);

/* Left out: a method makes nothing, and this one may not fail. */
int image_copy(struct image *image, struct image **copy __contract(out)) __contract(method, errno);
void image_default(struct image **image __contract(out)) __contract(constructor, name("standard"));

/**
 * struct chain - the callbacks that are called
 */
struct chain {
	int x;
} __contract(object("Chain"), pinned, send, sync);

void chain_init(struct chain *chain) __contract(constructor);
void chain_exit(struct chain *chain) __contract(destructor);

/**
 * struct link - one of those
 */
struct link {
	int x;
} __contract(object("Link"), pinned, send, sync);

int link_add(struct chain *chain __contract(keeps), struct link *link) __contract(constructor, errno);
void link_remove(struct chain *from __contract(kept(chain)), struct link *link) __contract(destructor);
unsigned int link_position(struct link *link, struct chain *chain __contract(kept)) __contract(method);

/* Left out: the constructor keeps no such thing. */
void link_move(struct link *link, struct chain *to __contract(kept)) __contract(method);
void link_wrong(struct link *link, struct image *chain __contract(kept)) __contract(method);
