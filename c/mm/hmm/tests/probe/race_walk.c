// SPDX-License-Identifier: GPL-2.0
/*
 * Walks that race with other threads of the program, each checked before it is
 * counted: see race_check.c.
 */
#include <linux/hmm.h>
#include <linux/hmm_mirror_typed.h>
#include <linux/memremap.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "probe.h"
#include "race.h"

/* A device PTE format in which every bit differs from that of an hmm pfn. */
#define RACE_PTE_VALID		BIT(0)
#define RACE_PTE_WRITE		BIT(1)
#define RACE_PTE_PRIVATE	BIT(2)
#define RACE_PTE_ERROR		BIT(3)
#define RACE_PTE_SPECIAL	BIT(4)
#define RACE_PTE_PFN_SHIFT	12

/*
 * Comparing a walk with the page table takes several times as long as the walk.
 * Compare one walk in RACE_COMPARE; check the pfns of all for plausibility.
 */
#define RACE_COMPARE	4

/**
 * struct probe_race - state shared by the racing walks of one open file
 * @mirror: the mirror of walks that are sections
 * @range: its only range
 * @owner: the owner of the device memory, and of exclusive pages
 */
struct probe_race {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	void *owner;
};

/**
 * struct race_walk - the walks of one HMM_PROBE_RACE request
 * @arg: the request and its results
 * @race: the shared state
 * @range: argument of the core
 * @notifier: interval notifier of @range
 * @lock: update lock of walks outside of sections
 * @owner: as &hmm_range.dev_private_owner
 * @pfns: array of one hmm pfn per page, for the check
 * @output: array for the output of the core: hmm pfns or entries in @format
 * @format: the format of entries
 * @extents: array of extents
 */
struct race_walk {
	struct hmm_probe_race arg;
	struct probe_race *race;
	struct hmm_range range;
	struct mmu_interval_notifier notifier;
	struct mutex lock;	/* the update lock */
	void *owner;
	unsigned long *pfns;
	unsigned long *output;
	struct hmm_format format;
	struct hmm_extents extents;
};

/* Exclusive access by the owner does not change the pfn; nouveau ignores it, too. */
static bool walk_ignores(const struct race_walk *walk,
			 const struct mmu_notifier_range *event)
{
	return (walk->arg.how & HMM_PROBE_RACE_FILTER) &&
	       event->event == MMU_NOTIFY_EXCLUSIVE &&
	       event->owner == walk->race->owner;
}

static bool walk_invalidate(struct mmu_interval_notifier *notifier,
			    const struct mmu_notifier_range *event,
			    unsigned long seq)
{
	struct race_walk *walk = container_of(notifier, struct race_walk, notifier);

	if (walk_ignores(walk, event))
		return true;
	if (mmu_notifier_range_blockable(event))
		mutex_lock(&walk->lock);
	else if (!mutex_trylock(&walk->lock))
		return false;
	mmu_interval_set_seq(notifier, seq);
	mutex_unlock(&walk->lock);
	return true;
}

static const struct mmu_interval_notifier_ops walk_ops = {
	.invalidate = walk_invalidate,
};

static int walk_output_init(struct race_walk *walk)
{
	if (walk->arg.how & HMM_PROBE_FORMAT) {
		walk->format = (struct hmm_format){
			.valid = RACE_PTE_VALID,
			.write = RACE_PTE_WRITE,
			.device_private = RACE_PTE_PRIVATE,
			.error = RACE_PTE_ERROR,
			.special = RACE_PTE_SPECIAL,
			.pfn_shift = RACE_PTE_PFN_SHIFT,
		};
	}
	if (walk->arg.how & HMM_PROBE_EXTENTS) {
		walk->extents.room = walk->arg.npages;
		walk->extents.at = kvcalloc(walk->arg.npages,
					    sizeof(*walk->extents.at), GFP_KERNEL);
		if (!walk->extents.at)
			return -ENOMEM;
	}
	return 0;
}

