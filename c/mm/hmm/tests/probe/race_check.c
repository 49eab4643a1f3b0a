// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle for walks that race with other threads.
 *
 * While the caller holds its update lock and the sequence of the walk has not
 * moved, an invalidation of the walked range waits in its notifier before it
 * changes a PTE. So each pfn that the walk reported must be mapped at its
 * address now. This file reads the page table itself, as GUP-fast does, with
 * interrupts disabled and no lock, and shares no code with either core.
 *
 * If the sequence moved, the result need not match the page table any more. Each
 * pfn was mapped at some time during the walk, so it must still be that of a page.
 */
#include <linux/highmem.h>
#include <linux/hmm.h>
#include <linux/jiffies.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/swap.h>
#include <linux/leafops.h>

#include "race.h"

/* How long a PTE that is being replaced may stay empty on a busy machine. */
#define RACE_EMPTY_MS 10000

/**
 * struct race_entry - one page of a page table
 * @pfn: the page frame; 0 if the entry names no page that a device may use
 * @raw: the entry itself, of whichever level
 * @write: whether the CPU may write
 * @private: whether the page is device-private memory
 * @huge: whether a PMD or PUD maps it
 */
struct race_entry {
	unsigned long pfn;
	u64 raw;
	bool write;
	bool private;
	bool huge;
};

static void entry_set_softleaf(struct race_entry *entry, softleaf_t leaf)
{
	if (softleaf_is_device_exclusive(leaf)) {
		entry->pfn = softleaf_to_pfn(leaf);
		/* make_device_exclusive() faults the page in for writing. */
		entry->write = true;
	} else if (softleaf_is_device_private(leaf)) {
		entry->pfn = softleaf_to_pfn(leaf);
		entry->write = softleaf_is_device_private_write(leaf);
		entry->private = true;
	}
}

static void entry_set_pte(struct race_entry *entry, pte_t pte)
{
	entry->raw = pte_val(pte);
	if (pte_none(pte) || (pte_present(pte) && pte_protnone(pte)))
		return;
	if (!pte_present(pte)) {
		entry_set_softleaf(entry, softleaf_from_pte(pte));
		return;
	}
	entry->pfn = pte_pfn(pte);
	entry->write = pte_write(pte);
}

static void entry_set_pmd(struct race_entry *entry, pmd_t pmd,
			  unsigned long addr)
{
	entry->raw = pmd_val(pmd);
	entry->huge = true;
	if (pmd_none(pmd) || (pmd_present(pmd) && pmd_protnone(pmd)))
		return;
	if (pmd_present(pmd)) {
		entry->pfn = pmd_pfn(pmd);
		entry->write = pmd_write(pmd);
	} else {
		entry_set_softleaf(entry, softleaf_from_pmd(pmd));
	}
	if (entry->pfn)
		entry->pfn += (addr & ~PMD_MASK) >> PAGE_SHIFT;
}

static void entry_set_pud(struct race_entry *entry, pud_t pud,
			  unsigned long addr)
{
	entry->raw = pud_val(pud);
	entry->huge = true;
	entry->pfn = pud_pfn(pud) + ((addr & ~PUD_MASK) >> PAGE_SHIFT);
	entry->write = pud_write(pud);
}

/* Read the entry of @addr; disabled interrupts keep page tables from being freed. */
static void entry_walk(struct race_entry *entry, struct mm_struct *mm,
		       unsigned long addr)
{
	pgd_t *pgdp = pgd_offset(mm, addr), pgd = READ_ONCE(*pgdp);
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;

	if (pgd_none(pgd))
		return;
	p4dp = p4d_offset_lockless(pgdp, pgd, addr);
	p4d = READ_ONCE(*p4dp);
	if (p4d_none(p4d))
		return;
	pudp = pud_offset_lockless(p4dp, p4d, addr);
	pud = READ_ONCE(*pudp);
	if (pud_none(pud) || !pud_present(pud))
		return;
	if (pud_leaf(pud)) {
		entry_set_pud(entry, pud, addr);
		return;
	}
	pmdp = pmd_offset_lockless(pudp, pud, addr);
	pmd = pmdp_get_lockless(pmdp);
	if (pmd_none(pmd) || !pmd_present(pmd) || pmd_leaf(pmd))
		entry_set_pmd(entry, pmd, addr);
	else
		entry_set_pte(entry, ptep_get_lockless(pte_offset_kernel(&pmd, addr)));
}

