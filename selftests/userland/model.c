// SPDX-License-Identifier: GPL-2.0
/*
 * The model of the kernel around the walker. It checks the walker's side: locks
 * are held and released, faults and waits happen with no table mapped, pfns whose
 * struct page is looked up have one, references to pagemaps are dropped.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

struct page model_ram[MODEL_NR_RAM], model_device[MODEL_NR_DEVICE];
const struct mem_section model_section[3] = {
	{ .online = true }, { .device = true }, { .online = true, .device = true },
};
struct dev_pagemap model_own = { .type = MEMORY_DEVICE_PRIVATE };
struct dev_pagemap model_own_too = { .type = MEMORY_DEVICE_PRIVATE };
struct dev_pagemap model_other = { .type = MEMORY_DEVICE_PRIVATE };
struct dev_pagemap model_coherent = { .type = MEMORY_DEVICE_COHERENT };
static int owner_cookie, other_cookie;
void *const model_owner = &owner_cookie;
void (*model_visit)(enum model_visit visit);
__thread bool model_killed;
__thread unsigned int model_faults;
__thread bool model_no_memory;
struct list_head hmm_devmem_stepping = { &hmm_devmem_stepping, &hmm_devmem_stepping };

/* What this thread holds. */
static __thread struct {
	int tables;
	int rcu;
	int mmap;
	int vma;
	int allocated;
	int pgmaps;
	unsigned long fault_pmd;	/* of the faults since the sequence was checked */
} held;

const char *model_rule;

