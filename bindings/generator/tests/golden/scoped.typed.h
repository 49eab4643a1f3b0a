/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _SCOPED_TYPED_H
#define _SCOPED_TYPED_H

#include <linux/bug.h>
#include <linux/cleanup.h>
#include <scoped.h>

/* struct tank *x __free(tank_exit): ended when @x goes out of scope. */
DEFINE_FREE(tank_exit, struct tank *, if (!IS_ERR_OR_NULL(_T)) tank_exit(_T))

/* guard(tank)(x), scoped_guard(tank, x) { } */
DEFINE_GUARD(tank, struct tank *, tank_open(_T), tank_close(_T))
DEFINE_GUARD_COND(tank, _killable, tank_open_killable(_T), _RET == 0)
DEFINE_GUARD_COND(tank, _try, tank_try_open(_T))
DEFINE_GUARD_COND(tank, _open, tank_poll_open(_T))

/* tank_quiet() takes more than the object, so there is no guard() for it. */

/* struct cask *x __free(cask_exit): ended when @x goes out of scope. */
DEFINE_FREE(cask_exit, struct cask *, if (!IS_ERR_OR_NULL(_T)) cask_exit(_T))

/* guard(cask)(x), scoped_guard(cask, x) { } */
DEFINE_GUARD(cask, struct cask *, cask_open(_T), cask_close(_T))

/* struct vat *x __free(vat_exit): ended when @x goes out of scope. */
DEFINE_FREE(vat_exit, struct vat *, if (!IS_ERR_OR_NULL(_T)) vat_exit(_T))

/* struct dive *x __free(dive_end): ended when @x goes out of scope. */
DEFINE_FREE(dive_end, struct dive *, if (!IS_ERR_OR_NULL(_T)) dive_end(_T))

/*
 * A struct dive in the stage Surface, or an error. CLASS(dive_surface, x)(...):
 * ended when @x goes out of scope, unless a step took it to the next stage.
 */
struct dive_surface {
	struct dive *raw;
};

/* Why there is none: 0 if there is one, -ESTALE after a step has taken it. */
static inline int __must_check
dive_surface_error(const struct dive_surface *surface)
{
	return surface->raw ? PTR_ERR_OR_ZERO(surface->raw) : -ENOMEM;
}

/*
 * A struct dive in the stage Deep, or an error. CLASS(dive_deep, x)(...): ended
 * when @x goes out of scope, unless a step took it to the next stage.
 */
struct dive_deep {
	struct dive *raw;
};

/* Why there is none: 0 if there is one, -ESTALE after a step has taken it. */
static inline int __must_check dive_deep_error(const struct dive_deep *deep)
{
	return deep->raw ? PTR_ERR_OR_ZERO(deep->raw) : -ENOMEM;
}

static inline struct dive_surface dive_surface_by_begin(struct tank *tank,
							unsigned int body)
{
	return (struct dive_surface){ dive_begin(tank, body) };
}

DEFINE_CLASS(dive_surface, struct dive_surface,
	     if (!IS_ERR_OR_NULL(_T.raw)) dive_end(_T.raw),
	     dive_surface_by_begin(tank, body), struct tank *tank,
	     unsigned int body)

static inline struct dive_surface dive_surface_by_up(struct dive_deep *before)
{
	struct dive *raw = before->raw;

	before->raw = ERR_PTR(-ESTALE);
	if (!IS_ERR_OR_NULL(raw))
		dive_up(raw);
	return (struct dive_surface){ raw };
}

EXTEND_CLASS(dive_surface, _by_up, dive_surface_by_up(before),
	     struct dive_deep *before)

static inline unsigned int dive_surface_air(const struct dive_surface *surface)
{
	if (WARN_ON_ONCE(IS_ERR_OR_NULL(surface->raw)))
		return 0;
	return dive_air(surface->raw);
}

static inline struct dive_deep dive_deep_by_down(struct dive_surface *before,
						 unsigned int metres)
{
	struct dive *raw = before->raw;

	before->raw = ERR_PTR(-ESTALE);
	if (!IS_ERR_OR_NULL(raw)) {
		int error = dive_down(raw, metres);

		if (error) {
			dive_end(raw);
			raw = ERR_PTR(error);
		}
	}
	return (struct dive_deep){ raw };
}

DEFINE_CLASS(dive_deep, struct dive_deep,
	     if (!IS_ERR_OR_NULL(_T.raw)) dive_end(_T.raw),
	     dive_deep_by_down(before, metres), struct dive_surface *before,
	     unsigned int metres)

static inline unsigned int dive_deep_depth(const struct dive_deep *deep)
{
	if (WARN_ON_ONCE(IS_ERR_OR_NULL(deep->raw)))
		return 0;
	return dive_depth(deep->raw);
}

static inline unsigned int dive_deep_air(const struct dive_deep *deep)
{
	if (WARN_ON_ONCE(IS_ERR_OR_NULL(deep->raw)))
		return 0;
	return dive_air(deep->raw);
}

/* struct look *x __free(look_end): ended when @x goes out of scope. */
DEFINE_FREE(look_end, struct look *, if (!IS_ERR_OR_NULL(_T)) look_end(_T))

/* struct space *x __free(space_put): its reference is given back when @x goes out of scope. */
DEFINE_FREE(space_put, struct space *, if (!IS_ERR_OR_NULL(_T)) space_put(_T))

/* CLASS(space_ref, x)(y): another reference to the object of @y. */
DEFINE_CLASS(space_ref, struct space *, space_put(_T), ({
		     space_get(from);
		     from;
	     }),
	     struct space *from)

__must_check int tank_open_killable(struct tank *tank);

unsigned int tank_level(const struct tank *tank) __must_hold(tank);

unsigned long tank_quiet(struct tank *tank, int line) __must_hold(tank);

__must_check struct dive *dive_begin(struct tank *tank, unsigned int body);

__must_check int dive_down(struct dive *dive, unsigned int metres);

__must_check struct look *look_in(struct tank *tank);

__must_check struct look *look_again(void);

__must_check struct look *look_surely(void);

__must_check int look_into(struct look **look);

__must_check struct look *look_blindly(int at);

#endif /* _SCOPED_TYPED_H */
