/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a) __contract(constructor);
void a_exit(struct a *a) __contract(destructor);
struct s {
	struct a *a __contract(given);
	long *no_length __contract(room);
	unsigned int nr;
} __contract(section("S", of(a), method(use)));
_Bool s_next(struct s *s) __contract(enter);
void s_leave(struct s *s) __contract(leave);
int s_error(const struct s *s) __contract(outcome, errno);
struct t {
	struct a *a __contract(given);
	const long *read_only __contract(room(nr, T_NR));
	unsigned int nr;
} __contract(section("T", of(a), method(use_t)));
_Bool t_next(struct t *t) __contract(enter);
void t_leave(struct t *t) __contract(leave);
int t_error(const struct t *t) __contract(outcome, errno);
