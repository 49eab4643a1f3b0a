// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of addresses: advice of programs, by address.
 *
 * Ranges of addresses that have attributes are in an interval tree. They do not
 * overlap, and neighbours differ: otherwise they are one range.
 *
 * Advice is applied completely or not at all. Under the mutex, everything that can
 * fail comes first: the ranges that there will be are counted, and those that are
 * missing are allocated. Then piece by piece is changed under the spinlock, each in
 * constant time, so that lookups, among them those in invalidations, wait for one
 * piece only. A lookup meanwhile finds the old or the new attributes of an address.
 */
#include <linux/export.h>
#include <linux/hmm_attributes.h>
#include <linux/interval_tree.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

/**
 * struct hmm_attribute_range - addresses that have the same attributes
 * @node: the addresses, in &hmm_attributes.tree
 * @list: in &hmm_attributes.stale while @stale is not empty; before the range is in
 *	the tree, in &hmm_advising.spare
 * @stale: the addresses that are to be mapped in advance, and those between them
 * @location: the preferred location
 * @read_mostly: as in &struct hmm_attribute
 * @accessed_by: as in &struct hmm_attribute
 *
 * All are changed under &hmm_attributes.tree_lock, and all but @list and @stale only
 * by a holder of &hmm_attributes.lock, who can therefore read them without the former.
 */
struct hmm_attribute_range {
	struct interval_tree_node node;
	struct list_head list;
	struct hmm_span stale;
	int location;
	bool read_mostly;
	bool accessed_by;
};

/**
 * struct hmm_advising - advice that is being applied
 * @attributes: the attributes; their mutex is held
 * @span: the addresses
 * @advice: the advice
 * @location: the location that it names, or %HMM_LOCATION_NONE
 * @spare: ranges that were allocated and are not used yet
 * @needed: how many of them are needed
 * @before: how many ranges there are now, in @span and directly beside it
 * @after: how many there will be
 * @last: the attributes of the piece that was counted last
 * @last_range: the range that was counted last, or NULL
 */
struct hmm_advising {
	struct hmm_attributes *attributes;
	struct hmm_span span;
	enum hmm_advice advice;
	int location;
	struct list_head spare;
	unsigned long needed;
	unsigned long before;
	unsigned long after;
	struct hmm_attribute last;
	const struct hmm_attribute_range *last_range;
};

static struct hmm_attribute_range *
hmm_attribute_first(struct hmm_attributes *attributes, struct hmm_span span)
{
	struct interval_tree_node *node =
		interval_tree_iter_first(&attributes->tree, span.start, span.end - 1);

	return node ? container_of(node, struct hmm_attribute_range, node) : NULL;
}

/*
 * Find the first piece of @span: addresses that are all of one range, or of none. Set
 * @range to that range, or to NULL. Returns its attributes. The caller holds the mutex
 * or the spinlock.
 */
static struct hmm_attribute hmm_attribute_piece(struct hmm_attributes *attributes,
						struct hmm_span span,
						struct hmm_attribute_range **range)
{
	struct hmm_attribute_range *first = hmm_attribute_first(attributes, span);
	struct hmm_attribute piece = { .span = span, .location = HMM_LOCATION_NONE };

	*range = NULL;
	if (!first)
		return piece;
	if (first->node.start > span.start) {
		piece.span.end = first->node.start;
		return piece;
	}
	*range = first;
	piece.span.end = min(span.end, first->node.last + 1);
	piece.location = first->location;
	piece.read_mostly = first->read_mostly;
	piece.accessed_by = first->accessed_by;
	return piece;
}

static bool hmm_attribute_same(const struct hmm_attribute *a, const struct hmm_attribute *b)
{
	return a->location == b->location && a->read_mostly == b->read_mostly &&
	       a->accessed_by == b->accessed_by;
}

/* Whether no advice is left: then there is no range. */
static bool hmm_attribute_is_none(const struct hmm_attribute *a)
{
	return a->location == HMM_LOCATION_NONE && !a->read_mostly && !a->accessed_by;
}

