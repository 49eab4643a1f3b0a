/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Spans of user addresses, for mirrors and device memory.
 */
#ifndef _LINUX_HMM_SPAN_H
#define _LINUX_HMM_SPAN_H

#include <linux/contract.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

/**
 * struct hmm_span - a half-open interval of user addresses
 * @start: first address, in bytes, page aligned
 * @end: address after the last, in bytes, page aligned
 */
struct hmm_span {
	unsigned long start;
	unsigned long end;
} __contract(record("Span"));

/* Every user address; the span of a driver that mirrors a whole process. */
#define HMM_SPAN_ALL ((struct hmm_span){ 0, ULONG_MAX & PAGE_MASK })

/**
 * hmm_span_valid() - whether a function that takes a span accepts this one
 * @span: any two numbers
 *
 * All other arithmetic on spans relies on this check. The end of a valid span
 * is at most the start of the last page of the address space, so that rounding
 * an address of the span up to a page does not overflow.
 *
 * Return: true if @span is page aligned and neither empty nor reversed.
 */
static inline bool hmm_span_valid(struct hmm_span span)
{
	return span.start < span.end && PAGE_ALIGNED(span.start | span.end);
}

/**
 * hmm_span_pages() - the length of a span
 * @span: a span
 *
 * Return: how many pages of %PAGE_SIZE it has; 0 for a reversed one.
 */
static inline unsigned long hmm_span_pages(struct hmm_span span)
	__contract(method, name("pages"))
{
	return span.start < span.end ? (span.end - span.start) >> PAGE_SHIFT : 0;
}

/**
 * hmm_span_is_user() - whether a span has user addresses only
 * @span: a span
 *
 * It makes no difference whether anything is mapped there.
 *
 * Return: true if all of its addresses are user addresses; false for a reversed span.
 */
static inline bool hmm_span_is_user(struct hmm_span span)
	__contract(method, name("is_user"))
{
	return span.start <= span.end &&
	       access_ok((void __user *)span.start, span.end - span.start);
}

/**
 * hmm_span_clip() - cut a span to another one
 * @span: a span
 * @to: the span it is cut to
 *
 * Return: the intersection of the two; empty or reversed if they do not overlap.
 */
static inline struct hmm_span hmm_span_clip(struct hmm_span span,
					    struct hmm_span to)
{
	return (struct hmm_span){
		.start = max(span.start, to.start),
		.end = min(span.end, to.end),
	};
}

/**
 * hmm_span_has() - whether an address is in a span
 * @span: a span
 * @addr: an address
 *
 * Return: true if @addr is in @span.
 */
static inline bool hmm_span_has(struct hmm_span span, unsigned long addr)
{
	return addr >= span.start && addr < span.end;
}

/**
 * hmm_span_first() - the first pages of a span
 * @span: a valid span
 * @nr: how many pages, at least 1
 *
 * Return: the first @nr pages of @span, or all of it if it has no more.
 */
static inline struct hmm_span hmm_span_first(struct hmm_span span,
					     unsigned long nr)
{
	if (nr < hmm_span_pages(span))
		span.end = span.start + (nr << PAGE_SHIFT);
	return span;
}

#endif /* _LINUX_HMM_SPAN_H */
