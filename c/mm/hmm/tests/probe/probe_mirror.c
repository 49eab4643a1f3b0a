// SPDX-License-Identifier: GPL-2.0
/*
 * An hmm_mirror that counts its callbacks, with a simple device page table: one
 * XArray entry per page.
 */
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/hmm_mirror_typed.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "probe.h"

#define MIRROR_HOLD_MS 10000U
#define MIRROR_SECTION_PAGES HMM_PROBE_MAX_PAGES

/**
 * struct probe_mirror - a mirror of the process that initialised it
 * @mirror: the mirror; its update lock guards @table and @seen
 * @ranges: the mirror's ranges, by the number that the program chose
 * @table: page index to (pfn << 1 | writable)
 * @seen: what callbacks have recorded; still valid after the mirror's end
 * @live: whether @mirror is initialised
 */
struct probe_mirror {
	struct hmm_mirror mirror;
	struct hmm_mirror_range ranges[HMM_PROBE_RANGES];
	struct xarray table;
	struct hmm_probe_mirror seen;
	bool live;
};

static struct probe_mirror *probe_mirror_of(struct hmm_mirror *mirror)
{
	return container_of(mirror, struct probe_mirror, mirror);
}

static u64 table_drop(struct xarray *table, struct hmm_span span)
{
	unsigned long index;
	u64 dropped = 0;
	void *entry;

	xa_for_each_range(table, index, entry, span.start >> PAGE_SHIFT,
			  (span.end - 1) >> PAGE_SHIFT) {
		xa_erase(table, index);
		dropped++;
	}
	return dropped;
}

static bool probe_invalidate(struct hmm_mirror *mirror,
			     const struct hmm_invalidation *inv)
{
	struct probe_mirror *pm = probe_mirror_of(mirror);
	struct hmm_probe_mirror *seen = &pm->seen;
	struct hmm_probe_event *event;

	hmm_mirror_assert_held(mirror);
	seen->late += !!seen->releases;
	event = &seen->events[seen->invalidations++ % HMM_PROBE_EVENTS];
	event->start = inv->span.start;
	event->end = inv->span.end;
	event->event = inv->event;
	event->id = inv->range - pm->ranges;
	seen->entries -= table_drop(&pm->table, inv->span);
	return true;
}

static void probe_mirror_released(struct hmm_mirror *mirror)
{
	struct probe_mirror *pm = probe_mirror_of(mirror);

	hmm_mirror_lock(mirror);
	pm->seen.releases++;
	pm->seen.left += pm->seen.entries;
	hmm_mirror_unlock(mirror);
}

static const struct hmm_mirror_ops probe_mirror_ops = {
	.invalidate = probe_invalidate,
	.release = probe_mirror_released,
};

static long mirror_init(struct probe_file *file)
{
	struct probe_mirror *pm = file->mirror;
	int ret;

	if (pm && pm->live)
		return -EBUSY;
	if (!pm) {
		pm = kvzalloc(sizeof(*pm), GFP_KERNEL);
		if (!pm)
			return -ENOMEM;
		xa_init(&pm->table);
		file->mirror = pm;
	}
	memset(pm->ranges, 0, sizeof(pm->ranges));
	memset(&pm->seen, 0, sizeof(pm->seen));
	ret = hmm_mirror_init(&pm->mirror, current->mm, &probe_mirror_ops,
			      pm);
	pm->live = !ret;
	pm->seen.live = pm->live;
	return ret;
}

static long mirror_exit(struct probe_mirror *pm)
{
	hmm_mirror_exit(&pm->mirror);
	pm->live = false;
	pm->seen.live = 0;
	return 0;
}

static long mirror_range(struct probe_mirror *pm, bool add,
			 const struct hmm_probe_span *arg)
{
	struct hmm_mirror_range *range;

	if (arg->id >= HMM_PROBE_RANGES)
		return -EINVAL;
	range = &pm->ranges[arg->id];
	if (add == !!range->mirror)
		return add ? -EBUSY : -ENOENT;
	if (add)
		return hmm_mirror_range_add(&pm->mirror, range,
					    (struct hmm_span){ arg->start,
							       arg->end });
	hmm_mirror_range_remove(range);
	return 0;
}