static unsigned long walk_request(const struct race_walk *walk)
{
	unsigned long request;

	if (walk->arg.request == HMM_PROBE_RACE_SNAPSHOT)
		return 0;
	if (walk->arg.how & HMM_PROBE_FORMAT) {
		request = RACE_PTE_VALID;
		if (walk->arg.request == HMM_PROBE_RACE_WRITE)
			request |= RACE_PTE_WRITE;
		return request;
	}
	request = HMM_PFN_REQ_FAULT;
	if (walk->arg.request == HMM_PROBE_RACE_WRITE)
		request |= HMM_PFN_REQ_WRITE;
	return request;
}

static int walk_unlocked(struct race_walk *walk)
{
	unsigned long timeout = msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT);

	if (walk->arg.how & HMM_PROBE_FORMAT)
		return hmm_range_fault_format_unlocked_timeout(&walk->range,
							       &walk->format,
							       timeout);
	if (walk->arg.how & HMM_PROBE_EXTENTS)
		return hmm_range_fault_extents_unlocked_timeout(&walk->range,
								&walk->extents,
								timeout);
	return probe_fault_unlocked_of(walk->arg.core)(&walk->range, timeout);
}

static int walk_locked(struct race_walk *walk)
{
	if (walk->arg.how & HMM_PROBE_FORMAT)
		return hmm_range_fault_format(&walk->range, &walk->format);
	if (walk->arg.how & HMM_PROBE_EXTENTS)
		return hmm_range_fault_extents(&walk->range, &walk->extents);
	return probe_fault_of(walk->arg.core)(&walk->range);
}

static int walk_core(struct race_walk *walk)
{
	struct mm_struct *mm = walk->notifier.mm;
	int ret;

	if (walk->arg.locking == HMM_PROBE_RACE_UNLOCKED)
		return walk_unlocked(walk);
	walk->range.notifier_seq = mmu_interval_read_begin(&walk->notifier);
	if (walk->arg.locking == HMM_PROBE_RACE_VMA)
		return hmm_range_fault_vma(&walk->range);
	mmap_read_lock(mm);
	ret = walk_locked(walk);
	mmap_read_unlock(mm);
	return ret;
}

static unsigned long pfn_of_entry(unsigned long entry)
{
	unsigned long pfn;

	if (entry & RACE_PTE_ERROR)
		return HMM_PFN_ERROR;
	if (!(entry & RACE_PTE_VALID))
		return 0;
	pfn = HMM_PFN_VALID | (entry >> RACE_PTE_PFN_SHIFT);
	if (entry & RACE_PTE_WRITE)
		pfn |= HMM_PFN_WRITE;
	return pfn;
}

static void pfns_of_extents(struct race_walk *walk)
{
	unsigned long addr = walk->arg.addr, n = 0, i, j;

	for (i = 0; i < walk->extents.nr; i++) {
		const struct hmm_extent *extent = &walk->extents.at[i];

		if (extent->start != addr || !extent->npages ||
		    extent->npages > walk->arg.npages - n) {
			walk->arg.failure = HMM_PROBE_RACE_EXTENT;
			walk->arg.fail_addr = addr;
			walk->arg.fail_hmm_pfn = extent->hmm_pfn;
			return;
		}
		for (j = 0; j < extent->npages; j++)
			walk->pfns[n++] = extent->hmm_pfn +
					  (extent->hmm_pfn & HMM_PFN_VALID ? j : 0);
		addr += extent->npages << PAGE_SHIFT;
	}
}

/* Convert the core's output (hmm pfns, entries or extents) to hmm pfns. */
static void walk_convert(struct race_walk *walk)
{
	unsigned long i;

	memset(walk->pfns, 0, walk->arg.npages * sizeof(*walk->pfns));
	if (walk->arg.how & HMM_PROBE_EXTENTS)
		pfns_of_extents(walk);
	else if (walk->arg.how & HMM_PROBE_FORMAT)
		for (i = 0; i < walk->arg.npages; i++)
			walk->pfns[i] = pfn_of_entry(walk->output[i]);
	else
		memcpy(walk->pfns, walk->output,
		       walk->arg.npages * sizeof(*walk->pfns));
}

