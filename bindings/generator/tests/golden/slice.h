/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/**
 * struct range - a part of what is in a pipe
 * @first: where it begins
 * @last: where it ends
 */
struct range {
	unsigned long first;
	unsigned long last;
} __contract(record("Range"));

enum lane {
	LANE_FAST,
	LANE_SLOW,
} __contract(choice("Lane"));

enum event {
	EVENT_READ = 1,
	EVENT_WRITE = 2,
} __contract(flags("Events"));

typedef unsigned long ticket_t __contract(tagged("Ticket"));

struct pipe {
	int id;
} __contract(object("Pipe"), pinned);

void pipe_init(struct pipe *pipe, const char *name __contract(keeps),
	       const char *note __contract(borrows)) __contract(constructor);
void pipe_label(struct pipe *pipe, const char *text __contract(borrows, nullable))
	__contract(method);
/* Left out: what is behind a pointer to bytes is no string. */
void pipe_key(struct pipe *pipe, const unsigned char *key __contract(borrows))
	__contract(method);
unsigned long pipe_write(struct pipe *pipe,
			 const unsigned char *bytes __contract(slice(len)), unsigned long len)
	__contract(method);
int pipe_read(struct pipe *pipe, unsigned int *values __contract(slice(nr)), unsigned int nr)
	__contract(method, errno);

/* Elements of a type of their own; what a void * points to is bytes. */
void pipe_discard(struct pipe *pipe, const struct range *ranges __contract(slice(nr)),
		  unsigned long nr) __contract(method);
int pipe_ranges(struct pipe *pipe, struct range *ranges __contract(slice(nr)), unsigned int nr)
	__contract(method, errno);
void pipe_await(struct pipe *pipe, const unsigned int *events __contract(slice(nr), flags(event)),
		unsigned long nr) __contract(method);
void pipe_tickets(struct pipe *pipe, ticket_t *tickets __contract(slice(nr)), unsigned long nr)
	__contract(method);
void pipe_order(struct pipe *pipe, const enum lane *lanes __contract(slice(nr)), unsigned long nr)
	__contract(method);
void pipe_fill(struct pipe *pipe, void *bytes __contract(slice(size)), unsigned long size)
	__contract(method);

/* What a void * points to, if not bytes. */
void pipe_mark(struct pipe *pipe, const void *marks __contract(slice(nr, u32)), unsigned long nr)
	__contract(method);
int pipe_parts(struct pipe *pipe, void *parts __contract(slice(nr, range)), unsigned int nr)
	__contract(method, errno);
void pipe_lanes_of(struct pipe *pipe, const void *lanes __contract(slice(nr, lane)), unsigned long nr)
	__contract(method);
/* Left out: C has the type already, and there is no such type. */
void pipe_twice(struct pipe *pipe, const unsigned int *marks __contract(slice(nr, u32)), unsigned long nr)
	__contract(method);
void pipe_unknown(struct pipe *pipe, const void *marks __contract(slice(nr, other)), unsigned long nr)
	__contract(method);

/* Left out: C may write what `enum lane` does not list; and what a pointer points to is not in the array. */
void pipe_lanes(struct pipe *pipe, enum lane *lanes __contract(slice(nr)), unsigned long nr)
	__contract(method);
void pipe_names(struct pipe *pipe, const char *const *names __contract(slice(nr)), unsigned long nr)
	__contract(method);
void pipe_join(struct pipe *pipe, struct pipe **others __contract(slice(nr)), unsigned long nr)
	__contract(method);