/* Map a page; called in a section, under the update lock, where pfns are valid. */
static int table_store(struct probe_mirror *pm, unsigned long addr,
		       unsigned long hmm_pfn)
{
	unsigned long pfn = hmm_pfn & ~HMM_PFN_FLAGS;
	void *old;

	if (!(hmm_pfn & HMM_PFN_VALID))
		return 0;
	old = xa_store(&pm->table, addr >> PAGE_SHIFT,
		       xa_mk_value(pfn << 1 | !!(hmm_pfn & HMM_PFN_WRITE)),
		       GFP_NOWAIT | __GFP_NOWARN);
	if (xa_is_err(old))
		return xa_err(old);
	pm->seen.entries += !old;
	return 0;
}

/**
 * struct visit - state of one HMM_PROBE_SECTION request
 * @pm: the mirror
 * @section: the section
 * @arg: the request and its results
 * @hmm_pfns: the hmm pfns of all batches, for the program
 */
struct visit {
	struct probe_mirror *pm;
	struct hmm_section *section;
	struct hmm_probe_section *arg;
	unsigned long *hmm_pfns;
};

static int visit_hmm_pfns(struct visit *visit)
{
	const struct hmm_section *section = visit->section;
	unsigned long i, npages = hmm_span_pages(section->batch);
	unsigned long first = (section->batch.start - visit->arg->start) >> PAGE_SHIFT;
	int ret = 0;

	for (i = 0; !ret && i < npages; i++) {
		visit->hmm_pfns[first + i] = section->pfns[i];
		if (visit->arg->how & HMM_PROBE_POPULATE)
			ret = table_store(visit->pm,
					  section->batch.start + i * PAGE_SIZE,
					  section->pfns[i]);
	}
	visit->arg->pages += npages;
	return ret;
}

static bool run_is_valid(const struct visit *visit, const struct hmm_run *run)
{
	const unsigned long flags = HMM_PFN_VALID | HMM_PFN_WRITE | HMM_PFN_ERROR;
	unsigned long addr, hmm_pfn, pfn = run->pfn;
	unsigned long first = visit->section->batch.start;

	for (addr = run->span.start; addr < run->span.end; addr += PAGE_SIZE) {
		hmm_pfn = visit->section->pfns[(addr - first) >> PAGE_SHIFT];
		if ((hmm_pfn & flags) != run->flags)
			return false;
		if (!(hmm_pfn & HMM_PFN_VALID))
			continue;
		if ((hmm_pfn & ~HMM_PFN_FLAGS) != pfn++ ||
		    hmm_pfn_to_map_order(hmm_pfn) != run->map_order)
			return false;
	}
	return run->order <= run->map_order &&
	       1UL << run->order <= hmm_span_pages(run->span) &&
	       IS_ALIGNED(run->span.start, PAGE_SIZE << run->order) &&
	       IS_ALIGNED(run->pfn, 1UL << run->order);
}

/* Check that the runs cover the batch without gaps and match its hmm pfns. */
static int visit_runs(struct visit *visit)
{
	unsigned long at = visit->section->batch.start;

	hmm_section_runs(run, visit->section) {
		if (run.span.start != at || run.span.end <= at ||
		    run.span.end > visit->section->batch.end ||
		    !run_is_valid(visit, &run))
			return -EPROTO;
		at = run.span.end;
		visit->arg->runs++;
	}
	return at == visit->section->batch.end ? 0 : -EPROTO;
}

static int visit_batch(struct visit *visit)
{
	int ret = visit_hmm_pfns(visit);

	if (!ret && (visit->arg->how & HMM_PROBE_RUNS))
		ret = visit_runs(visit);
	visit->arg->batches++;
	return ret;
}