/*
 * Check a walk that won its race: the update lock is held and the sequence has not
 * moved. A walk that restarted internally and then failed can leave pfns of the
 * first try after the address where it failed, so it is not compared.
 */
static void race_check_won(const struct race_check *check, int ret)
{
	const struct hmm_probe_race *arg = check->result;

	if (ret && arg->locking == HMM_PROBE_RACE_UNLOCKED)
		return;
	if (!(arg->walks % RACE_COMPARE))
		race_check_mapped(check);
	if (!ret && arg->request)
		race_check_request(check, arg->request == HMM_PROBE_RACE_WRITE);
}

static void walk_check(struct race_walk *walk, int ret)
{
	const struct race_check check = {
		.mm = walk->notifier.mm,
		.owner = walk->owner,
		.start = walk->arg.addr,
		.hmm_pfns = walk->pfns,
		.npages = walk->arg.npages,
		.result = &walk->arg,
	};
	bool lost;

	walk_convert(walk);
	mutex_lock(&walk->lock);
	lost = ret == -EBUSY ||
	       mmu_interval_read_retry(&walk->notifier, walk->range.notifier_seq);
	if (!lost)
		race_check_won(&check, ret);
	mutex_unlock(&walk->lock);
	race_check_plausible(&check);
	walk->arg.lost += lost;
}

static void walk_once(struct race_walk *walk)
{
	int ret;

	memset(walk->output, 0, walk->arg.npages * sizeof(*walk->output));
	ret = walk_core(walk);
	walk_check(walk, ret);
	walk->arg.walks++;
	if (ret && ret != -EBUSY) {
		walk->arg.errors++;
		walk->arg.error = ret;
	}
}

static int walk_repeat(struct race_walk *walk)
{
	unsigned int i;
	int ret;

	ret = mmu_interval_notifier_insert(&walk->notifier, current->mm,
					   walk->range.start,
					   walk->range.end - walk->range.start,
					   &walk_ops);
	if (ret)
		return ret;
	for (i = 0; i < walk->arg.count && !walk->arg.failure; i++) {
		if (fatal_signal_pending(current))
			break;
		walk_once(walk);
		cond_resched();
	}
	mmu_interval_notifier_remove(&walk->notifier);
	return 0;
}

static void run_convert(struct race_walk *walk, const struct hmm_run *run)
{
	unsigned long first = (run->span.start - walk->arg.addr) >> PAGE_SHIFT, i;

	for (i = 0; i < hmm_span_pages(run->span); i++)
		walk->pfns[first + i] = run->flags |
			(run->flags & HMM_PFN_VALID ? run->pfn + i : 0);
}

/* The body of a section: the update lock is held and the sequence was checked. */
static void section_check(struct race_walk *walk, const struct hmm_section *pages)
{
	struct race_check check = {
		.mm = current->mm,
		.owner = walk->race->owner,
		.result = &walk->arg,
	};
	unsigned long end = 0;

	hmm_section_runs(run, pages) {
		if (!end)
			check.start = run.span.start;
		end = run.span.end;
		run_convert(walk, &run);
	}
	check.hmm_pfns = walk->pfns + ((check.start - walk->arg.addr) >> PAGE_SHIFT);
	check.npages = (end - check.start) >> PAGE_SHIFT;
	race_check_won(&check, 0);
	race_check_plausible(&check);
}

static enum hmm_access section_access(const struct race_walk *walk)
{
	switch (walk->arg.request) {
	case HMM_PROBE_RACE_READ:
		return HMM_ACCESS_READ;
	case HMM_PROBE_RACE_WRITE:
		return HMM_ACCESS_WRITE;
	default:
		return HMM_ACCESS_SNAPSHOT;
	}
}

