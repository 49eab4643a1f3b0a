// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: pages on their way there and home.
 *
 * Everything that moves is a transfer: the migration engine says which pages
 * can, and for each of them a place is allocated and filled. If the place or
 * the filling fails the engine maps the page where it was.
 */
#include <linux/export.h>
#include <linux/hmm_migrate.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>

#include "devmem.h"
#include "pfn.h"

/* Whatever is large stays so where both ends can. */
#define WHOLE_FOLIOS	(MIGRATE_VMA_SELECT_COMPOUND | HMM_MIGRATE_ANY_ORDER)

/**
 * struct transfer - pages on their way
 * @to: the device memory that they move to; NULL on the way home
 * @args: the migration by address, or, with no VMA, only the arrays of one by
 *	pfn
 * @fail_once: the next place is not found
 * @wanted: in a CPU fault, the index of the page that the CPU waits for
 * @error: why that page did not get a place
 */
struct transfer {
	struct hmm_devmem *to;
	struct migrate_vma args;
	bool fail_once;
	unsigned long wanted;
	int error;
};

/*
 * Does policy allow a folio of this order for a word? Where nothing was mapped
 * it is a new allocation, as in a page fault. A large folio that there is may
 * stay as large as it is, as in any migration, unless the process has opted
 * out of huge pages at its address. By pfn no address is known.
 */
static bool order_allowed(const struct transfer *t, unsigned long i,
			  unsigned int order)
{
	struct vm_area_struct *vma = t->args.vma;

	if (!order || !vma)
		return true;
	if (!t->to)
		return !vma_thp_disabled(vma, vma->vm_flags, false);
	return t->args.src[i] & MIGRATE_PFN_VALID ||
	       thp_vma_allowable_order(vma, vma->vm_flags, TVA_PAGEFAULT,
				       order);
}

/* A huge page is worth a try only; small ones are what it falls back to. */
static struct folio *place_at_home(struct transfer *t, unsigned long i,
				   unsigned int order)
{
	unsigned long addr = t->args.start + (i << PAGE_SHIFT);
	gfp_t gfp = GFP_HIGHUSER_MOVABLE;
	struct folio *folio;

	if (order)
		gfp |= __GFP_NORETRY | __GFP_NOWARN;
	if (t->args.vma)
		folio = vma_alloc_folio(gfp, order, t->args.vma, addr);
	else
		folio = folio_alloc(gfp, order);
	if (folio)
		folio_lock(folio);
	return folio;
}

/* A locked page at the other end, for the word at an index. */
static struct folio *find_place(struct transfer *t, unsigned long i,
				unsigned int order)
{
	if (t->fail_once) {
		t->fail_once = false;
		return NULL;
	}
	if (!order_allowed(t, i, order))
		return NULL;
	if (t->to)
		return hmm_devmem_alloc(t->to, order);
	return place_at_home(t, i, order);
}

static int fill_place(struct transfer *t, struct page *place,
		      struct page *from, unsigned int order)
{
	struct hmm_devmem *devmem = t->to ?: hmm_devmem_of(from);

	if (from)
		return devmem->ops->copy(devmem, place, from, order);
	return devmem->ops->clear(devmem, place, order);
}

/* Allocates and fills a place for one word. @from is NULL for a hole. */
static int give_place(struct transfer *t, unsigned long i, struct page *from,
		      unsigned int order)
{
	struct folio *folio = find_place(t, i, order);
	int err;

	if (!folio)
		return -ENOMEM;
	err = fill_place(t, &folio->page, from, order);
	if (err) {
		folio_unlock(folio);
		folio_put(folio);
		return err;
	}

	t->args.dst[i] = migrate_pfn(folio_pfn(folio));
	if (order)
		t->args.dst[i] |= MIGRATE_PFN_COMPOUND;
	return 0;
}

/* How large a page the word at @i stands for. */
static unsigned int word_order(const struct transfer *t, unsigned long i)
{
	struct page *page = migrate_pfn_to_page(t->args.src[i]);

	if (!(t->args.src[i] & MIGRATE_PFN_COMPOUND))
		return 0;
	return page ? folio_order(page_folio(page)) : HPAGE_PMD_ORDER;
}