static int section_visit(struct visit *visit)
{
	struct hmm_probe_section *arg = visit->arg;
	int ret = 0;

	arg->error = 0;
	hmm_mirror_populate(pages, arg->error, &visit->pm->mirror,
			    ((struct hmm_span){ arg->start, arg->end }), arg->access,
			    .timeout = msecs_to_jiffies(arg->timeout_ms)) {
		visit->section = &pages;
		ret = visit_batch(visit);
		if (ret)
			break;
		if ((arg->how & HMM_PROBE_BREAK) &&
		    arg->batches == arg->stop_after)
			break;
		if ((arg->how & HMM_PROBE_LEAVE) &&
		    arg->batches == arg->stop_after) {
			hmm_section_leave(&pages);
			break;
		}
	}
	return ret;
}

/* Run the section with an array of the caller's instead of the section's own. */
static int section_visit_array(struct visit *visit, unsigned long *array)
{
	struct hmm_probe_section *arg = visit->arg;
	struct hmm_section pages __cleanup(hmm_section_leave) = {
		.mirror = &visit->pm->mirror,
		.span = { arg->start, arg->end },
		.access = arg->access,
		.pfns = array,
		.nr_pfns = arg->array,
		.timeout = msecs_to_jiffies(arg->timeout_ms),
	};
	int ret = 0;

	visit->section = &pages;
	while (!ret && hmm_section_next(&pages))
		ret = visit_batch(visit);
	arg->error = hmm_section_error(&pages);
	return ret;
}

static long mirror_section(struct probe_mirror *pm,
			   struct hmm_probe_section *arg)
{
	unsigned long npages = (arg->end - arg->start) >> PAGE_SHIFT;
	struct visit visit = { .pm = pm, .arg = arg };
	long ret;

	/* The core must reject an invalid span; allocate no hmm pfns for it. */
	if (arg->end <= arg->start)
		npages = 0;
	if (npages > MIRROR_SECTION_PAGES || arg->array > MIRROR_SECTION_PAGES)
		return -EINVAL;
	visit.hmm_pfns = kvcalloc(npages + arg->array + 1, sizeof(long),
				  GFP_KERNEL);
	if (!visit.hmm_pfns)
		return -ENOMEM;
	arg->batches = 0;
	arg->runs = 0;
	arg->pages = 0;
	if (arg->array)
		ret = section_visit_array(&visit, visit.hmm_pfns + npages);
	else
		ret = section_visit(&visit);
	if (!ret && copy_to_user(u64_to_user_ptr(arg->hmm_pfns), visit.hmm_pfns,
				 npages * sizeof(long)))
		ret = -EFAULT;
	kvfree(visit.hmm_pfns);
	return ret;
}

static long mirror_hold(struct probe_file *file,
			const struct hmm_probe_span *arg)
{
	unsigned long end = jiffies + msecs_to_jiffies(arg->ms);

	if (arg->ms > MIRROR_HOLD_MS)
		return -EINVAL;
	guard(hmm_mirror)(&file->mirror->mirror);
	WRITE_ONCE(file->unhold, false);
	WRITE_ONCE(file->holding, true);
	while (!READ_ONCE(file->unhold) && time_before(jiffies, end))
		msleep(20);
	WRITE_ONCE(file->holding, false);
	return 0;
}

static long mirror_access(struct probe_mirror *pm, struct hmm_probe_access *arg)
{
	unsigned long value;
	void *entry;
	u64 *at;

	if (!IS_ALIGNED(arg->addr, sizeof(u64)))
		return -EINVAL;
	guard(hmm_mirror)(&pm->mirror);
	entry = xa_load(&pm->table, arg->addr >> PAGE_SHIFT);
	if (!entry)
		return -ENOENT;
	value = xa_to_value(entry);
	if (arg->write && !(value & 1))
		return -EACCES;
	if (!hmm_page_is_reachable(pfn_to_page(value >> 1)))
		return -EIO;
	at = kmap_local_page(pfn_to_page(value >> 1)) + offset_in_page(arg->addr);
	if (arg->write)
		WRITE_ONCE(*at, arg->value);
	else
		arg->value = READ_ONCE(*at);
	kunmap_local(at);
	return 0;
}