static int section_once(struct race_walk *walk)
{
	const struct hmm_span span = { walk->range.start, walk->range.end };

	int ret;

	hmm_mirror_populate(pages, ret, &walk->race->mirror, span, section_access(walk))
		section_check(walk, &pages);
	return ret;
}

static int section_repeat(struct race_walk *walk)
{
	unsigned int i;
	int ret;

	for (i = 0; i < walk->arg.count && !walk->arg.failure; i++) {
		if (fatal_signal_pending(current))
			break;
		ret = section_once(walk);
		walk->arg.walks++;
		walk->arg.lost += ret == -EBUSY;
		if (ret && ret != -EBUSY) {
			walk->arg.errors++;
			walk->arg.error = ret;
		}
		cond_resched();
	}
	return 0;
}

static int walk_valid(const struct hmm_probe_race *arg)
{
	const u32 forms = HMM_PROBE_FORMAT | HMM_PROBE_EXTENTS;
	bool only_ours = (arg->how & forms) ||
			 arg->locking == HMM_PROBE_RACE_VMA ||
			 arg->locking == HMM_PROBE_RACE_SECTION;
	u64 end;

	if (arg->core > HMM_PROBE_REFERENCE || !probe_fault_of(arg->core))
		return -EOPNOTSUPP;
	if (arg->core == HMM_PROBE_REFERENCE && only_ours)
		return -EOPNOTSUPP;
	if (arg->locking > HMM_PROBE_RACE_SECTION ||
	    arg->request > HMM_PROBE_RACE_WRITE ||
	    (arg->how & ~(forms | HMM_PROBE_RACE_FILTER | HMM_PROBE_RACE_OWNER)) ||
	    (arg->how & forms) == forms)
		return -EINVAL;
	/* These two return hmm pfns only. */
	if ((arg->locking == HMM_PROBE_RACE_SECTION ||
	     arg->locking == HMM_PROBE_RACE_VMA) && (arg->how & forms))
		return -EINVAL;
	if (arg->locking == HMM_PROBE_RACE_UNLOCKED &&
	    !probe_fault_unlocked_of(arg->core))
		return -EOPNOTSUPP;
	if (!arg->npages || arg->npages > HMM_PROBE_MAX_PAGES ||
	    !PAGE_ALIGNED(arg->addr) ||
	    check_add_overflow(arg->addr, arg->npages << PAGE_SHIFT, &end) ||
	    end > TASK_SIZE)
		return -EINVAL;
	return 0;
}

static int walk_run(struct race_walk *walk)
{
	unsigned long npages = walk->arg.npages;
	int ret;

	walk->owner = walk->arg.how & HMM_PROBE_RACE_OWNER ? walk->race->owner : NULL;
	mutex_init(&walk->lock);
	walk->pfns = kvmalloc_array(2 * npages, sizeof(*walk->pfns), GFP_KERNEL);
	if (!walk->pfns)
		return -ENOMEM;
	walk->output = walk->pfns + npages;
	walk->range.notifier = &walk->notifier;
	walk->range.start = walk->arg.addr;
	walk->range.end = walk->arg.addr + (npages << PAGE_SHIFT);
	walk->range.hmm_pfns = walk->output;
	walk->range.default_flags = walk_request(walk);
	walk->range.dev_private_owner = walk->owner;
	ret = walk_output_init(walk);
	if (!ret && walk->arg.locking == HMM_PROBE_RACE_SECTION)
		ret = section_repeat(walk);
	else if (!ret)
		ret = walk_repeat(walk);
	kvfree(walk->extents.at);
	kvfree(walk->pfns);
	return ret;
}

static long race_walk(struct probe_race *race, struct hmm_probe_race __user *user)
{
	struct race_walk *walk __free(kfree) = kzalloc(sizeof(*walk), GFP_KERNEL);
	int ret;

	if (!walk)
		return -ENOMEM;
	if (copy_from_user(&walk->arg, user, sizeof(walk->arg)))
		return -EFAULT;
	ret = walk_valid(&walk->arg);
	if (ret)
		return ret;
	walk->race = race;
	ret = walk_run(walk);
	if (ret)
		return ret;
	return copy_to_user(user, &walk->arg, sizeof(walk->arg)) ? -EFAULT : 0;
}