/* Record why the single page at @i got no place, if the CPU waits for it. */
static void record_error(struct transfer *t, unsigned long i, int err)
{
	if (err && t->args.fault_page && i == t->wanted)
		t->error = err;
}

/*
 * A place for the word at @i: in one piece if there is one, else in many.
 *
 * On the way home single pages are tried whatever the reason was: a folio must
 * not stay because one of its pages cannot be copied. On the way to the device
 * a folio of system memory is split only for want of large device memory. A
 * fatal signal ends what the process waits for, but not the emptying of device
 * memory, which has no process.
 */
static void give_places(struct transfer *t, unsigned long i)
{
	struct page *from = migrate_pfn_to_page(t->args.src[i]);
	unsigned int order = word_order(t, i);
	unsigned long nr = 1UL << order, j;
	int err = give_place(t, i, from, order);

	if (!order)
		record_error(t, i, err);
	if (!err || !order || (t->to && err != -ENOMEM))
		return;
	for (j = 0; j < nr && !(t->args.vma && fatal_signal_pending(current)); j++)
		record_error(t, i + j,
			     give_place(t, i + j, from ? from + j : NULL, 0));
}

/*
 * Is there something to be given a place? On the way home a hole is not; nor
 * is a page of somebody who shares the owner and brings his own home.
 */
static bool wants_place(const struct transfer *t, unsigned long word)
{
	if (!(word & MIGRATE_PFN_MIGRATE))
		return false;
	if (t->to)
		return true;
	return (word & MIGRATE_PFN_VALID) &&
	       devmem_is_ours(migrate_pfn_to_page(word));
}

/* The copy stage. The engine takes the words without a place as refused. */
static void fill_places(struct transfer *t)
{
	unsigned long i;

	for (i = 0; i < t->args.npages; i++)
		if (wants_place(t, t->args.src[i]))
			give_places(t, i);
}

/* After commit, what still has the mark has moved. */
static unsigned long count_moved(const struct transfer *t)
{
	unsigned long i, moved = 0;

	for (i = 0; i < t->args.npages; i++)
		if (t->args.src[i] & MIGRATE_PFN_MIGRATE)
			moved += 1UL << word_order(t, i);
	return moved;
}

/* After commit: has the page at @i moved, by itself or with its folio? */
static bool has_moved(const struct transfer *t, unsigned long i)
{
	unsigned long head = 0, next = 0;

	while (next <= i) {
		head = next;
		next += 1UL << word_order(t, head);
	}
	return t->args.src[head] & MIGRATE_PFN_MIGRATE;
}

/*
 * All stages of a transfer by address but the last; the range is in @t. Returns
 * how many pages have moved, or an error, upon which nothing has begun.
 */
static long transfer_begin(struct transfer *t)
{
	int err = migrate_vma_setup(&t->args);

	if (err)
		return err;
	if (!t->args.cpages)
		return 0;

	fill_places(t);
	migrate_vma_pages(&t->args);
	return count_moved(t);
}

static void transfer_end(struct transfer *t)
{
	if (t->args.cpages)
		migrate_vma_finalize(&t->args);
}

static long transfer_by_address(struct transfer *t)
{
	long moved = transfer_begin(t);

	if (moved >= 0)
		transfer_end(t);
	return moved;
}

static int alloc_words(struct transfer *t, unsigned long npages)
{
	t->args.src = kvmalloc_array(2 * npages, sizeof(*t->args.src),
				     GFP_KERNEL);
	t->args.dst = t->args.src + npages;
	return t->args.src ? 0 : -ENOMEM;
}

static void free_words(struct transfer *t)
{
	kvfree(t->args.src);
}

/* Pages of the system on their way to a device, absent ones brought first. */
static struct transfer transfer_to(struct hmm_devmem *devmem)
{
	return (struct transfer){
		.to = devmem,
		.args = {
			.pgmap_owner = devmem->owner,
			.flags = MIGRATE_VMA_SELECT_SYSTEM | HMM_MIGRATE_FAULT |
				 WHOLE_FOLIOS,
		},
	};
}