void model_broken(const char *rule)
{
	const char *none = NULL;

	__atomic_compare_exchange_n(&model_rule, &none, rule, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void must(bool kept, const char *rule)
{
	if (!kept)
		model_broken(rule);
}

void model_clear(void)
{
	model_rule = NULL;
	model_killed = false;
	model_faults = 0;
	memset(&held, 0, sizeof(held));
}

void model_check_released(void)
{
	must(!held.tables, "a table is still mapped");
	must(!held.rcu, "RCU is still held");
	must(!held.vma, "a VMA is still locked");
	must(!held.mmap, "the mmap lock is still held");
	must(!held.pgmaps, "a pagemap is still referenced");
	must(!held.allocated, "memory is still allocated");
}

/* A page that can be accessed, so that the test can go on and report the rule. */
struct page *model_no_page(unsigned long pfn)
{
	static struct page nothing[PTRS_PER_PTE];

	model_broken("a struct page was looked up for a pfn outside the memmap");
	return nothing;
}

struct dev_pagemap *page_pgmap(const struct page *page)
{
	static struct dev_pagemap nothing;

	must(held.rcu || held.tables,
	     "a pagemap was followed outside RCU");
	must(page >= model_device && page < model_device + MODEL_NR_DEVICE &&
	     page->pgmap, "the pagemap of a page that has none was followed");
	return READ_ONCE(page->pgmap) ?: &nothing;
}

/* By pfn, as long as it is referenced. Needs no struct page. */
struct dev_pagemap *get_dev_pagemap(unsigned long pfn)
{
	struct dev_pagemap *pgmap;

	if (pfn - MODEL_DEVICE_PFN >= MODEL_NR_DEVICE)
		return NULL;
	pgmap = model_device[pfn - MODEL_DEVICE_PFN].pgmap;
	held.pgmaps += !!pgmap;
	return pgmap;
}

void put_dev_pagemap(struct dev_pagemap *pgmap)
{
	must(held.pgmaps-- > 0, "a pagemap was put twice");
}

bool model_reaches_peers(const struct dev_pagemap *pgmap)
{
	return pgmap == &model_own_too || pgmap == &model_other;
}

bool hmm_devmem_reaches_peers(const struct dev_pagemap *pgmap)
{
	must(held.rcu || held.tables, "the driver of a pagemap was looked up outside RCU");
	return model_reaches_peers(pgmap);
}

void model_step(bool stepping)
{
	static struct list_head migration;

	hmm_devmem_stepping.next = stepping ? &migration : &hmm_devmem_stepping;
}

bool hmm_devmem_current_steps(void)
{
	return true;
}

int check_stable_address_space(struct mm_struct *mm)
{
	return mm->unstable ? VM_FAULT_SIGBUS : 0;
}

/* Up to where pages were part of folios: no more need be cleared. */
static unsigned long used_ram, used_device;

void model_reset_pages(void)
{
	unsigned long i;

	memset(model_ram, 0, used_ram * sizeof(model_ram[0]));
	for (i = 0; i < used_device; i++) {
		model_device[i].compound_head = 0;
		model_device[i].order = 0;
	}
	used_ram = 0;
	used_device = 0;
	model_own.owner = model_owner;
	model_own_too.owner = model_owner;
	model_other.owner = &other_cookie;
}

/* Make 2^@order pages a folio. */
void model_folio(unsigned long pfn, unsigned int order)
{
	struct page *head = pfn_to_page(pfn);
	unsigned long i, end = pfn + (1UL << order);

	if (pfn < MODEL_DEVICE_PFN)
		used_ram = max(used_ram, end - MODEL_RAM_PFN);
	else
		used_device = max(used_device, end - MODEL_DEVICE_PFN);
	WRITE_ONCE(head->order, order);
	for (i = 1; i < 1UL << order; i++)
		WRITE_ONCE(head[i].compound_head, (unsigned long)head + 1);
}

void model_device_chunk(unsigned long pfn, unsigned long nr,
			struct dev_pagemap *pgmap)
{
	if (pgmap) {
		pgmap->nr_range = 1;
		pgmap->range.start = pfn << PAGE_SHIFT;
		pgmap->range.end = ((pfn + nr) << PAGE_SHIFT) - 1;
	}
	while (nr--)
		pfn_to_page(pfn++)->pgmap = pgmap;
}

void model_copy(struct mm_struct *to, const struct mm_struct *from)
{
	unsigned int i;

	memcpy(to, from, offsetof(struct mm_struct, pte));
	memcpy(to->pte, from->pte, from->nr_pmd * sizeof(from->pte[0]));
	memcpy(to->answer, from->answer, from->nr_pmd * PTRS_PER_PTE);
	for (i = 0; i < to->nr_vma; i++)
		to->vma[i].vm_mm = to;
}

void model_init(struct mm_struct *mm, unsigned int nr_pmd)
{
	memset(mm, 0, offsetof(struct mm_struct, pte));
	memset(mm->pte, 0, nr_pmd * sizeof(mm->pte[0]));
	memset(mm->answer, 0, nr_pmd * PTRS_PER_PTE);
	mm->nr_pmd = nr_pmd;
}

/* One writable VMA, with a table of absent pages for each of its PMDs. */
void model_init_tables(struct mm_struct *mm, unsigned int nr_pmd)
{
	unsigned int i;

	model_init(mm, nr_pmd);
	mm->nr_vma = 1;
	mm->vma[0] = (struct vm_area_struct){
		.vm_start = MODEL_BASE,
		.vm_end = MODEL_BASE + nr_pmd * PMD_SIZE,
		.vm_flags = VM_READ | VM_WRITE,
		.vm_mm = mm,
	};
	for (i = 0; i < nr_pmd; i++)
		mm->pmd[i] = model_table_pmd();
}

/* Locks. */
void rcu_read_lock(void)
{
	held.rcu++;
}

void rcu_read_unlock(void)
{
	must(held.rcu-- > 0, "RCU was left without being entered");
}

void model_lock_mmap(void)
{
	held.mmap++;
	held.fault_pmd = 0;
}

void model_unlock_mmap(void)
{
	must(held.mmap-- > 0, "the mmap lock was dropped twice");
}

void mmap_assert_locked(const struct mm_struct *mm)
{
	must(held.mmap, "the mmap lock is not held");
}

int mmap_read_lock_killable(struct mm_struct *mm)
{
	must(!held.mmap && !held.vma, "the mmap lock was taken inside a lock");
	held.mmap++;
	return 0;
}

void mmap_read_unlock(struct mm_struct *mm)
{
	model_unlock_mmap();
}

struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = vma_lookup(mm, addr);

	must(!held.vma, "two VMAs are locked");
	held.vma += !!vma;
	return vma;
}

void vma_end_read(struct vm_area_struct *vma)
{
	must(held.vma-- > 0, "a VMA was unlocked twice");
}

unsigned long mmu_interval_read_begin(struct mmu_interval_notifier *notifier)
{
	must(!held.mmap && !held.vma, "the begin of a read of the sequence waits inside a lock");
	return READ_ONCE(notifier->seq);
}

int mmu_interval_read_begin_killable(struct mmu_interval_notifier *notifier,
				     unsigned long *seq)
{
	*seq = mmu_interval_read_begin(notifier);
	return 0;
}

bool mmu_interval_check_retry(struct mmu_interval_notifier *notifier,
			      unsigned long seq)
{
	held.fault_pmd = 0;
	return READ_ONCE(notifier->seq) != seq;
}

void *kvmalloc_array(size_t nr, size_t size, gfp_t gfp)
{
	void *p = model_no_memory ? NULL : malloc(nr * size);

	held.allocated += !!p;
	return p;
}

void kvfree(void *p)
{
	held.allocated -= !!p;
	free(p);
}

/* Time goes on when it is looked at, so that loops bounded in time end soon. */
static __thread unsigned long now;

unsigned long model_jiffies(void)
{
	return now++;
}

static void model_maybe_kill(struct mm_struct *mm)
{
	if (mm->kill_at && !--mm->kill_at)
		model_killed = true;
}

/* A wait with the lock of the VMA or of the address space held. */
static void model_wait(struct mm_struct *mm)
{
	must(held.mmap || held.vma, "a wait for a page without a lock");
	must(!held.tables && !held.rcu, "a wait for a page with a table mapped");
	now += mm->wait;
	model_maybe_kill(mm);
	if (mm->on_wait)
		mm->on_wait(mm);
}

/* VMAs. */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	unsigned int i;

	for (i = 0; i < mm->nr_vma; i++)
		if (addr < mm->vma[i].vm_end)
			return &mm->vma[i];
	return NULL;
}

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	return vma && addr >= vma->vm_start ? vma : NULL;
}

