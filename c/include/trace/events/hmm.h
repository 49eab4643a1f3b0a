/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of mirrors, migration and device memory. Addresses are those of the
 * process; pages and bytes are of the system's page size; times are in nanoseconds and
 * 0 where the event began before it was enabled. Documentation/mm/hmm/trace.rst.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM hmm

#if !defined(_TRACE_HMM_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_HMM_H

#include <linux/hmm_mirror.h>
#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/tracepoint.h>

#define HMM_TRACE_ACCESS				\
	EM(HMM_ACCESS_SNAPSHOT,		"snapshot")	\
	EM(HMM_ACCESS_PRESENT,		"present")	\
	EM(HMM_ACCESS_READ,		"read")		\
	EM(HMM_ACCESS_WRITE,		"write")	\
	EMe(HMM_ACCESS_EXCLUSIVE,	"exclusive")

#define HMM_TRACE_EVENT					\
	EM(MMU_NOTIFY_UNMAP,		"unmap")	\
	EM(MMU_NOTIFY_CLEAR,		"clear")	\
	EM(MMU_NOTIFY_PROTECTION_VMA,	"protection_vma")	\
	EM(MMU_NOTIFY_PROTECTION_PAGE,	"protection_page")	\
	EM(MMU_NOTIFY_SOFT_DIRTY,	"soft_dirty")	\
	EM(MMU_NOTIFY_RELEASE,		"release")	\
	EM(MMU_NOTIFY_MIGRATE,		"migrate")	\
	EMe(MMU_NOTIFY_EXCLUSIVE,	"exclusive")

/* Tools read the values from the event's format: they must be numbers there. */
#undef EM
#undef EMe
#define EM(value, name)		TRACE_DEFINE_ENUM(value);
#define EMe(value, name)	TRACE_DEFINE_ENUM(value);
HMM_TRACE_ACCESS
HMM_TRACE_EVENT

#undef EM
#undef EMe
#define EM(value, name)		{ value, name },
#define EMe(value, name)	{ value, name }

/**
 * hmm_populate - a section has a batch of pages, or has failed
 * @section: the section. The event has its mirror, the batch, or all that was left to
 *	do when it failed, the access, and whether pages were to migrate
 * @ret: 0, or the error
 * @ns: time from the begin of the batch
 */
TRACE_EVENT(hmm_populate,

	TP_PROTO(const struct hmm_section *section, int ret, u64 ns),

	TP_ARGS(section, ret, ns),

	TP_STRUCT__entry(
		__field(const void *, mirror)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(unsigned long, bytes)
		__field(int, access)
		__field(bool, migrate)
		__field(int, ret)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->mirror = section->mirror;
		__entry->start = ret ? section->batch.end : section->batch.start;
		__entry->end = ret ? section->span.end : section->batch.end;
		__entry->bytes = __entry->end - __entry->start;
		__entry->access = section->access;
		__entry->migrate = section->migrate_to;
		__entry->ret = ret;
		__entry->ns = ns;
	),

	TP_printk("mirror=%p start=0x%lx end=0x%lx bytes=%lu access=%s migrate=%d ret=%d ns=%llu",
		  __entry->mirror, __entry->start, __entry->end, __entry->bytes,
		  __print_symbolic(__entry->access, HMM_TRACE_ACCESS),
		  __entry->migrate, __entry->ret, __entry->ns)
);

/**
 * hmm_retry - a section begins again
 * @mirror: the mirror
 * @span: the batch that it tries next; it is halved after several lost rounds
 * @retries: how many rounds were lost
 * @ret: why: -%EBUSY for an invalidation, -%EAGAIN for a fault that dropped its lock
 */
