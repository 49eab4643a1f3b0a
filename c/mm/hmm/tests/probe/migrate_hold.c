// SPDX-License-Identifier: GPL-2.0
/*
 * Migration entries that stay for a given time, for tests of walks that meet
 * them.
 */
#include <linux/delay.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "probe.h"

#if IS_ENABLED(CONFIG_DEVICE_MIGRATION)

#define MIGRATE_PAGES 1024UL
#define MIGRATE_MS 10000U

u32 probe_migrate_has(void)
{
	return HMM_PROBE_HAS_MIGRATION;
}

static int migrate_hold(struct hmm_probe_span *span, unsigned long *entries)
{
	struct migrate_vma args = {
		.src = entries,
		.dst = entries + MIGRATE_PAGES,
		.start = span->start,
		.end = span->end,
		.flags = MIGRATE_VMA_SELECT_SYSTEM | MIGRATE_VMA_SELECT_COMPOUND,
	};
	int ret = -EINVAL;

	mmap_read_lock(current->mm);
	args.vma = vma_lookup(current->mm, span->start);
	if (args.vma && span->end <= args.vma->vm_end)
		ret = migrate_vma_setup(&args);
	if (!ret) {
		span->pages = args.cpages;
		msleep(span->ms);
		/* Without dst pages, every page stays in place. */
		migrate_vma_pages(&args);
		migrate_vma_finalize(&args);
	}
	mmap_read_unlock(current->mm);
	return ret;
}

/* The pfns of pages, without references to them. */
static int migrate_pfns(const struct hmm_probe_span *span, unsigned long *pfns)
{
	unsigned long i, nr = (span->end - span->start) >> PAGE_SHIFT;
	struct page *page;

	for (i = 0; i < nr; i++) {
		if (get_user_pages_fast(span->start + (i << PAGE_SHIFT), 1, 0, &page) != 1)
			return -EFAULT;
		pfns[i] = page_to_pfn(page);
		put_page(page);
	}
	return 0;
}

static int migrate_hold_pfns(struct hmm_probe_span *span, unsigned long *src)
{
	unsigned long i, nr = (span->end - span->start) >> PAGE_SHIFT;
	unsigned long *dst = src + MIGRATE_PAGES;
	int ret = migrate_pfns(span, src) ?: migrate_device_pfns(src, nr);

	if (ret)
		return ret;
	span->pages = 0;
	for (i = 0; i < nr; i++)
		span->pages += !!(src[i] & MIGRATE_PFN_MIGRATE);
	msleep(span->ms);
	migrate_device_pages(src, dst, nr);
	migrate_device_finalize(src, dst, nr);
	return 0;
}

long probe_migrate(struct hmm_probe_span __user *user)
{
	struct hmm_probe_span span;
	unsigned long *entries;
	int ret;

	if (copy_from_user(&span, user, sizeof(span)))
		return -EFAULT;
	if (!PAGE_ALIGNED(span.start | span.end) || span.start >= span.end ||
	    span.end - span.start > MIGRATE_PAGES << PAGE_SHIFT ||
	    span.ms > MIGRATE_MS)
		return -EINVAL;
	entries = kvcalloc(2 * MIGRATE_PAGES, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	ret = span.id == HMM_PROBE_MIGRATE_BY_PFN ? migrate_hold_pfns(&span, entries) :
						    migrate_hold(&span, entries);
	kvfree(entries);
	if (ret)
		return ret;
	return copy_to_user(user, &span, sizeof(span)) ? -EFAULT : 0;
}

#else

u32 probe_migrate_has(void)
{
	return 0;
}

long probe_migrate(struct hmm_probe_span __user *user)
{
	return -EOPNOTSUPP;
}

#endif
