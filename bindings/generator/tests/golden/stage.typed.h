/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _STAGE_TYPED_H
#define _STAGE_TYPED_H

#include <linux/bug.h>
#include <linux/cleanup.h>
#include <stage.h>

/* struct parcel *x __free(parcel_return): ended when @x goes out of scope. */
DEFINE_FREE(parcel_return, struct parcel *,
	    if (!IS_ERR_OR_NULL(_T)) parcel_return(_T))

/*
 * A struct parcel in the stage Packed, or an error. CLASS(parcel_packed,
 * x)(...): ended when @x goes out of scope, unless a step took it to the next
 * stage.
 */
struct parcel_packed {
	struct parcel *raw;
};

/* Why there is none: 0 if there is one, -ESTALE after a step has taken it. */
static inline int __must_check
parcel_packed_error(const struct parcel_packed *packed)
{
	return packed->raw ? PTR_ERR_OR_ZERO(packed->raw) : -ENOMEM;
}

/*
 * A struct parcel in the stage Sent, or an error. CLASS(parcel_sent, x)(...):
 * ended when @x goes out of scope, unless a step took it to the next stage.
 */
struct parcel_sent {
	struct parcel *raw;
};

/* Why there is none: 0 if there is one, -ESTALE after a step has taken it. */
static inline int __must_check parcel_sent_error(const struct parcel_sent *sent)
{
	return sent->raw ? PTR_ERR_OR_ZERO(sent->raw) : -ENOMEM;
}

/*
 * A struct parcel in the stage Arrived, or an error. CLASS(parcel_arrived,
 * x)(...): ended when @x goes out of scope, unless a step took it to the next
 * stage.
 */
struct parcel_arrived {
	struct parcel *raw;
};

/* Why there is none: 0 if there is one, -ESTALE after a step has taken it. */
static inline int __must_check
parcel_arrived_error(const struct parcel_arrived *arrived)
{
	return arrived->raw ? PTR_ERR_OR_ZERO(arrived->raw) : -ENOMEM;
}

static inline struct parcel_packed parcel_packed_by_new(struct depot *depot)
{
	return (struct parcel_packed){ parcel_pack(depot) };
}

DEFINE_CLASS(parcel_packed, struct parcel_packed,
	     if (!IS_ERR_OR_NULL(_T.raw)) parcel_return(_T.raw),
	     parcel_packed_by_new(depot), struct depot *depot)

static inline unsigned long
parcel_packed_weight(const struct parcel_packed *packed)
{
	if (WARN_ON_ONCE(IS_ERR_OR_NULL(packed->raw)))
		return 0;
	return parcel_weight(packed->raw);
}

static inline struct parcel_sent
parcel_sent_by_send(struct parcel_packed *before, unsigned int to)
{
	struct parcel *raw = before->raw;

	before->raw = ERR_PTR(-ESTALE);
	if (!IS_ERR_OR_NULL(raw)) {
		int error = parcel_send(raw, to);

		if (error) {
			parcel_return(raw);
			raw = ERR_PTR(error);
		}
	}
	return (struct parcel_sent){ raw };
}

DEFINE_CLASS(parcel_sent, struct parcel_sent,
	     if (!IS_ERR_OR_NULL(_T.raw)) parcel_return(_T.raw),
	     parcel_sent_by_send(before, to), struct parcel_packed *before,
	     unsigned int to)

static inline unsigned long parcel_sent_weight(const struct parcel_sent *sent)
{
	if (WARN_ON_ONCE(IS_ERR_OR_NULL(sent->raw)))
		return 0;
	return parcel_weight(sent->raw);
}

static inline struct parcel_arrived
parcel_arrived_by_arrive(struct parcel_sent *before)
{
	struct parcel *raw = before->raw;

	before->raw = ERR_PTR(-ESTALE);
	if (!IS_ERR_OR_NULL(raw))
		parcel_arrive(raw);
	return (struct parcel_arrived){ raw };
}

DEFINE_CLASS(parcel_arrived, struct parcel_arrived,
	     if (!IS_ERR_OR_NULL(_T.raw)) parcel_return(_T.raw),
	     parcel_arrived_by_arrive(before), struct parcel_sent *before)

static inline struct parcel_arrived
parcel_arrived_by_fetch(struct parcel_packed *before, unsigned int by)
{
	struct parcel *raw = before->raw;

	before->raw = ERR_PTR(-ESTALE);
	if (!IS_ERR_OR_NULL(raw)) {
		int error = parcel_fetch(raw, by);

		if (error) {
			parcel_return(raw);
			raw = ERR_PTR(error);
		}
	}
	return (struct parcel_arrived){ raw };
}