/* Make one page exclusive as a driver without a mirror does. */
static int exclusive_page(struct probe_race *race, unsigned long addr)
{
	struct folio *folio;
	struct page *page;

	mmap_read_lock(current->mm);
	page = make_device_exclusive(current->mm, addr, race->owner, &folio);
	mmap_read_unlock(current->mm);
	if (IS_ERR(page))
		return PTR_ERR(page);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

static int exclusive_section(struct probe_race *race, unsigned long addr)
{
	const struct hmm_span span = { addr, addr + PAGE_SIZE };

	int ret;

	hmm_mirror_exclusive(pages, ret, &race->mirror, span)
		;
	return ret;
}

static long race_exclusive(struct probe_race *race, struct hmm_probe_span __user *user)
{
	struct hmm_probe_span span;
	unsigned long addr;
	int ret = 0;

	if (copy_from_user(&span, user, sizeof(span)))
		return -EFAULT;
	if (!PAGE_ALIGNED(span.start | span.end) || span.start >= span.end)
		return -EINVAL;
	span.pages = 0;
	for (addr = span.start; addr < span.end && !ret; addr += PAGE_SIZE) {
		ret = span.id ? exclusive_section(race, addr) : exclusive_page(race, addr);
		span.pages += !ret;
	}
	if (ret && !span.pages)
		return ret;
	return copy_to_user(user, &span, sizeof(span)) ? -EFAULT : 0;
}

/* The device maps no pages after a section, so there is nothing to unmap. */
static bool race_forget(struct hmm_mirror *mirror,
			const struct hmm_invalidation *inv)
{
	return true;
}

static const struct hmm_mirror_ops race_mirror_ops = {
	.invalidate = race_forget,
};

static int race_set_owner(struct probe_race *race, unsigned long pfn)
{
	race->owner = race;
	if (!pfn)
		return 0;
	if (!pfn_valid(pfn) || !is_device_private_page(pfn_to_page(pfn)))
		return -EINVAL;
	race->owner = page_pgmap(pfn_to_page(pfn))->owner;
	return 0;
}

static long race_begin(struct probe_file *file, struct hmm_probe_span __user *user)
{
	struct hmm_probe_span span;
	struct probe_race *race;
	int ret;

	if (copy_from_user(&span, user, sizeof(span)))
		return -EFAULT;
	guard(mutex)(&file->lock);
	if (file->race)
		return -EBUSY;
	race = kzalloc(sizeof(*race), GFP_KERNEL);
	if (!race)
		return -ENOMEM;
	ret = race_set_owner(race, span.pages) ?:
	      hmm_mirror_init(&race->mirror, current->mm, &race_mirror_ops,
			      race->owner);
	if (ret) {
		kfree(race);
		return ret;
	}
	ret = hmm_mirror_range_add(&race->mirror, &race->range,
				   (struct hmm_span){ span.start, span.end });
	if (ret) {
		hmm_mirror_exit(&race->mirror);
		kfree(race);
		return ret;
	}
	smp_store_release(&file->race, race);
	return 0;
}

long probe_race_ioctl(struct probe_file *file, unsigned int cmd, void __user *user)
{
	struct probe_race *race = smp_load_acquire(&file->race);

	if (cmd == HMM_PROBE_RACE_BEGIN)
		return race_begin(file, user);
	if (!race)
		return -ESRCH;
	if (race->mirror.mm != current->mm)
		return -EINVAL;
	return cmd == HMM_PROBE_RACE ? race_walk(race, user) :
				       race_exclusive(race, user);
}

void probe_race_close(struct probe_file *file)
{
	if (!file->race)
		return;
	hmm_mirror_exit(&file->race->mirror);
	kfree(file->race);
}