TRACE_EVENT(hmm_retry,

	TP_PROTO(const void *mirror, const struct hmm_span *span, unsigned int retries,
		 int ret),

	TP_ARGS(mirror, span, retries, ret),

	TP_STRUCT__entry(
		__field(const void *, mirror)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(unsigned long, bytes)
		__field(unsigned int, retries)
		__field(bool, invalidated)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->mirror = mirror;
		__entry->start = span->start;
		__entry->end = span->end;
		__entry->bytes = span->end - span->start;
		__entry->retries = retries;
		__entry->invalidated = ret == -EBUSY;
		__entry->ret = ret;
	),

	TP_printk("mirror=%p start=0x%lx end=0x%lx bytes=%lu retries=%u invalidated=%d ret=%d",
		  __entry->mirror, __entry->start, __entry->end, __entry->bytes,
		  __entry->retries, __entry->invalidated, __entry->ret)
);

/**
 * hmm_invalidate - a range of a mirror was invalidated
 * @mirror: the mirror
 * @span: the part of the range
 * @event: the enum mmu_notifier_event
 * @may_block: whether the driver was allowed to sleep
 * @gone: false if the driver must be called again, by a caller that may block
 * @ns: time for which the update lock was held
 */
TRACE_EVENT(hmm_invalidate,

	TP_PROTO(const void *mirror, const struct hmm_span *span, int event,
		 bool may_block, bool gone, u64 ns),

	TP_ARGS(mirror, span, event, may_block, gone, ns),

	TP_STRUCT__entry(
		__field(const void *, mirror)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(unsigned long, bytes)
		__field(int, event)
		__field(bool, may_block)
		__field(bool, gone)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->mirror = mirror;
		__entry->start = span->start;
		__entry->end = span->end;
		__entry->bytes = span->end - span->start;
		__entry->event = event;
		__entry->may_block = may_block;
		__entry->gone = gone;
		__entry->ns = ns;
	),

	TP_printk("mirror=%p start=0x%lx end=0x%lx bytes=%lu event=%s may_block=%d gone=%d ns=%llu",
		  __entry->mirror, __entry->start, __entry->end, __entry->bytes,
		  __print_symbolic(__entry->event, HMM_TRACE_EVENT),
		  __entry->may_block, __entry->gone, __entry->ns)
);

/*
 * A stage of a migration. One by pfn has @start 0, and is to system memory.
 */
DECLARE_EVENT_CLASS(hmm_migrate_stage,

	TP_PROTO(unsigned long start, unsigned long npages, unsigned long pages,
		 bool to_device, u64 ns),

	TP_ARGS(start, npages, pages, to_device, ns),

	TP_STRUCT__entry(
		__field(unsigned long, start)
		__field(unsigned long, npages)
		__field(unsigned long, pages)
		__field(unsigned long, bytes)
		__field(bool, to_device)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->start = start;
		__entry->npages = npages;
		__entry->pages = pages;
		__entry->bytes = pages << PAGE_SHIFT;
		__entry->to_device = to_device;
		__entry->ns = ns;
	),

	TP_printk("start=0x%lx npages=%lu pages=%lu bytes=%lu to_device=%d ns=%llu",
		  __entry->start, __entry->npages, __entry->pages, __entry->bytes,
		  __entry->to_device, __entry->ns)
);

/**
 * hmm_collect - pages were collected and unmapped: locked, isolated, mapped nowhere
 * @start: the first address; 0 by pfn
 * @npages: how many pages were requested
 * @pages: how many can migrate
 * @to_device: whether they migrate to a device, or to system memory
 * @ns: how long it took
 */
DEFINE_EVENT(hmm_migrate_stage, hmm_collect,
	TP_PROTO(unsigned long start, unsigned long npages, unsigned long pages,
		 bool to_device, u64 ns),
	TP_ARGS(start, npages, pages, to_device, ns)
);

/**
 * hmm_commit - the dst folios have taken over the identity of the src folios
 * @start: the first address; 0 by pfn
 * @npages: how many pages were requested
 * @pages: how many have migrated
 * @to_device: whether they migrate to a device, or to system memory
 * @ns: how long it took
 */