EXTEND_CLASS(parcel_arrived, _by_fetch, parcel_arrived_by_fetch(before, by),
	     struct parcel_packed *before, unsigned int by)

static inline unsigned long
parcel_arrived_days(const struct parcel_arrived *arrived)
{
	if (WARN_ON_ONCE(IS_ERR_OR_NULL(arrived->raw)))
		return 0;
	return parcel_days(arrived->raw);
}

static inline unsigned long
parcel_arrived_weight(const struct parcel_arrived *arrived)
{
	if (WARN_ON_ONCE(IS_ERR_OR_NULL(arrived->raw)))
		return 0;
	return parcel_weight(arrived->raw);
}

/* struct ticket *x __free(ticket_drop): ended when @x goes out of scope. */
DEFINE_FREE(ticket_drop, struct ticket *,
	    if (!IS_ERR_OR_NULL(_T)) ticket_drop(_T))

/* struct stub *x __free(stub_drop): ended when @x goes out of scope. */
DEFINE_FREE(stub_drop, struct stub *, if (!IS_ERR_OR_NULL(_T)) stub_drop(_T))

/* struct reel *x __free(reel_free): ended when @x goes out of scope. */
DEFINE_FREE(reel_free, struct reel *, if (!IS_ERR_OR_NULL(_T)) reel_free(_T))

/*
 * A struct reel in the stage Wound, or an error. CLASS(reel_wound, x)(...):
 * ended when @x goes out of scope, unless a step took it to the next stage.
 */
struct reel_wound {
	struct reel *raw;
};

/* Why there is none: 0 if there is one, -ESTALE after a step has taken it. */
static inline int __must_check reel_wound_error(const struct reel_wound *wound)
{
	return wound->raw ? PTR_ERR_OR_ZERO(wound->raw) : -ENOMEM;
}

/*
 * A struct reel in the stage Unwound, or an error. CLASS(reel_unwound, x)(...):
 * ended when @x goes out of scope, unless a step took it to the next stage.
 */
struct reel_unwound {
	struct reel *raw;
};

/* Why there is none: 0 if there is one, -ESTALE after a step has taken it. */
static inline int __must_check
reel_unwound_error(const struct reel_unwound *unwound)
{
	return unwound->raw ? PTR_ERR_OR_ZERO(unwound->raw) : -ENOMEM;
}

static inline struct reel_wound reel_wound_by_new(void)
{
	return (struct reel_wound){ reel_new() };
}

DEFINE_CLASS(reel_wound, struct reel_wound,
	     if (!IS_ERR_OR_NULL(_T.raw)) reel_free(_T.raw),
	     reel_wound_by_new(), void)

static inline struct reel_wound reel_wound_by_wind(struct reel_unwound *before)
{
	struct reel *raw = before->raw;

	before->raw = ERR_PTR(-ESTALE);
	if (!IS_ERR_OR_NULL(raw)) {
		int error = reel_wind(raw);

		if (error) {
			reel_free(raw);
			raw = ERR_PTR(error);
		}
	}
	return (struct reel_wound){ raw };
}

EXTEND_CLASS(reel_wound, _by_wind, reel_wound_by_wind(before),
	     struct reel_unwound *before)

static inline struct reel_unwound reel_unwound_by_run(struct reel_wound *before)
{
	struct reel *raw = before->raw;

	before->raw = ERR_PTR(-ESTALE);
	if (!IS_ERR_OR_NULL(raw)) {
		int error = reel_run(raw);

		if (error) {
			reel_free(raw);
			raw = ERR_PTR(error);
		}
	}
	return (struct reel_unwound){ raw };
}

DEFINE_CLASS(reel_unwound, struct reel_unwound,
	     if (!IS_ERR_OR_NULL(_T.raw)) reel_free(_T.raw),
	     reel_unwound_by_run(before), struct reel_wound *before)

__must_check struct parcel *parcel_pack(struct depot *depot);

__must_check int parcel_send(struct parcel *parcel, unsigned int to);

__must_check int parcel_fetch(struct parcel *parcel, unsigned int by);

__must_check struct ticket *ticket_draw(struct depot *depot);

__must_check struct stub *stub_tear(struct ticket *ticket);

__must_check struct reel *reel_new(void);

__must_check int reel_run(struct reel *reel);

__must_check int reel_wind(struct reel *reel);

#endif /* _STAGE_TYPED_H */