/* Has the driver add memory if what is free is less than one batch. */
static void make_room(struct hmm_devmem *devmem)
{
	if (!devmem->ops->grow)
		return;
	if (hmm_devmem_available(devmem) >= TRANSFER_PAGES << PAGE_SHIFT)
		return;

	guard(mutex)(&devmem->growing);
	if (hmm_devmem_available(devmem) < TRANSFER_PAGES << PAGE_SHIFT)
		devmem->ops->grow(devmem);
}

/* A batch is what lies in one VMA and under one PMD, from @start on. */
static int choose_batch(struct transfer *t, struct mm_struct *mm,
			unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = vma_lookup(mm, start);

	if (!vma || !(vma->vm_flags & VM_READ))
		return -EINVAL;
	t->args.vma = vma;
	t->args.start = start;
	t->args.end = min(pmd_addr_end(start, end), vma->vm_end);
	return 0;
}

/*
 * The mmap lock is taken for one batch at a time: it keeps the process
 * waiting, and no chunk can be added under it. Returns how many pages have
 * moved, or why none has.
 */
static long transfer_span(struct transfer *t, struct mm_struct *mm,
			  struct hmm_span span)
{
	long moved = 0, one = 0;

	for (; span.start < span.end; span.start = t->args.end) {
		if (t->to)
			make_room(t->to);
		/* The lock looks at signals only if it has to be waited for. */
		one = -EINTR;
		if (fatal_signal_pending(current) || mmap_read_lock_killable(mm))
			break;
		one = choose_batch(t, mm, span.start, span.end) ?:
		      transfer_by_address(t);
		mmap_read_unlock(mm);
		if (one < 0)
			break;
		moved += one;
		cond_resched();
	}
	return moved ?: min(one, 0);
}

static long transfer_of_process(struct transfer *t, struct mm_struct *mm,
				struct hmm_span span, unsigned int flags)
{
	long ret = -ENOMEM;

	if (span.start >= span.end || !PAGE_ALIGNED(span.start | span.end) ||
	    flags & ~HMM_DEVMEM_FAIL_ONCE)
		return -EINVAL;
	t->fail_once = flags & HMM_DEVMEM_FAIL_ONCE;
	t->args.flags |= WHOLE_FOLIOS;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	if (!alloc_words(t, TRANSFER_PAGES)) {
		ret = transfer_span(t, mm, span);
		free_words(t);
	}
	mmput(mm);
	return ret;
}

/**
 * hmm_devmem_migrate() - move pages of a process to device memory
 * @devmem: the device memory
 * @mm: the process
 * @span: what to move
 * @flags: HMM_DEVMEM_FAIL_ONCE, or 0
 *
 * Addresses in @span that nothing is mapped at get cleared device memory, in huge
 * pages where a page fault would have got one. Pages that are swapped out are
 * faulted in first. Pages that are busy, in another device's
 * memory, or for which there is no room, stay where they are; that is no error.
 * Large folios stay whole where a block is free.
 *
 * Secondary MMUs are told as in migrate_vma_setup(), with &hmm_devmem.owner.
 *
 * Context: Process context; may sleep. Takes the mmap lock.
 *
 * Return: the number of pages moved; -EINVAL where @span is misaligned, empty
 * or not all mapped, or the process may not read it, or its pages are of a
 * kind that cannot move; -ESRCH if the process is gone; -EINTR if the caller was
 * killed; -ENOMEM. As with read(), an error that comes after some pages have
 * moved is not reported, but their number; the next call reports it.
 */
long hmm_devmem_migrate(struct hmm_devmem *devmem, struct mm_struct *mm,
			struct hmm_span span, unsigned int flags)
{
	struct transfer t = transfer_to(devmem);

	return transfer_of_process(&t, mm, span, flags);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migrate);

