/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a) __contract(constructor);
enum how { HOW_WELL, HOW_BADLY } __contract(choice("How"));
struct i { int x; } __contract(record("I"));
struct s {
	struct a *a __contract(given);
	enum how how __contract(given);
	int number __contract(given);
} __contract(section("Sa", of(a)), section("Ta", of(a), method(t), set(how = HOW_EVER)),
	     section("U", of(a), method(u), set(number = NUMBER)));
_Bool s_next(struct s *s) __contract(enter);
void s_leave(struct s *s) __contract(leave);
int s_error(const struct s *s) __contract(outcome, errno);
_Bool s_step(const struct s *s, struct i *i) __contract(iterator("Steps", of("W")));