/* Whether there is such advice, and it names a location if it should, and only then. */
static bool hmm_advice_valid(enum hmm_advice advice, int location)
{
	switch (advice) {
	case HMM_ADVICE_SET_PREFERRED_LOCATION:
		return location >= HMM_LOCATION_SYSTEM;
	case HMM_ADVICE_SET_READ_MOSTLY:
	case HMM_ADVICE_UNSET_READ_MOSTLY:
	case HMM_ADVICE_UNSET_PREFERRED_LOCATION:
	case HMM_ADVICE_SET_ACCESSED_BY:
	case HMM_ADVICE_UNSET_ACCESSED_BY:
		return location == HMM_LOCATION_NONE;
	default:
		return false;
	}
}

/* The attributes of a piece after the advice. */
static struct hmm_attribute hmm_advise_piece(const struct hmm_advising *a,
					     struct hmm_attribute piece)
{
	switch (a->advice) {
	case HMM_ADVICE_SET_READ_MOSTLY:
	case HMM_ADVICE_UNSET_READ_MOSTLY:
		piece.read_mostly = a->advice == HMM_ADVICE_SET_READ_MOSTLY;
		break;
	case HMM_ADVICE_SET_PREFERRED_LOCATION:
	case HMM_ADVICE_UNSET_PREFERRED_LOCATION:
		piece.location = a->location;
		break;
	case HMM_ADVICE_SET_ACCESSED_BY:
	case HMM_ADVICE_UNSET_ACCESSED_BY:
		piece.accessed_by = a->advice == HMM_ADVICE_SET_ACCESSED_BY;
		break;
	}
	return piece;
}

/* Count a piece, which will have the attributes @after, in the order of addresses. */
static void hmm_advise_count_piece(struct hmm_advising *a,
				   const struct hmm_attribute_range *range,
				   const struct hmm_attribute *after)
{
	if (range && range != a->last_range)
		a->before++;
	if (range)
		a->last_range = range;
	if (!hmm_attribute_is_none(after) && !hmm_attribute_same(after, &a->last))
		a->after++;
	a->last = *after;
}

/* Count the page beside the span: its range may be extended, or be a neighbour. */
static void hmm_advise_count_beside(struct hmm_advising *a, unsigned long addr)
{
	struct hmm_span page = { addr, addr + PAGE_SIZE };
	struct hmm_attribute_range *range;
	struct hmm_attribute piece = hmm_attribute_piece(a->attributes, page, &range);

	hmm_advise_count_piece(a, range, &piece);
}