static unsigned long select_kind(const struct hmm_devmem *devmem)
{
	if (devmem->type == MEMORY_DEVICE_COHERENT)
		return MIGRATE_VMA_SELECT_DEVICE_COHERENT;
	return MIGRATE_VMA_SELECT_DEVICE_PRIVATE;
}

/**
 * hmm_devmem_migrate_home() - move pages of a process to system memory
 * @devmem: the device memory; that of others with the same
 *	&hmm_devmem.owner is taken for it
 * @mm: the process
 * @span: what to move
 * @flags: HMM_DEVMEM_FAIL_ONCE, or 0
 *
 * Pages that are busy, or for which there is no room, stay where they are;
 * that is no error.
 *
 * Context: Process context; may sleep. Takes the mmap lock.
 *
 * Return: as hmm_devmem_migrate().
 */
long hmm_devmem_migrate_home(struct hmm_devmem *devmem, struct mm_struct *mm,
			     struct hmm_span span, unsigned int flags)
{
	struct transfer t = {
		.args = {
			.pgmap_owner = devmem->owner,
			.flags = select_kind(devmem),
		},
	};

	return transfer_of_process(&t, mm, span, flags);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migrate_home);

/**
 * struct devmem_move - pages of a mirror on their way to a device
 * @transfer: how they get there
 * @mm: whose they are; its mmap lock is held while @held
 * @held: they have moved, and are locked
 * @pfns: room for the words that tell where they are
 */
struct devmem_move {
	struct transfer transfer;
	struct mm_struct *mm;
	bool held;
	unsigned long pfns[];
};

/**
 * devmem_move_alloc() - prepare to move pages of a mirror
 * @to: the device memory
 * @write: whether the device is going to write to them
 *
 * Return: for devmem_move_begin(); NULL if there is no memory.
 */
struct devmem_move *devmem_move_alloc(struct hmm_devmem *to, bool write)
{
	struct devmem_move *move =
		kvzalloc(struct_size(move, pfns, TRANSFER_PAGES), GFP_KERNEL);

	if (!move)
		return NULL;
	move->transfer = transfer_to(to);
	if (alloc_words(&move->transfer, TRANSFER_PAGES)) {
		kvfree(move);
		return NULL;
	}
	if (write)
		move->transfer.args.flags |= HMM_MIGRATE_FAULT_WRITE;
	return move;
}

void devmem_move_free(struct devmem_move *move)
{
	if (!move)
		return;
	free_words(&move->transfer);
	kvfree(move);
}

/* Room for the words of TRANSFER_PAGES pages. */
unsigned long *devmem_move_pfns(struct devmem_move *move)
{
	return move->pfns;
}

/* May the device write to the page that the word at @i has moved to? */
static bool moved_writable(const struct transfer *t, unsigned long i)
{
	if (t->args.src[i] & MIGRATE_PFN_VALID)
		return t->args.src[i] & MIGRATE_PFN_WRITE;
	return t->args.vma->vm_flags & VM_WRITE;
}

/* The HMM_PFN_* words of the pages that the word at @i has moved to. */
static unsigned long report_moved(const struct transfer *t, unsigned long i,
				  unsigned long *pfns)
{
	struct page *page = migrate_pfn_to_page(t->args.dst[i]);
	unsigned long word = page_to_pfn(page) |
			     hmm_pfn_access(moved_writable(t, i));
	unsigned int order = folio_order(page_folio(page));
	unsigned long j;

	/* mremap() may have torn address and folio apart. */
	if (IS_ALIGNED(t->args.start + (i << PAGE_SHIFT), PAGE_SIZE << order))
		word |= hmm_pfn_order(order);
	for (j = 0; j < 1UL << order; j++)
		pfns[i + j] = word + j;
	return j;
}

/*
 * Has all of the batch moved, in a way that its words follow from the transfer?
 * Then they are written. Userfaultfd's bits are in the page table only.
 */
static bool report_all_moved(const struct transfer *t, unsigned long *pfns)
{
	unsigned long i;

	if (userfaultfd_armed(t->args.vma))
		return false;
	for (i = 0; i < t->args.npages; )
		i += report_moved(t, i, pfns);
	for (i = 0; i < t->args.npages; i++)
		if ((t->args.flags & HMM_MIGRATE_FAULT_WRITE) &&
		    !(pfns[i] & HMM_PFN_WRITE))
			return false;
	return true;
}