DEFINE_EVENT(hmm_migrate_stage, hmm_commit,
	TP_PROTO(unsigned long start, unsigned long npages, unsigned long pages,
		 bool to_device, u64 ns),
	TP_ARGS(start, npages, pages, to_device, ns)
);

/**
 * hmm_finalize - pages were mapped again and unlocked
 * @start: the first address; 0 by pfn
 * @npages: how many pages were requested
 * @pages: how many have migrated
 * @to_device: whether they migrate to a device, or to system memory
 * @ns: how long it took
 */
DEFINE_EVENT(hmm_migrate_stage, hmm_finalize,
	TP_PROTO(unsigned long start, unsigned long npages, unsigned long pages,
		 bool to_device, u64 ns),
	TP_ARGS(start, npages, pages, to_device, ns)
);

/**
 * hmm_cpu_fault - a CPU fault on device private memory was handled
 * @addr: its address
 * @pages: how many pages have migrated to system memory
 * @ret: the vm_fault_t
 * @ns: how long it took
 */
TRACE_EVENT(hmm_cpu_fault,

	TP_PROTO(unsigned long addr, unsigned long pages, unsigned int ret, u64 ns),

	TP_ARGS(addr, pages, ret, ns),

	TP_STRUCT__entry(
		__field(unsigned long, addr)
		__field(unsigned long, pages)
		__field(unsigned long, bytes)
		__field(unsigned int, ret)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->addr = addr;
		__entry->pages = pages;
		__entry->bytes = pages << PAGE_SHIFT;
		__entry->ret = ret;
		__entry->ns = ns;
	),

	TP_printk("addr=0x%lx pages=%lu bytes=%lu ret=0x%x ns=%llu",
		  __entry->addr, __entry->pages, __entry->bytes,
		  __entry->ret, __entry->ns)
);

/**
 * hmm_evict - device memory was emptied, or room was made in it
 * @devmem: the device memory
 * @pages: how many pages have migrated to system memory
 * @left: how many of those that were to migrate have not
 * @ns: how long it took
 */
TRACE_EVENT(hmm_evict,

	TP_PROTO(const void *devmem, unsigned long pages, unsigned long left, u64 ns),

	TP_ARGS(devmem, pages, left, ns),

	TP_STRUCT__entry(
		__field(const void *, devmem)
		__field(unsigned long, pages)
		__field(unsigned long, bytes)
		__field(unsigned long, left)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->devmem = devmem;
		__entry->pages = pages;
		__entry->bytes = pages << PAGE_SHIFT;
		__entry->left = left;
		__entry->ns = ns;
	),

	TP_printk("devmem=%p pages=%lu bytes=%lu left=%lu ns=%llu",
		  __entry->devmem, __entry->pages, __entry->bytes,
		  __entry->left, __entry->ns)
);

/**
 * hmm_peer_map - a device got addresses of pages in the memory of other devices
 * @mirror: the device's mirror of the process
 * @span: addresses among which the pages are
 * @pages: how many got an address
 * @refused: how many the driver of the memory gave none; they migrate to system memory
 */
TRACE_EVENT(hmm_peer_map,

	TP_PROTO(const void *mirror, const struct hmm_span *span, unsigned long pages,
		 unsigned long refused),

	TP_ARGS(mirror, span, pages, refused),

	TP_STRUCT__entry(
		__field(const void *, mirror)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(unsigned long, pages)
		__field(unsigned long, bytes)
		__field(unsigned long, refused)
	),

	TP_fast_assign(
		__entry->mirror = mirror;
		__entry->start = span->start;
		__entry->end = span->end;
		__entry->pages = pages;
		__entry->bytes = pages << PAGE_SHIFT;
		__entry->refused = refused;
	),

	TP_printk("mirror=%p start=0x%lx end=0x%lx pages=%lu bytes=%lu refused=%lu",
		  __entry->mirror, __entry->start, __entry->end, __entry->pages,
		  __entry->bytes, __entry->refused)
);

#undef EM
#undef EMe

#endif /* _TRACE_HMM_H */

#include <trace/define_trace.h>