/* Count what the advice needs. Returns 0, or -EINTR. */
static int hmm_advise_count(struct hmm_advising *a)
{
	struct hmm_span left = a->span;

	a->last.location = HMM_LOCATION_NONE;
	if (left.start)
		hmm_advise_count_beside(a, left.start - PAGE_SIZE);
	while (left.start < left.end) {
		struct hmm_attribute_range *range;
		struct hmm_attribute piece = hmm_attribute_piece(a->attributes, left, &range);
		struct hmm_attribute after = hmm_advise_piece(a, piece);

		if (!range)
			a->needed += !hmm_attribute_is_none(&after);
		else if (!hmm_attribute_same(&piece, &after))
			a->needed += (range->node.start < piece.span.start) +
				     (range->node.last >= piece.span.end);
		hmm_advise_count_piece(a, range, &after);
		left.start = piece.span.end;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	if (left.end <= ULONG_MAX - PAGE_SIZE)
		hmm_advise_count_beside(a, left.end);
	return 0;
}

static void hmm_advise_free_spare(struct hmm_advising *a)
{
	struct hmm_attribute_range *range, *next;

	list_for_each_entry_safe(range, next, &a->spare, list)
		kfree(range);
}

/*
 * Do all that can fail, before anything is changed. The memory is charged to the caller's
 * cgroup. Returns 0, -ENOSPC, -ENOMEM or -EINTR.
 */
static int hmm_advise_prepare(struct hmm_advising *a)
{
	int ret = hmm_advise_count(a);

	if (ret)
		return ret;
	if (a->after > a->before &&
	    a->attributes->nr + a->after - a->before > HMM_ATTRIBUTES_MAX)
		return -ENOSPC;
	for (unsigned long i = 0; i < a->needed; i++) {
		struct hmm_attribute_range *range =
			kzalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);

		if (!range)
			return -ENOMEM;
		list_add(&range->list, &a->spare);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* Set the stale addresses of a range. The spinlock is held. */
static void hmm_attribute_set_stale(struct hmm_attributes *attributes,
				    struct hmm_attribute_range *range,
				    struct hmm_span stale)
{
	range->stale = stale;
	if (stale.start >= stale.end)
		list_del_init(&range->list);
	else if (list_empty(&range->list))
		list_add_tail(&range->list, &attributes->stale);
}

static struct hmm_span hmm_attribute_span(const struct hmm_attribute_range *range)
{
	return (struct hmm_span){ range->node.start, range->node.last + 1 };
}

/* Add stale addresses to those of a range. The spinlock is held. */
static void hmm_attribute_add_stale(struct hmm_attributes *attributes,
				    struct hmm_attribute_range *range,
				    struct hmm_span span)
{
	struct hmm_span stale = range->stale;

	span = hmm_span_clip(span, hmm_attribute_span(range));
	if (stale.start < stale.end) {
		span.start = min(span.start, stale.start);
		span.end = max(span.end, stale.end);
	}
	hmm_attribute_set_stale(attributes, range, span);
}

/* Change the addresses of a range that is in the tree. The spinlock is held. */
static void hmm_attribute_resize(struct hmm_attributes *attributes,
				 struct hmm_attribute_range *range, struct hmm_span span)
{
	interval_tree_remove(&range->node, &attributes->tree);
	range->node.start = span.start;
	range->node.last = span.end - 1;
	interval_tree_insert(&range->node, &attributes->tree);
	hmm_attribute_set_stale(attributes, range, hmm_span_clip(range->stale, span));
}

/* Add a range to the tree. The spinlock is held. */
static struct hmm_attribute_range *hmm_attribute_insert(struct hmm_advising *a,
							struct hmm_span span)
{
	struct hmm_attributes *attributes = a->attributes;
	struct hmm_attribute_range *range =
		list_first_entry(&a->spare, struct hmm_attribute_range, list);

	list_del_init(&range->list);
	range->node.start = span.start;
	range->node.last = span.end - 1;
	interval_tree_insert(&range->node, &attributes->tree);
	WRITE_ONCE(attributes->nr, attributes->nr + 1);
	return range;
}

/* Remove a range from the tree. The spinlock is held. */
static void hmm_attribute_remove(struct hmm_attributes *attributes,
				 struct hmm_attribute_range *range)
{
	interval_tree_remove(&range->node, &attributes->tree);
	list_del_init(&range->list);
	WRITE_ONCE(attributes->nr, attributes->nr - 1);
}

/*
 * Give addresses of a range to a range of their own; the caller removes them from the
 * former, before it drops the spinlock.
 */
static void hmm_attribute_split(struct hmm_advising *a, struct hmm_attribute_range *range,
				struct hmm_span span)
{
	struct hmm_attribute_range *part = hmm_attribute_insert(a, span);

	part->location = range->location;
	part->read_mostly = range->read_mostly;
	part->accessed_by = range->accessed_by;
	hmm_attribute_set_stale(a->attributes, part, hmm_span_clip(range->stale, span));
}

/* Split a range, if need be, so that @piece is all that it has. The spinlock is held. */
static void hmm_attribute_isolate(struct hmm_advising *a, struct hmm_attribute_range *range,
				  struct hmm_span piece)
{
	struct hmm_span whole = hmm_attribute_span(range);

	if (whole.start == piece.start && whole.end == piece.end)
		return;
	if (whole.start < piece.start)
		hmm_attribute_split(a, range, (struct hmm_span){ whole.start, piece.start });
	if (whole.end > piece.end)
		hmm_attribute_split(a, range, (struct hmm_span){ piece.end, whole.end });
	hmm_attribute_resize(a->attributes, range, piece);
}

/*
 * Set the attributes of @range, which has the addresses of @to. What the device is now
 * going to access is stale. The spinlock is held.
 */
static void hmm_attribute_set(struct hmm_attributes *attributes,
			      struct hmm_attribute_range *range,
			      const struct hmm_attribute *to)
{
	bool accessed_by = range->accessed_by;

	range->location = to->location;
	range->read_mostly = to->read_mostly;
	range->accessed_by = to->accessed_by;
	if (accessed_by != to->accessed_by)
		hmm_attribute_set_stale(attributes, range, to->accessed_by ?
					to->span : (struct hmm_span){});
}

/* Give a piece, which is in @range or in none, new attributes. */
static void hmm_advise_change(struct hmm_advising *a, struct hmm_attribute_range *range,
			      const struct hmm_attribute *to)
{
	struct hmm_attributes *attributes = a->attributes;
	bool none = hmm_attribute_is_none(to);

	scoped_guard(spinlock, &attributes->tree_lock) {
		if (range)
			hmm_attribute_isolate(a, range, to->span);
		else
			range = hmm_attribute_insert(a, to->span);
		if (none)
			hmm_attribute_remove(attributes, range);
		else
			hmm_attribute_set(attributes, range, to);
	}
	if (none)
		kfree(range);
}

/* Change all pieces of the span that the advice changes. Cannot fail. */
static void hmm_advise_apply(struct hmm_advising *a)
{
	struct hmm_span left = a->span;

	while (left.start < left.end) {
		struct hmm_attribute_range *range;
		struct hmm_attribute piece = hmm_attribute_piece(a->attributes, left, &range);
		struct hmm_attribute to = hmm_advise_piece(a, piece);

		if (!hmm_attribute_same(&piece, &to))
			hmm_advise_change(a, range, &to);
		left.start = piece.span.end;
		cond_resched();
	}
}

/* Have @range take over the addresses of @next, which directly follow its own. */
static void hmm_attribute_absorb(struct hmm_attributes *attributes,
				 struct hmm_attribute_range *range,
				 struct hmm_attribute_range *next)
{
	struct hmm_span whole = { range->node.start, next->node.last + 1 };
	struct hmm_span stale;

	scoped_guard(spinlock, &attributes->tree_lock) {
		stale = next->stale;
		hmm_attribute_remove(attributes, next);
		hmm_attribute_resize(attributes, range, whole);
		if (stale.start < stale.end)
			hmm_attribute_add_stale(attributes, range, stale);
	}
	kfree(next);
}

/* Make neighbours that have become the same one range, in the span and at its borders. */
static void hmm_advise_merge(struct hmm_advising *a)
{
	struct hmm_attributes *attributes = a->attributes;
	struct hmm_span left = a->span;

	if (left.start)
		left.start -= PAGE_SIZE;
	if (left.end <= ULONG_MAX - PAGE_SIZE)
		left.end += PAGE_SIZE;
	while (left.start < left.end) {
		struct hmm_attribute_range *range, *next = NULL;
		struct hmm_attribute piece, after;

		piece = hmm_attribute_piece(attributes, left, &range);
		left.start = piece.span.end;
		if (range && left.start < left.end)
			after = hmm_attribute_piece(attributes, left, &next);
		if (next && hmm_attribute_same(&piece, &after)) {
			left.start = piece.span.start;
			hmm_attribute_absorb(attributes, range, next);
		}
		cond_resched();
	}
}

/**
 * hmm_attributes_init() - initialise attributes, without any advice
 * @attributes: the attributes
 */
void hmm_attributes_init(struct hmm_attributes *attributes)
{
	mutex_init(&attributes->lock);
	spin_lock_init(&attributes->tree_lock);
	attributes->tree = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&attributes->stale);
	attributes->nr = 0;
}
EXPORT_SYMBOL_GPL(hmm_attributes_init);

/**
 * hmm_attributes_exit() - withdraw all advice
 * @attributes: the attributes, which nobody uses any more
 */
void hmm_attributes_exit(struct hmm_attributes *attributes)
{
	struct hmm_attribute_range *range, *next;

	rbtree_postorder_for_each_entry_safe(range, next, &attributes->tree.rb_root, node.rb) {
		kfree(range);
		cond_resched();
	}
	mutex_destroy(&attributes->lock);
}
EXPORT_SYMBOL_GPL(hmm_attributes_exit);

/**
 * hmm_attributes_advise() - give or withdraw advice about a span of addresses
 * @attributes: the attributes
 * @span: the addresses. It makes no difference what is mapped there
 * @advice: the advice
 * @location: for %HMM_ADVICE_SET_PREFERRED_LOCATION the number of a device or
 *	%HMM_LOCATION_SYSTEM; otherwise %HMM_LOCATION_NONE
 *
 * Other advice about the same addresses stays. On an error nothing has changed.
 *
 * The memory that is needed is charged to the memory cgroup of the caller, and there are
 * at most %HMM_ATTRIBUTES_MAX ranges with different attributes.
 *
 * Context: holds no update lock. May sleep.
 * Return: 0; -%EINVAL for a span that is empty, reversed or not page aligned, for unknown
 * advice, or for a location that does not fit it; -%ENOSPC if there would be too many
 * ranges; -%ENOMEM; -%EINTR on a fatal signal.
 */
int hmm_attributes_advise(struct hmm_attributes *attributes, struct hmm_span span,
			  enum hmm_advice advice, int location)
{
	struct hmm_advising a = {
		.attributes = attributes,
		.span = span,
		.advice = advice,
		.location = location,
		.spare = LIST_HEAD_INIT(a.spare),
	};
	int ret;

	if (!hmm_span_valid(span) || !hmm_advice_valid(advice, location))
		return -EINVAL;
	ret = mutex_lock_killable(&attributes->lock);
	if (ret)
		return ret;
	ret = hmm_advise_prepare(&a);
	if (!ret) {
		hmm_advise_apply(&a);
		hmm_advise_merge(&a);
	}
	mutex_unlock(&attributes->lock);
	hmm_advise_free_spare(&a);
	return ret;
}
EXPORT_SYMBOL_GPL(hmm_attributes_advise);

/**
 * hmm_attributes_get() - look up the attributes of a span's first addresses
 * @attributes: the attributes
 * @span: the addresses; valid
 *
 * Context: any that may take a spinlock, also under an update lock.
 * Return: the attributes of the first address, and in &hmm_attribute.span the first
 * addresses of @span that all have them. If they change meanwhile, the old or the new.
 */
struct hmm_attribute hmm_attributes_get(struct hmm_attributes *attributes,
					struct hmm_span span)
{
	struct hmm_attribute_range *range;

	/* The common case: there has never been any advice. */
	if (!hmm_attributes_any(attributes) || !hmm_span_valid(span))
		return (struct hmm_attribute){ .span = span,
					       .location = HMM_LOCATION_NONE };
	guard(spinlock)(&attributes->tree_lock);
	return hmm_attribute_piece(attributes, span, &range);
}
EXPORT_SYMBOL_GPL(hmm_attributes_get);

/**
 * hmm_attributes_invalidate() - note that addresses are to be mapped again
 * @attributes: the attributes
 * @span: the addresses that were invalidated
 *
 * For &hmm_mirror_ops.invalidate. Those of them that the device is going to access
 * (%HMM_ADVICE_SET_ACCESSED_BY) are stale then.
 *
 * Context: any that may take a spinlock, also under an update lock. Never sleeps.
 */
void hmm_attributes_invalidate(struct hmm_attributes *attributes, struct hmm_span span)
{
	struct interval_tree_node *node;

	if (!hmm_attributes_any(attributes) || span.start >= span.end)
		return;
	guard(spinlock)(&attributes->tree_lock);
	for (node = interval_tree_iter_first(&attributes->tree, span.start, span.end - 1);
	     node; node = interval_tree_iter_next(node, span.start, span.end - 1)) {
		struct hmm_attribute_range *range =
			container_of(node, struct hmm_attribute_range, node);

		if (range->accessed_by)
			hmm_attribute_add_stale(attributes, range, span);
	}
}
EXPORT_SYMBOL_GPL(hmm_attributes_invalidate);

/**
 * hmm_attributes_take_stale() - the next addresses to be mapped in advance
 * @attributes: the attributes
 *
 * They are not stale any more. The driver maps what is present there, before its device
 * accesses it. If it does not, or fails, the device faults. Addresses between two that
 * were invalidated may be among them, although they are still mapped.
 *
 * An invalidation while the driver maps them makes them stale again, so a driver that
 * repeats this until nothing is stale limits how often.
 *
 * Context: any that may take a spinlock.
 * Return: addresses that have the same attributes; an empty span if none are stale.
 */
struct hmm_span hmm_attributes_take_stale(struct hmm_attributes *attributes)
{
	struct hmm_attribute_range *range;
	struct hmm_span span;

	if (list_empty_careful(&attributes->stale))
		return (struct hmm_span){};
	guard(spinlock)(&attributes->tree_lock);
	range = list_first_entry_or_null(&attributes->stale, struct hmm_attribute_range, list);
	if (!range)
		return (struct hmm_span){};
	span = range->stale;
	hmm_attribute_set_stale(attributes, range, (struct hmm_span){});
	return span;
}
EXPORT_SYMBOL_GPL(hmm_attributes_take_stale);