/*
 * Setup can end before the end that was chosen, even at the start: the batch has
 * the pages up to args.end as it is now.
 */
static bool move_batch(struct transfer *t, unsigned long *pfns)
{
	long moved = transfer_begin(t);

	if (moved > 0 && moved == (t->args.end - t->args.start) >> PAGE_SHIFT &&
	    report_all_moved(t, pfns))
		return true;
	if (moved >= 0)
		transfer_end(t);
	return false;
}

/**
 * devmem_move_begin() - move pages of a mirror to a device, and keep hold of them
 * @move: from devmem_move_alloc()
 * @mm: whose pages
 * @span: which, no more than TRANSFER_PAGES of them. On a return of 1 those of
 *	them that @pfns reports; otherwise those that lie in one VMA and under one
 *	PMD
 * @pfns: room for a HMM_PFN_* word for each
 *
 * When all of the pages have moved they are locked until devmem_move_end(), and
 * the CPU that touches one waits until then, so that nothing but zapping can
 * take them from the device. If some page stays where it is none is held, and
 * those that moved are mapped.
 *
 * Context: Process context; may sleep. No mmap lock is held, but on a return of
 * 1 it is, for reading.
 *
 * Return: 1 if they are held, and @pfns tells where they are; 0 if not; -EINTR.
 */
int devmem_move_begin(struct devmem_move *move, struct mm_struct *mm,
		      struct hmm_span *span, unsigned long *pfns)
{
	struct transfer *t = &move->transfer;

	make_room(t->to);
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	move->mm = mm;
	if (!choose_batch(t, mm, span->start, span->end)) {
		span->end = t->args.end;
		move->held = move_batch(t, pfns);
		if (move->held)
			span->end = t->args.end;
	}
	if (!move->held)
		mmap_read_unlock(mm);
	return move->held;
}

/**
 * devmem_move_end() - let go of pages that have moved
 * @move: from devmem_move_alloc(); nothing happens if it holds nothing
 */
void devmem_move_end(struct devmem_move *move)
{
	if (!move || !move->held)
		return;
	transfer_end(&move->transfer);
	mmap_read_unlock(move->mm);
	move->held = false;
}

/**
 * struct hmm_devmem_migration - pages that a driver moves step by step
 * @transfer: how they move
 * @mm: whose they are; kept alive, and its mmap lock is held for reading
 * @stage: what was done last
 * @moved: how many have moved
 */
struct hmm_devmem_migration {
	struct transfer transfer;
	struct mm_struct *mm;
	enum { MIGRATION_COLLECTED, MIGRATION_COPIED, MIGRATION_COMMITTED } stage;
	unsigned long moved;
};

/* With its words and a user of the address space, and no lock. */
static struct hmm_devmem_migration *migration_alloc(struct hmm_devmem *to,
						    struct mm_struct *mm)
{
	struct hmm_devmem_migration *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return ERR_PTR(-ENOMEM);
	m->transfer = transfer_to(to);
	if (alloc_words(&m->transfer, TRANSFER_PAGES)) {
		kfree(m);
		return ERR_PTR(-ENOMEM);
	}
	if (!mmget_not_zero(mm)) {
		free_words(&m->transfer);
		kfree(m);
		return ERR_PTR(-ESRCH);
	}
	m->mm = mm;
	return m;
}

static void migration_free(struct hmm_devmem_migration *m)
{
	free_words(&m->transfer);
	mmput(m->mm);
	kfree(m);
}