/* Tables. */
static pmd_t load_pmd(struct mm_struct *mm, unsigned long addr)
{
	return __pmd(__atomic_load_n(&mm->pmd[model_pmd_index(addr)].pmd,
				     __ATOMIC_RELAXED));
}

static void store_pmd(struct mm_struct *mm, unsigned long addr, pmdval_t val)
{
	__atomic_store_n(&mm->pmd[model_pmd_index(addr)].pmd, val, __ATOMIC_RELAXED);
}

static pteval_t load_pte(struct mm_struct *mm, unsigned long addr)
{
	return __atomic_load_n(&model_ptep(mm, addr)->pte, __ATOMIC_RELAXED);
}

static void store_pte(struct mm_struct *mm, unsigned long addr, pteval_t val)
{
	__atomic_store_n(&model_ptep(mm, addr)->pte, val, __ATOMIC_RELAXED);
}

static bool is_table(pmd_t pmd)
{
	return pmd_present(pmd) && !pmd_trans_huge(pmd) && !pmd_bad(pmd);
}

pte_t *pte_offset_map(pmd_t *pmdp, unsigned long addr)
{
	struct mm_struct *mm =
		container_of(pmdp - model_pmd_index(addr), struct mm_struct, pmd[0]);

	if (!is_table(load_pmd(mm, addr)))
		return NULL;
	/* Collapsed to a huge page, and split again at once. */
	if (mm->vanishing) {
		mm->vanishing--;
		model_maybe_kill(mm);
		return NULL;
	}
	held.tables++;
	if (model_visit)
		model_visit(VISIT_TABLE);
	return model_ptep(mm, addr);
}

void pte_unmap(pte_t *ptep)
{
	must(held.tables-- > 0, "a table was unmapped twice");
}

pmd_t *mm_find_pmd(struct mm_struct *mm, unsigned long addr)
{
	pmd_t *pmdp = &mm->pmd[model_pmd_index(addr)];

	if (!mm->upper_levels && pmd_none(load_pmd(mm, addr)))
		return NULL;
	if (model_visit)
		model_visit(VISIT_PMD);
	return pmdp;
}

/* The end of the PMD of an address, or of a hole in the level above. */
static unsigned long next_pmd(struct mm_struct *mm, unsigned long addr,
			      unsigned long end)
{
	unsigned long next = addr;

	do {
		next = (next & PMD_MASK) + PMD_SIZE;
	} while (!mm->upper_levels && next < end &&
		 pmd_none(load_pmd(mm, addr)) && pmd_none(load_pmd(mm, next)));
	return min(next, end);
}

static int walk_vma(struct mm_walk *walk, unsigned long addr, unsigned long end)
{
	unsigned long next;
	int ret = 0;

	for (; addr < end && !ret; addr = next) {
		next = next_pmd(walk->mm, addr, end);
		if (pmd_none(load_pmd(walk->mm, addr))) {
			ret = walk->ops->pte_hole(addr, next, 3, walk);
			continue;
		}
		do {
			walk->action = ACTION_SUBTREE;
			if (model_visit)
				model_visit(VISIT_PMD);
			ret = walk->ops->pmd_entry(&walk->mm->pmd[model_pmd_index(addr)],
						   addr, next, walk);
		} while (!ret && walk->action == ACTION_AGAIN);
	}
	return ret;
}

