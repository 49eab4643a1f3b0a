/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

typedef _Bool bool;

struct book {
	int lock;
} __contract(object("Book"), pinned, send, sync, data(BookGuard = exclusive));

void book_init(struct book *book) __contract(constructor);
void book_exit(struct book *book) __contract(destructor, leaked);
void book_lock(struct book *book) __contract(lock("BookGuard"));
void book_unlock(struct book *book) __contract(unlock("BookGuard"));

/**
 * struct line - a line of a page
 * @number: counted from 1
 * @place: where it stands, while nobody turns the page
 */
struct line {
	unsigned int number;
	unsigned int length;
	unsigned long place __contract(confined("Place"));
} __contract(record("Line"), confined);

#define READING_MARKS 16

/**
 * struct reading - pages that stay as they are while one reads
 */
struct reading {
	struct book *book __contract(given);
	unsigned int first __contract(given);
	unsigned int candle __contract(given, optional);
	unsigned long *marks __contract(room(nr_marks, READING_MARKS));
	unsigned int nr_marks;
	unsigned int now;
} __contract(section("Pages", of(book), holds(BookGuard), method(read)));

bool reading_next(struct reading *reading) __contract(enter, may_sleep);
void reading_leave(struct reading *reading) __contract(leave);
int reading_error(const struct reading *reading) __contract(outcome, errno);
bool reading_line(const struct reading *reading, struct line *line)
	__contract(iterator("Lines", start(number = now)));
unsigned int reading_page(const struct reading *reading) __contract(method, name("page"));