/**
 * hmm_devmem_collect() - take pages that are to move to device memory
 * @devmem: the device memory
 * @mm: the process
 * @span: which of its pages; those of them are taken that lie in one VMA and
 *	under one PMD, as hmm_devmem_migration_span() tells
 * @flags: HMM_DEVMEM_FAIL_ONCE, or 0
 *
 * A CPU that touches one of them waits until the migration ends. Pages that
 * cannot move just then are not taken; that is no error.
 *
 * Context: Process context; may sleep. Takes the mmap lock, and on success holds
 * it for reading until hmm_devmem_migration_end(), by the same thread.
 *
 * Return: the migration, or an ERR_PTR(): -EINVAL where @span is misaligned or
 * empty, or its first page is not mapped or of a kind that cannot move; -ESRCH
 * if the process is gone; -EINTR; -ENOMEM.
 */
struct hmm_devmem_migration *
hmm_devmem_collect(struct hmm_devmem *devmem, struct mm_struct *mm,
		   struct hmm_span span, unsigned int flags)
{
	struct hmm_devmem_migration *m;
	int err;

	if (span.start >= span.end || !PAGE_ALIGNED(span.start | span.end) ||
	    flags & ~HMM_DEVMEM_FAIL_ONCE)
		return ERR_PTR(-EINVAL);
	m = migration_alloc(devmem, mm);
	if (IS_ERR(m))
		return m;