int walk_page_range_vma(struct vm_area_struct *vma, unsigned long start,
			unsigned long end, const struct mm_walk_ops *ops,
			void *private)
{
	struct mm_walk walk = { .private = private, .vma = vma, .ops = ops };

	walk.mm = vma->vm_mm;
	must(held.mmap || held.vma, "a walk without a lock");
	return walk_vma(&walk, start, end);
}

int walk_page_range(struct mm_struct *mm, unsigned long start, unsigned long end,
		    const struct mm_walk_ops *ops, void *private)
{
	struct mm_walk walk = { .ops = ops, .mm = mm, .private = private };
	unsigned long next;
	int ret = 0;

	must(held.mmap, "a walk without the mmap lock");
	if (start >= end)
		return -EINVAL;
	for (; start < end && !ret; start = next) {
		struct vm_area_struct *vma = find_vma(mm, start);

		walk.vma = vma && start >= vma->vm_start ? vma : NULL;
		if (!walk.vma) {
			next = vma ? min(end, vma->vm_start) : end;
			ret = ops->pte_hole(start, next, -1, &walk);
			continue;
		}
		next = min(end, vma->vm_end);
		ret = ops->test_walk ? ops->test_walk(start, next, &walk) : 0;
		if (ret > 0)
			ret = 0;
		else if (!ret)
			ret = walk_vma(&walk, start, next);
	}
	return ret;
}

/* The entry that maps an address, whose PMD is @pmd. */
static softleaf_t load_entry(struct mm_struct *mm, pmd_t pmd, unsigned long addr)
{
	return is_table(pmd) ? softleaf_from_pte(__pte(load_pte(mm, addr))) :
			       softleaf_from_pmd(pmd);
}

/* If the page is migrating, that ends with the page mapped again. */
void model_end_migration(struct mm_struct *mm, unsigned long addr)
{
	pmd_t pmd = load_pmd(mm, addr);
	softleaf_t entry = load_entry(mm, pmd, addr);
	unsigned long val = softleaf_to_pfn(entry) << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_USER;

	if (!softleaf_is_migration(entry))
		return;
	if (model_leaf(entry) == LEAF_MIGRATION_WRITE)
		val |= _PAGE_RW;
	if (is_table(pmd))
		store_pte(mm, addr, val);
	else
		store_pmd(mm, addr, val | _PAGE_PSE);
}

void migration_entry_wait_killable(struct mm_struct *mm, pmd_t *pmdp, unsigned long addr)
{
	model_wait(mm);
	model_end_migration(mm, addr);
}

void pmd_migration_entry_wait_killable(struct mm_struct *mm, pmd_t *pmdp)
{
	model_wait(mm);
	model_end_migration(mm, MODEL_BASE + (pmdp - mm->pmd) * PMD_SIZE);
}

bool fault_wait_killable(struct vm_area_struct *vma, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	softleaf_t entry = load_entry(mm, load_pmd(mm, addr), addr);

	if (softleaf_is_device_private(entry) && mm->locked) {
		mm->locked--;
		model_wait(mm);
		return true;
	}
	if (!softleaf_is_migration(entry))
		return false;
	model_wait(mm);
	model_end_migration(mm, addr);
	return true;
}

/* Faults. */
static unsigned long fault_val(unsigned long addr, bool write)
{
	return (MODEL_FAULT_PFN + model_page_index(addr)) << PAGE_SHIFT |
	       _PAGE_PRESENT | _PAGE_USER | (write ? _PAGE_RW | _PAGE_DIRTY : 0);
}

/* The value of a present entry after a fault. */
static unsigned long fault_present(unsigned long val, unsigned long addr, bool write)
{
	if (!(val & _PAGE_PRESENT))
		val = (val & ~(PTE_PFN_MASK | _PAGE_PROTNONE | _PAGE_DIRTY)) |
		      model_pfn(val) << PAGE_SHIFT | _PAGE_PRESENT;
	if (!write || model_write(val))
		return val;
	if (is_zero_pfn(model_pfn(val)))
		return fault_val(addr, true);
	return val | _PAGE_RW;
}

/* The entry after a fault; 0 if no page can be faulted in. */
static unsigned long fault_pte(unsigned long val, unsigned long addr,
			       bool anon, bool write)
{
	softleaf_t entry = softleaf_from_pte(__pte(val));

	if (pte_present(__pte(val)))
		return fault_present(val, addr, write);
	if (softleaf_is_hwpoison(entry) ||
	    (softleaf_is_marker(entry) && !softleaf_is_uffd_wp_marker(entry)))
		return 0;
	if (softleaf_is_device_exclusive(entry))
		return fault_present(softleaf_to_pfn(entry) << PAGE_SHIFT |
				     _PAGE_PRESENT | _PAGE_USER, addr, write);
	if (pte_none(__pte(val)) && anon && !write)
		return MODEL_ZERO_PFN << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_USER |
		       _PAGE_SPECIAL;
	return fault_val(addr, write || softleaf_is_device_private_write(entry));
}