static struct race_entry entry_read(struct mm_struct *mm, unsigned long addr)
{
	struct race_entry entry = {};
	unsigned long flags;

	local_irq_save(flags);
	entry_walk(&entry, mm, addr);
	local_irq_restore(flags);
	return entry;
}

/* Record the first failure; later ones may be consequences of it. */
static void race_check_fail(const struct race_check *check, unsigned long i, u32 failure,
			    u64 entry, u64 content)
{
	struct hmm_probe_race *result = check->result;

	if (result->failure)
		return;
	result->failure = failure;
	result->fail_addr = check->start + (i << PAGE_SHIFT);
	result->fail_hmm_pfn = check->hmm_pfns[i];
	result->fail_entry = entry;
	result->fail_content = content;
}

static unsigned long hmm_pfn_to_pfn(unsigned long hmm_pfn)
{
	return hmm_pfn & ~HMM_PFN_FLAGS;
}

static bool hmm_pfn_is_plausible(unsigned long hmm_pfn)
{
	return hmm_pfn_to_pfn(hmm_pfn) && pfn_valid(hmm_pfn_to_pfn(hmm_pfn));
}

/**
 * race_check_plausible() - check a walk that may have lost its race
 * @check: the result of the walk
 *
 * Each pfn must have a struct page and must not be 0, which the BIOS owns.
 */
void race_check_plausible(const struct race_check *check)
{
	unsigned long i;

	for (i = 0; i < check->npages; i++)
		if ((check->hmm_pfns[i] & HMM_PFN_VALID) &&
		    !hmm_pfn_is_plausible(check->hmm_pfns[i]))
			race_check_fail(check, i, HMM_PROBE_RACE_NO_PAGE, 0, 0);
}

/* Compare a page's tag, which the program derived from its address, or 0. */
static void check_content(const struct race_check *check, unsigned long i)
{
	const struct hmm_probe_race *want = check->result;
	struct page *page = pfn_to_page(hmm_pfn_to_pfn(check->hmm_pfns[i]));
	unsigned long addr = check->start + (i << PAGE_SHIFT);
	u64 *at, content;

	if (!want->tag)
		return;
	at = kmap_local_page(page);
	content = READ_ONCE(*at);
	kunmap_local(at);
	if (content && content != want->tag + ((addr - want->base) >> PAGE_SHIFT))
		race_check_fail(check, i, HMM_PROBE_RACE_CONTENT, 0, content);
}

/*
 * The reference's walk that begins inside a device-private PMD reports the pfns
 * of the PMD's start, which is a known difference.
 */
static bool known_of_reference(const struct race_check *check,
			       const struct race_entry *entry)
{
	return check->result->core == HMM_PROBE_REFERENCE && entry->private &&
	       entry->huge && !IS_ALIGNED(check->result->addr, PMD_SIZE);
}

static u32 entry_failure(const struct race_check *check, unsigned long hmm_pfn,
			 const struct race_entry *entry)
{
	struct page *page = pfn_to_page(hmm_pfn_to_pfn(hmm_pfn));

	if (entry->pfn != hmm_pfn_to_pfn(hmm_pfn))
		return HMM_PROBE_RACE_OTHER_PAGE;
	if ((hmm_pfn & HMM_PFN_WRITE) && !entry->write)
		return HMM_PROBE_RACE_READ_ONLY;
	if (!page_count(page))
		return HMM_PROBE_RACE_FREE;
	if (entry->private != is_device_private_page(page))
		return HMM_PROBE_RACE_OTHER_PAGE;
	if (entry->private && page_pgmap(page)->owner != check->owner)
		return HMM_PROBE_RACE_OWNER_WRONG;
	return 0;
}