	m->transfer.fail_once = flags & HMM_DEVMEM_FAIL_ONCE;
	make_room(devmem);
	err = mmap_read_lock_killable(mm);
	if (!err) {
		err = choose_batch(&m->transfer, mm, span.start, span.end) ?:
		      migrate_vma_setup(&m->transfer.args);
		if (!err)
			return m;
		mmap_read_unlock(mm);
	}
	migration_free(m);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(hmm_devmem_collect);

/* A driver that skips a step, or takes one twice, gets a splat and no harm. */
static bool migration_step(struct hmm_devmem_migration *m, int from)
{
	if (WARN_ON_ONCE(m->stage != from))
		return false;
	m->stage = from + 1;
	return m->transfer.args.cpages;
}

/**
 * hmm_devmem_migration_copy() - have the pages copied
 * @migration: pages that were collected
 *
 * To places that are found for them, by &hmm_devmem_ops.copy. A page for which
 * there is no place, or whose copy fails, will stay.
 *
 * Context: Process context; may sleep.
 */
void hmm_devmem_migration_copy(struct hmm_devmem_migration *migration)
{
	if (migration_step(migration, MIGRATION_COLLECTED))
		fill_places(&migration->transfer);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_copy);

/**
 * hmm_devmem_migration_commit() - let the copies take over
 * @migration: pages that were copied
 *
 * They cannot be touched yet, and the driver may map them for its device: they
 * are locked until the migration ends.
 *
 * Context: Process context; may sleep.
 */
void hmm_devmem_migration_commit(struct hmm_devmem_migration *migration)
{
	struct transfer *t = &migration->transfer;

	if (!migration_step(migration, MIGRATION_COPIED))
		return;
	migrate_vma_pages(&t->args);
	migration->moved = count_moved(t);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_commit);

/**
 * hmm_devmem_migration_moved() - how many pages have moved
 * @migration: pages that were committed
 */
unsigned long
hmm_devmem_migration_moved(const struct hmm_devmem_migration *migration)
{
	return migration->moved;
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_moved);

/**
 * hmm_devmem_migration_span() - what a migration is about
 * @migration: a migration in any stage
 *
 * Return: the addresses that were dealt with, of those that were asked for the
 * first. What follows is for another migration.
 */
struct hmm_span
hmm_devmem_migration_span(const struct hmm_devmem_migration *migration)
{
	const struct migrate_vma *args = &migration->transfer.args;

	return (struct hmm_span){ .start = args->start, .end = args->end };
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_span);

/**
 * hmm_devmem_migration_end() - end a migration, however far it has come
 * @migration: the migration, or NULL
 *
 * What has not been committed is where it was, as if nothing had happened.
 *
 * Context: Process context; may sleep. The thread that collected.
 */
void hmm_devmem_migration_end(struct hmm_devmem_migration *migration)
{
	if (!migration)
		return;
	transfer_end(&migration->transfer);
	mmap_read_unlock(migration->mm);
	migration_free(migration);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_end);

/*
 * The range that comes back with a fault: aligned, within the VMA, and large
 * enough for all of the folio that the page is in.
 */
static void fault_range(struct vm_fault *vmf, struct migrate_vma *args,
			unsigned long pages)
{
	unsigned long size = max(pages << PAGE_SHIFT,
				 folio_size(page_folio(vmf->page)));

	args->start = max(ALIGN_DOWN(vmf->address, size), vmf->vma->vm_start);
	args->end = min(ALIGN_DOWN(vmf->address, size) + size, vmf->vma->vm_end);
}

/* The page at the faulting address; @vmf has the head of a huge entry. */
static struct page *faulting_page(const struct vm_fault *vmf)
{
	if (vmf->pte)
		return vmf->page;
	return vmf->page + ((vmf->address & ~HPAGE_PMD_MASK) >> PAGE_SHIFT);
}

/*
 * What becomes of a fault whose page stays in device memory. Either it fails,
 * for a reason that a second try does not change, or somebody has a reference
 * to the page, or its entry is being changed, and the CPU tries again. Such a
 * holder has no lock to wait for, so wait for a tick. Kernel code that touches
 * user memory looks at signals only when a fault fails.
 */
static vm_fault_t fault_stays(const struct page *page, int err)
{
	if (PageHWPoison(page))
		return VM_FAULT_HWPOISON;
	if (err == -ENOMEM)
		return VM_FAULT_OOM;
	if (err || fatal_signal_pending(current))
		return VM_FAULT_SIGBUS;
	schedule_timeout_killable(1);
	return 0;
}

/**
 * devmem_fault() - the CPU touched private memory
 * @vmf: the fault; its page is locked and referenced
 *
 * Return: 0 if the page is in system memory, or was busy and the CPU is to try
 * again; VM_FAULT_OOM, VM_FAULT_HWPOISON or VM_FAULT_SIGBUS if it cannot be
 * brought.
 */
vm_fault_t devmem_fault(struct vm_fault *vmf)
{
	struct page *page = faulting_page(vmf);
	struct hmm_devmem *devmem = hmm_devmem_of(vmf->page);
	struct transfer t = {
		.args = {
			.vma = vmf->vma,
			.pgmap_owner = devmem->owner,
			.fault_page = vmf->page,
			.flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE |
				 WHOLE_FOLIOS,
		},
	};
	bool came = false;
	long err;

	fault_range(vmf, &t.args, devmem->fault_pages);
	t.wanted = (vmf->address - t.args.start) >> PAGE_SHIFT;
	if (alloc_words(&t, (t.args.end - t.args.start) >> PAGE_SHIFT))
		return VM_FAULT_OOM;
	err = transfer_begin(&t);
	if (err >= 0) {
		came = has_moved(&t, t.wanted);
		transfer_end(&t);
		err = t.error;
	}
	free_words(&t);

	return came ? 0 : fault_stays(page, err);
}

/* Brings home what is in use of the part of a chunk that begins at @at. */
static void bring_part_home(struct transfer *t, struct hmm_devmem_chunk *chunk,
			    unsigned long at)
{
	unsigned long nr = devmem_used_pfns(chunk, at, t->args.src);

	t->args.npages = nr;
	memset(t->args.dst, 0, nr * sizeof(*t->args.dst));
	if (!nr || migrate_device_pfns(t->args.src, nr))
		return;
	fill_places(t);
	migrate_device_pages(t->args.src, t->args.dst, nr);
	migrate_device_finalize(t->args.src, t->args.dst, nr);
}

/**
 * devmem_bring_home() - move what lives in a chunk to system memory
 * @chunk: a chunk of which nothing is handed out meanwhile
 *
 * One pass. What is pinned, or busy, stays.
 */
void devmem_bring_home(struct hmm_devmem_chunk *chunk)
{
	struct transfer t = {};
	unsigned long at;

	if (alloc_words(&t, TRANSFER_PAGES))
		return;
	for (at = 0; at < chunk->pages; at += TRANSFER_PAGES) {
		bring_part_home(&t, chunk, at);
		cond_resched();
	}
	free_words(&t);
}