static unsigned long fault_pmd(unsigned long val, unsigned long addr, bool write)
{
	softleaf_t entry = softleaf_from_pmd(__pmd(val));

	if (pmd_none(__pmd(val)))
		return pmd_val(model_table_pmd());
	if (write && is_huge_zero_pmd(__pmd(val)))
		return fault_val(addr & PMD_MASK, true) | _PAGE_PSE;
	if (pmd_trans_huge(__pmd(val)) || pmd_protnone(__pmd(val)))
		return fault_present(val, addr & PMD_MASK, write);
	if (softleaf_is_device_private(entry))
		return fault_val(addr & PMD_MASK, write ||
				 softleaf_is_device_private_write(entry)) | _PAGE_PSE;
	return val;
}

/*
 * Drop the lock, as a handler that waits for user space; the next fault succeeds.
 * It must have FAULT_FLAG_TRIED, but not if this one only needs the mmap lock.
 */
static vm_fault_t fault_retry(struct mm_struct *mm, unsigned long addr,
			      unsigned int flags)
{
	mm->answer[model_page_index(addr)] = ANSWER_PAGE;
	mm->retried = true;
	if (mm->on_retry)
		mm->on_retry(mm);
	mm->tried = addr;
	if (!(flags & FAULT_FLAG_VMA_LOCK)) {
		model_unlock_mmap();
		return VM_FAULT_RETRY;
	}
	vma_end_read(NULL);
	if (model_page_index(addr) % 2)
		return VM_FAULT_RETRY | VM_FAULT_MAJOR;
	mm->tried = 0;
	return VM_FAULT_RETRY;
}

vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long addr,
			   unsigned int flags, void *regs)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned char *answer = &mm->answer[model_page_index(addr)];
	bool write = flags & FAULT_FLAG_WRITE;
	unsigned long val = 0, was = 0;
	pmd_t old, pmd;

	must(held.mmap || held.vma, "a fault without a lock");
	must(!held.tables && !held.rcu, "a fault with a table mapped");
	must(!(flags & FAULT_FLAG_VMA_LOCK) == !held.vma, "FAULT_FLAG_VMA_LOCK is wrong");
	must(flags & FAULT_FLAG_REMOTE, "a fault in another process without FAULT_FLAG_REMOTE");
	must(!(flags & FAULT_FLAG_ALLOW_RETRY) == !(flags & FAULT_FLAG_KILLABLE),
	     "a fault that may drop the lock and is not killable");
	must(!(flags & FAULT_FLAG_VMA_LOCK) || (flags & FAULT_FLAG_ALLOW_RETRY),
	     "a fault that may not drop the lock of the VMA");
	must(!write || (vma->vm_flags & VM_WRITE), "a write fault where none is allowed");
	must(addr >= vma->vm_start && addr < vma->vm_end, "a fault outside the VMA");
	must(!(flags & FAULT_FLAG_TRIED) == (addr != mm->tried), "FAULT_FLAG_TRIED is wrong");
	must(!held.fault_pmd || held.fault_pmd == (addr & PMD_MASK),
	     "faults in two PMD ranges without a check of the sequence");
	must(!mm->locked || !softleaf_is_device_private(load_entry(mm, load_pmd(mm, addr), addr)),
	     "a fault for a page that is locked");
	model_faults++;
	held.fault_pmd = addr & PMD_MASK;
	if (addr == mm->tried)
		mm->tried = 0;
	model_end_migration(mm, addr);
	old = load_pmd(mm, addr);
	pmd = __pmd(fault_pmd(pmd_val(old), addr, write));
	if (is_table(pmd))
		val = fault_pte(was = load_pte(mm, addr), addr,
				vma_is_anonymous(vma), write);
	/* An error only where the fault would change something. */
	if (pmd_val(old) != pmd_val(pmd) || val != was) {
		switch (*answer) {
		case ANSWER_OOM:
			return VM_FAULT_OOM;
		case ANSWER_SIGBUS:
			return VM_FAULT_SIGBUS;
		case ANSWER_RETRY:
			if (flags & FAULT_FLAG_ALLOW_RETRY)
				return fault_retry(mm, addr, flags);
		}
	}
	store_pmd(mm, addr, pmd_val(pmd));
	if (!is_table(pmd))
		return 0;
	if (!val)
		return VM_FAULT_HWPOISON;
	store_pte(mm, addr, val);
	return 0;
}