/*
 * An entry is cleared before a device-exclusive entry replaces it, and the
 * owner of the exclusive page gets no invalidation for that. Wait for it.
 */
static struct race_entry entry_settled(const struct race_check *check,
				       unsigned long i)
{
	unsigned long addr = check->start + (i << PAGE_SHIFT);
	unsigned long end = jiffies + msecs_to_jiffies(RACE_EMPTY_MS);
	struct race_entry entry = entry_read(check->mm, addr);

	while (!entry.pfn && time_before(jiffies, end)) {
		cond_resched();
		entry = entry_read(check->mm, addr);
	}
	return entry;
}

/* Return whether the order of the hmm pfn is to be checked, too. */
static bool check_page(const struct race_check *check, unsigned long i)
{
	unsigned long hmm_pfn = check->hmm_pfns[i];
	struct race_entry entry;
	u32 failure;

	if (!hmm_pfn_is_plausible(hmm_pfn)) {
		race_check_fail(check, i, HMM_PROBE_RACE_NO_PAGE, 0, 0);
		return false;
	}
	entry = entry_settled(check, i);
	if (known_of_reference(check, &entry))
		return false;
	failure = entry_failure(check, hmm_pfn, &entry);
	if (failure)
		race_check_fail(check, i, failure, entry.raw, 0);
	else if (!entry.private)
		check_content(check, i);
	check->result->compared++;
	return hmm_pfn_to_map_order(hmm_pfn);
}

/* Check the order of an hmm pfn against those neighbours that were walked. */
static void check_order(const struct race_check *check, unsigned long i)
{
	const unsigned long flags = HMM_PFN_VALID | HMM_PFN_WRITE;
	unsigned long hmm_pfn = check->hmm_pfns[i];
	unsigned long size = 1UL << hmm_pfn_to_map_order(hmm_pfn);
	unsigned long index = (check->start >> PAGE_SHIFT) + i;
	unsigned long first = i - min(i, index & (size - 1));
	unsigned long last = min(i + size - (index & (size - 1)), check->npages);
	unsigned long j;

	if ((index ^ hmm_pfn_to_pfn(hmm_pfn)) & (size - 1))
		race_check_fail(check, i, HMM_PROBE_RACE_ORDER, 0, 0);
	for (j = first; j < last; j++)
		if (((check->hmm_pfns[j] ^ hmm_pfn) & flags) ||
		    hmm_pfn_to_pfn(check->hmm_pfns[j]) + i != hmm_pfn_to_pfn(hmm_pfn) + j)
			race_check_fail(check, i, HMM_PROBE_RACE_ORDER, j, check->hmm_pfns[j]);
}

/**
 * race_check_mapped() - check a walk that won its race
 * @check: the result of the walk
 *
 * Context: the update lock is held, and the sequence was checked under it.
 */
void race_check_mapped(const struct race_check *check)
{
	unsigned long i;

	for (i = 0; i < check->npages && !check->result->failure; i++) {
		if (!(check->hmm_pfns[i] & HMM_PFN_VALID))
			continue;
		/* Once per group of an order, or if the group begins before the walk. */
		if (check_page(check, i) &&
		    (!i || !(hmm_pfn_to_pfn(check->hmm_pfns[i]) &
			     ((1UL << hmm_pfn_to_map_order(check->hmm_pfns[i])) - 1))))
			check_order(check, i);
	}
}

/**
 * race_check_request() - check that a walk without an error found every page
 * @check: the result of the walk, which requested every page
 * @write: whether it requested write access
 */
void race_check_request(const struct race_check *check, bool write)
{
	const unsigned long flags = HMM_PFN_VALID | (write ? HMM_PFN_WRITE : 0);
	unsigned long i;

	for (i = 0; i < check->npages; i++)
		if ((check->hmm_pfns[i] & flags) != flags)
			race_check_fail(check, i, HMM_PROBE_RACE_ABSENT, 0, 0);
}
