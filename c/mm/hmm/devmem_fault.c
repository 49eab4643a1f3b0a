// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: CPU faults on private memory.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "devmem_transfer.h"
#include "trace.h"

/* After commit: whether the page at @i has migrated, alone or with its folio. */
static bool hmm_devmem_fault_moved(const struct hmm_devmem_transfer *t,
				   unsigned long i)
{
	unsigned long head = 0, next = 0;

	while (next <= i) {
		head = next;
		next += 1UL << hmm_devmem_mpfn_order(t, head);
	}
	return t->args.src[head] & MIGRATE_PFN_MIGRATE;
}

/*
 * The range to migrate in a fault: aligned, within the VMA, and large enough for the
 * folio of the faulting page.
 */
static void hmm_devmem_fault_range(struct vm_fault *vmf,
				   struct migrate_vma *args,
				   unsigned long pages)
{
	unsigned long size =
		max(pages << PAGE_SHIFT, folio_size(page_folio(vmf->page)));

	args->start = max(ALIGN_DOWN(vmf->address, size), vmf->vma->vm_start);
	args->end =
		min(ALIGN_DOWN(vmf->address, size) + size, vmf->vma->vm_end);
}

/* The page at the faulting address. For a huge PMD @vmf has the head page. */
static struct page *hmm_devmem_fault_page(const struct vm_fault *vmf)
{
	if (vmf->pte)
		return vmf->page;
	return vmf->page + ((vmf->address & ~HPAGE_PMD_MASK) >> PAGE_SHIFT);
}

/*
 * The result of a fault whose page stays in device memory. It fails if a retry would
 * fail likewise. If the page has another reference, or its PTE is being changed, the
 * CPU retries; there is no lock to wait for, so sleep for a tick. It fails also if
 * the task was killed: kernel code that accesses user memory checks for signals only
 * when a fault fails. After VM_FAULT_OOM user space retries, too: the OOM killer is
 * not invoked for it.
 */
static vm_fault_t hmm_devmem_fault_result(const struct page *page, int err)
{
	if (PageHWPoison(page))
		return VM_FAULT_HWPOISON;
	if (err == -ENOMEM) {
		schedule_timeout_killable(1);
		return VM_FAULT_OOM;
	}
	if (err || fatal_signal_pending(current))
		return VM_FAULT_SIGBUS;
	schedule_timeout_killable(1);
	return 0;
}

/**
 * hmm_devmem_fault() - handle a CPU fault on a page of device private memory
 * @vmf: the fault; its page is locked and referenced
 *
 * Migrate the page, and its neighbours, to system memory.
 *
 * Context: process context, with the mmap lock held; may sleep. A fault under
 *	the VMA's lock is tried again with the mmap lock before it comes here.
 *
 * Return: 0 if the page has migrated, or was busy and the CPU is to retry;
 * %VM_FAULT_OOM, %VM_FAULT_HWPOISON or %VM_FAULT_SIGBUS if it cannot migrate.
 */
vm_fault_t hmm_devmem_fault(struct vm_fault *vmf)
{
	struct page *page = hmm_devmem_fault_page(vmf);
	struct hmm_devmem *devmem = hmm_devmem_of(vmf->page);
	struct hmm_devmem_transfer t = {
		.args = {
			.vma = vmf->vma,
			.pgmap_owner = devmem->owner,
			.fault_page = vmf->page,
			.flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE |
				 HMM_DEVMEM_ANY_ORDER,
		},
		.has_error_index = true,
	};
	u64 began = hmm_trace_begin(hmm_cpu_fault);
	long err, pages = 0;
	bool came = false;
	vm_fault_t ret;

	hmm_devmem_stats_cpu_fault(devmem);
	hmm_devmem_fault_range(vmf, &t.args, devmem->fault_pages);
	t.error_index = (vmf->address - t.args.start) >> PAGE_SHIFT;
	if (hmm_devmem_alloc_mpfns(&t,
				   (t.args.end - t.args.start) >> PAGE_SHIFT))
		return hmm_devmem_fault_result(page, -ENOMEM);
	err = hmm_devmem_transfer_begin(&t);
	if (err >= 0) {
		pages = err;
		came = hmm_devmem_fault_moved(&t, t.error_index);
		hmm_devmem_transfer_end(&t);
		err = t.error;
	}
	hmm_devmem_free_mpfns(&t);

	ret = came ? 0 : hmm_devmem_fault_result(page, err);
	trace_hmm_cpu_fault(vmf->address, pages, ret, hmm_trace_ns(began));
	return ret;
}
