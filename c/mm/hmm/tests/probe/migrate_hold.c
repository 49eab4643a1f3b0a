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
	ret = migrate_hold(&span, entries);
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