static void seen_copy(struct probe_mirror *pm, struct hmm_probe_mirror *copy)
{
	const struct hmm_probe_mirror *seen = &pm->seen;
	u64 i, oldest = 0;

	if (pm->live)
		hmm_mirror_lock(&pm->mirror);
	*copy = *seen;
	if (seen->invalidations > HMM_PROBE_EVENTS)
		oldest = seen->invalidations;
	for (i = 0; i < HMM_PROBE_EVENTS; i++)
		copy->events[i] = seen->events[(oldest + i) % HMM_PROBE_EVENTS];
	if (pm->live)
		hmm_mirror_unlock(&pm->mirror);
}

static long mirror_seen(struct probe_mirror *pm, void __user *user)
{
	struct hmm_probe_mirror *copy = kzalloc(sizeof(*copy), GFP_KERNEL);
	long ret;

	if (!copy)
		return -ENOMEM;
	seen_copy(pm, copy);
	ret = copy_to_user(user, copy, sizeof(*copy)) ? -EFAULT : 0;
	kfree(copy);
	return ret;
}

static long mirror_span_ioctl(struct probe_file *file, unsigned int cmd,
			      void __user *user)
{
	struct hmm_probe_span span;

	if (copy_from_user(&span, user, sizeof(span)))
		return -EFAULT;
	if (cmd == HMM_PROBE_HOLD)
		return mirror_hold(file, &span);
	return mirror_range(file->mirror, cmd == HMM_PROBE_RANGE_ADD, &span);
}

static long mirror_section_ioctl(struct probe_mirror *pm, void __user *user)
{
	struct hmm_probe_section arg;
	long ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	ret = mirror_section(pm, &arg);
	if (!ret && copy_to_user(user, &arg, sizeof(arg)))
		ret = -EFAULT;
	return ret;
}

static long mirror_access_ioctl(struct probe_mirror *pm, void __user *user)
{
	struct hmm_probe_access arg;
	long ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	ret = mirror_access(pm, &arg);
	if (!ret && copy_to_user(user, &arg, sizeof(arg)))
		ret = -EFAULT;
	return ret;
}

static long mirror_live_ioctl(struct probe_file *file, unsigned int cmd,
			      void __user *user)
{
	struct probe_mirror *pm = file->mirror;

	if (!pm || !pm->live)
		return -ESRCH;
	switch (cmd) {
	case HMM_PROBE_RANGE_ADD:
	case HMM_PROBE_RANGE_REMOVE:
	case HMM_PROBE_HOLD:
		return mirror_span_ioctl(file, cmd, user);
	case HMM_PROBE_UNHOLD:
		WRITE_ONCE(file->unhold, true);
		return 0;
	case HMM_PROBE_SECTION:
		return mirror_section_ioctl(pm, user);
	case HMM_PROBE_ACCESS:
		return mirror_access_ioctl(pm, user);
	default:
		return -ENOTTY;
	}
}

/* Initialise or end the mirror; the caller ensures that no thread is using it. */
static long mirror_whole_ioctl(struct probe_file *file, unsigned int cmd,
			       void __user *user)
{
	guard(mutex)(&file->lock);
	if (cmd == HMM_PROBE_MIRROR_INIT)
		return mirror_init(file);
	if (!file->mirror)
		return -ESRCH;
	if (cmd == HMM_PROBE_MIRROR)
		return mirror_seen(file->mirror, user);
	if (!file->mirror->live)
		return -ESRCH;
	return mirror_exit(file->mirror);
}

long probe_mirror_ioctl(struct probe_file *file, unsigned int cmd,
			void __user *user)
{
	switch (cmd) {
	case HMM_PROBE_MIRROR_INIT:
	case HMM_PROBE_MIRROR_EXIT:
	case HMM_PROBE_MIRROR:
		return mirror_whole_ioctl(file, cmd, user);
	default:
		return mirror_live_ioctl(file, cmd, user);
	}
}

void probe_mirror_close(struct probe_file *file)
{
	struct probe_mirror *pm = file->mirror;

	if (!pm)
		return;
	if (pm->live)
		mirror_exit(pm);
	xa_destroy(&pm->table);
	kvfree(pm);
}
