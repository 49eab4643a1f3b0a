/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ioctls of /dev/hmm_probe. For tests only: the device reports page frame
 * numbers to any program that can open it.
 */
#ifndef HMM_PROBE_H
#define HMM_PROBE_H

#include <linux/const.h>
#include <linux/ioctl.h>
#include <linux/types.h>

#define HMM_PROBE_DEVICE "/dev/hmm_probe"

/* Maximum number of pages of one walk: 4 GiB of 4 KiB pages. */
#define HMM_PROBE_MAX_PAGES _BITUL(20)

/**
 * enum hmm_probe_core - the core to use
 * @HMM_PROBE_CORE: the kernel's hmm_range_fault(): ours if the kernel has it
 * @HMM_PROBE_REFERENCE: ref_hmm_range_fault(): the kernel's own, built beside ours
 */
enum hmm_probe_core {
	HMM_PROBE_CORE,
	HMM_PROBE_REFERENCE,
};

/* Facts about the running kernel: &struct hmm_probe_info.has */
#define HMM_PROBE_HAS_REFERENCE	_BITUL(0)	/* two different cores */
#define HMM_PROBE_HAS_UNLOCKED	_BITUL(1)	/* the reference can walk unlocked */
#define HMM_PROBE_HAS_MIRROR	_BITUL(2)
#define HMM_PROBE_HAS_MIGRATION	_BITUL(3)
#define HMM_PROBE_HAS_ENGINES	_BITUL(4)	/* both migration engines */
#define HMM_PROBE_HAS_PTE_BATCHES _BITUL(5)	/* PTE-mapped pages have orders */

/**
 * struct hmm_probe_info - what the kernel has, and the state of the open file
 * @has: %HMM_PROBE_HAS_*
 * @version: the kernel's LINUX_VERSION_CODE
 * @walks: number of walks that this open file has finished
 * @last_error: result of the last walk, also if it was killed
 * @holding: whether %HMM_PROBE_HOLD holds the update lock of the mirror
 */
struct hmm_probe_info {
	__u32 has;
	__u32 version;
	__u64 walks;
	__s32 last_error;
	__u32 holding;
};

/* How to walk: &struct hmm_probe_walk.how */
#define HMM_PROBE_UNLOCKED	_BITUL(0)	/* the variant that takes the mmap lock */
#define HMM_PROBE_OWNER_OF_PFN	_BITUL(1)	/* use the owner of the page @pfn */
#define HMM_PROBE_FORMAT	_BITUL(2)	/* output in @format, not hmm pfns */
#define HMM_PROBE_EXTENTS	_BITUL(3)	/* walk extents, expand to hmm pfns */
#define HMM_PROBE_DMA_UNMAP	_BITUL(4)	/* invalidations clear DMA_MAPPED */

/**
 * struct hmm_probe_format - a device's PTE format; all as in struct hmm_format
 * @valid: flag of a present page
 * @write: flag of a writable page
 * @device_private: flag of a device-private page
 * @error: entry of a page that cannot be accessed
 * @none: entry of an absent page
 * @special: entry of a special PTE
 * @pfn_shift: shift of the pfn, in bits
 */
struct hmm_probe_format {
	__u64 valid;
	__u64 write;
	__u64 device_private;
	__u64 error;
	__u64 none;
	__u64 special;
	__u64 pfn_shift;
};

/**
 * struct hmm_probe_walk - one hmm_range_fault() of the calling process
 * @addr: first address, page aligned
 * @npages: number of pages
 * @hmm_pfns: pointer to an array of @npages hmm pfns (u64), read and written
 * @default_flags: as in struct hmm_range
 * @pfn_flags_mask: as in struct hmm_range
 * @pfn: with %HMM_PROBE_OWNER_OF_PFN, a device-private page's pfn; its owner
 *	becomes the walk's dev_private_owner
 * @core: &enum hmm_probe_core
 * @how: flags, %HMM_PROBE_UNLOCKED and so on
 * @timeout_ms: timeout of an unlocked walk; 0 for none
 * @repeat: number of calls, each with the same input; 0 means 1
 * @error: out: result of the last call, 0 or a negative error number
 * @retries: out: number of restarted walks
 * @ns: out: total time of all calls
 * @extents: with %HMM_PROBE_EXTENTS, size of the array of extents; 0 for one per
 *	page. Out: number of extents
 * @format: with %HMM_PROBE_FORMAT, the format of the output
 */
struct hmm_probe_walk {
	__u64 addr;
	__u64 npages;
	__u64 hmm_pfns;
	__u64 default_flags;
	__u64 pfn_flags_mask;
	__u64 pfn;
	__u32 core;
	__u32 how;
	__u32 timeout_ms;
	__u32 repeat;
	__s32 error;
	__u32 retries;
	__u64 ns;
	__u64 extents;
	struct hmm_probe_format format;
};

/**
 * struct hmm_probe_span - addresses of the calling process
 * @start: first address
 * @end: address after the last
 * @id: number of the mirror's range
 * @ms: how long to hold the lock or the pages, in milliseconds
 * @pages: out: number of pages held
 */
struct hmm_probe_span {
	__u64 start;
	__u64 end;
	__u32 id;
	__u32 ms;
	__u64 pages;
};

/* &struct hmm_probe_span.id of %HMM_PROBE_MIGRATE */
#define HMM_PROBE_MIGRATE_BY_PFN	1

/* How to migrate: &struct hmm_probe_engine.how */
#define HMM_PROBE_ENGINE_TO_RAM		_BITUL(0)	/* device to system memory */
#define HMM_PROBE_ENGINE_COMPOUND	_BITUL(1)	/* huge pages whole */
#define HMM_PROBE_ENGINE_BY_PFN		_BITUL(2)	/* to RAM, by device pfn */

#define HMM_PROBE_ENGINE_MPFNS	512

/**
 * struct hmm_probe_engine - one migration of the calling process's memory
 * @start: first address; by pfn: index of the 2 MiB of the device's memory
 * @end: address after the last, at most 2 MiB after @start. Out: end of the span
 *	that was migrated, which is in one VMA
 * @mpfns: pointer to two arrays of %HMM_PROBE_ENGINE_MPFNS mpfns (u64): the src
 *	array after setup, and after migrate_vma_pages()
 * @stream: seed from which the dst folio of each mpfn is chosen
 * @core: &enum hmm_probe_core
 * @how: flags, %HMM_PROBE_ENGINE_TO_RAM and so on
 * @error: out: result of setup
 * @reserved: unused
 * @cpages: out: number of mpfns that can be migrated
 * @npages: out: number of mpfns
 */
struct hmm_probe_engine {
	__u64 start;
	__u64 end;
	__u64 mpfns;
	__u64 stream;
	__u32 core;
	__u32 how;
	__s32 error;
	__u32 reserved;
	__u64 cpages;
	__u64 npages;
};

#define HMM_PROBE_RANGES 8

/* How to go through a section: &struct hmm_probe_section.how */
#define HMM_PROBE_POPULATE	_BITUL(0)	/* map the pages in the device's table */
#define HMM_PROBE_RUNS		_BITUL(1)	/* compare runs with hmm pfns */
#define HMM_PROBE_BREAK		_BITUL(2)	/* leave by break */
#define HMM_PROBE_LEAVE		_BITUL(3)	/* leave by hmm_section_leave() */

/**
 * struct hmm_probe_section - one section of the mirror
 * @start: first address
 * @end: address after the last
 * @hmm_pfns: out: pointer to an array of one hmm pfn (u64) per page
 * @access: &enum hmm_access by number
 * @how: flags, %HMM_PROBE_POPULATE and so on
 * @array: length of the array that the section uses; 0 for its own
 * @stop_after: with %HMM_PROBE_BREAK or %HMM_PROBE_LEAVE, number of batches
 * @timeout_ms: timeout without progress; 0 for the default
 * @error: out: hmm_section_error()
 * @batches: out: number of section batches
 * @runs: out: number of runs
 * @pages: out: number of pages in all batches
 */
struct hmm_probe_section {
	__u64 start;
	__u64 end;
	__u64 hmm_pfns;
	__u32 access;
	__u32 how;
	__u32 array;
	__u32 stop_after;
	__u32 timeout_ms;
	__s32 error;
	__u32 batches;
	__u32 runs;
	__u64 pages;
};

/**
 * struct hmm_probe_event - one call of the mirror's invalidate
 * @start: first address
 * @end: address after the last
 * @event: &enum mmu_notifier_event by number
 * @id: number of the mirror's range
 */
struct hmm_probe_event {
	__u64 start;
	__u64 end;
	__u32 event;
	__u32 id;
};

#define HMM_PROBE_EVENTS 32

/**
 * struct hmm_probe_mirror - what the mirror's callbacks have recorded
 * @invalidations: calls of invalidate since the mirror was initialised
 * @releases: calls of release
 * @left: entries of the device's page table when release was called
 * @entries: entries of the device's page table now
 * @live: whether there is a mirror
 * @late: calls of invalidate after release
 * @events: the last of the invalidations, oldest first
 */
struct hmm_probe_mirror {
	__u64 invalidations;
	__u64 releases;
	__u64 left;
	__u64 entries;
	__u32 live;
	__u32 late;
	struct hmm_probe_event events[HMM_PROBE_EVENTS];
};

/**
 * struct hmm_probe_access - access by the device, through its page table
 * @addr: a user address, 8-byte aligned
 * @value: what to write, or out: what was read
 * @write: whether to write
 * @reserved: padding
 */
struct hmm_probe_access {
	__u64 addr;
	__u64 value;
	__u32 write;
	__u32 reserved;
};

/* &struct hmm_probe_move.what */
#define HMM_PROBE_MOVE_TO_DEVICE	0
#define HMM_PROBE_MOVE_TO_RAM		1
#define HMM_PROBE_MOVE_TOUCH		2	/* to RAM, by CPU faults */

/* &struct hmm_probe_move.how */
#define HMM_PROBE_MOVE_WHOLE	_BITUL(0)	/* do not split large folios */
#define HMM_PROBE_MOVE_FLUSHES	_BITUL(1)	/* count TLB flushes */

/**
 * struct hmm_probe_move - timed migration of pages of the calling process
 * @start: first address
 * @end: address after the last
 * @core: whose migration engine: &enum hmm_probe_core
 * @what: %HMM_PROBE_MOVE_TO_DEVICE and so on
 * @how: %HMM_PROBE_MOVE_WHOLE and so on
 * @fault_pages: number of pages that a CPU fault migrates; a power of two
 * @pages: out: number of pages migrated
 * @flushes: out: with %HMM_PROBE_MOVE_FLUSHES, TLB flushes of the process
 * @ns: out: time in the migration engine, without the driver's allocation and
 *	freeing of pages; with %HMM_PROBE_MOVE_TOUCH, also of the CPU's faults
 */
struct hmm_probe_move {
	__u64 start;
	__u64 end;
	__u32 core;
	__u32 what;
	__u32 how;
	__u32 fault_pages;
	__u64 pages;
	__u64 flushes;
	__u64 ns;
};

/**
 * struct hmm_probe_populate - timed device faults on one page after another
 * @start: address of the first page
 * @end: address after the last page, where the faults start over at @start
 * @skip: distance from one page to the next, in pages
 * @core: &enum hmm_probe_core: a section of a mirror, or hmm_range_fault() called
 *	by a driver without mirrors
 * @count: number of faults
 * @retries: out: number of lost races
 * @ns: out: total time
 */
struct hmm_probe_populate {
	__u64 start;
	__u64 end;
	__u64 skip;
	__u32 core;
	__u32 count;
	__u64 retries;
	__u64 ns;
};

/**
 * struct hmm_probe_occupy - hold the mmap lock for writing half of the time
 * @us: microseconds to hold the lock, and to wait before holding it again
 * @count: number of times
 */
struct hmm_probe_occupy {
	__u32 us;
	__u32 count;
};

/**
 * struct hmm_probe_crowd - many mirrors of the process, until the next call
 * @start: address of the first range
 * @stride: distance from one range to the next, in bytes; a range is one page
 * @ranges: number of ranges of each mirror; all mirrors have the same ranges
 * @mirrors: number of mirrors
 * @core: &enum hmm_probe_core: mirrors, or interval notifiers without mirrors
 * @flush_us: how long the device of each mirror flushes at an invalidation
 * @one_pass: nonzero to wait for the flush in invalidate
 * @reserved: unused
 * @insert_ns: out: time to add one of the last ranges
 * @lookup_ns: out: time of a section that snapshots one page
 */
struct hmm_probe_crowd {
	__u64 start;
	__u64 stride;
	__u32 ranges;
	__u32 mirrors;
	__u32 core;
	__u32 flush_us;
	__u32 one_pass;
	__u32 reserved;
	__u64 insert_ns;
	__u64 lookup_ns;
};

#define HMM_PROBE_INFO		_IOR('H', 0x40, struct hmm_probe_info)
#define HMM_PROBE_WALK		_IOWR('H', 0x41, struct hmm_probe_walk)
/*
 * Replace PTEs by migration entries, wait, and restore the PTEs. With the id
 * HMM_PROBE_MIGRATE_BY_PFN the migration is given the pfns of the pages, not their
 * addresses.
 */
#define HMM_PROBE_MIGRATE	_IOWR('H', 0x42, struct hmm_probe_span)
#define HMM_PROBE_ENGINE	_IOWR('H', 0x43, struct hmm_probe_engine)
#define HMM_PROBE_MIRROR_INIT	_IO('H', 0x48)
#define HMM_PROBE_MIRROR_EXIT	_IO('H', 0x49)
#define HMM_PROBE_RANGE_ADD	_IOW('H', 0x4a, struct hmm_probe_span)
#define HMM_PROBE_RANGE_REMOVE	_IOW('H', 0x4b, struct hmm_probe_span)
#define HMM_PROBE_SECTION	_IOWR('H', 0x4c, struct hmm_probe_section)
/* Hold the update lock until a timeout or HMM_PROBE_UNHOLD. */
#define HMM_PROBE_HOLD		_IOW('H', 0x4d, struct hmm_probe_span)
#define HMM_PROBE_MIRROR	_IOR('H', 0x4e, struct hmm_probe_mirror)
#define HMM_PROBE_UNHOLD	_IO('H', 0x50)
#define HMM_PROBE_ACCESS	_IOWR('H', 0x4f, struct hmm_probe_access)

/*
 * Offsets for mmap() of the device, in pages. A mapping of MIXED has a normal
 * page, then special PTEs.
 */
#define HMM_PROBE_MAP_PFNMAP	0
#define HMM_PROBE_MAP_MIXED	1
/* One page, at all addresses, that is not in the kernel's direct map. */
#define HMM_PROBE_MAP_HIDDEN	2

#define HMM_PROBE_MOVE		_IOWR('H', 0x51, struct hmm_probe_move)
#define HMM_PROBE_POPULATE_PAGES _IOWR('H', 0x52, struct hmm_probe_populate)
#define HMM_PROBE_OCCUPY	_IOW('H', 0x53, struct hmm_probe_occupy)
#define HMM_PROBE_CROWD		_IOWR('H', 0x54, struct hmm_probe_crowd)

/* The mark to set: &struct hmm_probe_mark.what */
#define HMM_PROBE_MARK_SHADOW_STACK	0	/* the VMA; cannot be undone */
#define HMM_PROBE_MARK_POISON		1	/* the page, which stays mapped */
#define HMM_PROBE_MARK_NO_POISON	2	/* undo HMM_PROBE_MARK_POISON */

/**
 * struct hmm_probe_mark - set a flag that user space cannot set
 * @addr: an address of the calling process
 * @what: %HMM_PROBE_MARK_SHADOW_STACK and so on
 * @reserved: padding
 */
struct hmm_probe_mark {
	__u64 addr;
	__u32 what;
	__u32 reserved;
};

#define HMM_PROBE_MARK		_IOW('H', 0x60, struct hmm_probe_mark)

/* The locking of a racing walk: &struct hmm_probe_race.locking */
#define HMM_PROBE_RACE_MMAP	0	/* the caller's mmap lock */
#define HMM_PROBE_RACE_VMA	1	/* the per-VMA locks */
#define HMM_PROBE_RACE_UNLOCKED	2	/* the mmap lock, which the walk may drop */
#define HMM_PROBE_RACE_SECTION	3	/* a section of the mirror */

/* The request of a racing walk: &struct hmm_probe_race.request */
#define HMM_PROBE_RACE_SNAPSHOT	0
#define HMM_PROBE_RACE_READ	1
#define HMM_PROBE_RACE_WRITE	2

/* &struct hmm_probe_race.how, with HMM_PROBE_FORMAT and HMM_PROBE_EXTENTS */
#define HMM_PROBE_RACE_FILTER	_BITUL(8)	/* ignore exclusive access by the owner */
#define HMM_PROBE_RACE_OWNER	_BITUL(9)	/* report the owner's private pages */

/* The failure found: &struct hmm_probe_race.failure */
#define HMM_PROBE_RACE_NO_PAGE		1	/* the pfn is 0 or has no struct page */
#define HMM_PROBE_RACE_OTHER_PAGE	2	/* another page is mapped, or none */
#define HMM_PROBE_RACE_READ_ONLY	3	/* reported writable, the PTE is not */
#define HMM_PROBE_RACE_FREE		4	/* the page has no reference */
#define HMM_PROBE_RACE_OWNER_WRONG	5	/* private memory of another owner */
#define HMM_PROBE_RACE_CONTENT		6	/* the content of another page */
#define HMM_PROBE_RACE_ORDER		7	/* the order does not fit neighbours */
#define HMM_PROBE_RACE_ABSENT		8	/* success, but a page is absent */
#define HMM_PROBE_RACE_EXTENT		9	/* extents overlap or leave a gap */

/**
 * struct hmm_probe_race - walks that race with other threads, each checked
 * @addr: first address, page aligned
 * @npages: number of pages
 * @base: the address of the page whose content is @tag
 * @tag: first 8 bytes of the page at @base, incremented by one per page. A page
 *	may also begin with 0. If @tag is 0, contents are not checked
 * @core: &enum hmm_probe_core
 * @locking: %HMM_PROBE_RACE_MMAP and so on
 * @request: %HMM_PROBE_RACE_SNAPSHOT and so on
 * @how: %HMM_PROBE_RACE_FILTER and so on
 * @count: number of walks; the first failure ends the ioctl
 * @error: out: the last error of a walk, other than a lost race
 * @walks: in and out: incremented by the number of walks
 * @lost: in and out: incremented by the number of walks that lost a race
 * @errors: in and out: incremented by the number of walks with other errors
 * @compared: in and out: incremented by the number of pages compared with the
 *	page table
 * @failure: out: %HMM_PROBE_RACE_NO_PAGE and so on, or 0
 * @reserved: padding
 * @fail_addr: out: address of the page that failed
 * @fail_hmm_pfn: out: its hmm pfn
 * @fail_entry: out: the page table entry it was compared with
 * @fail_content: out: the content of the page; for %HMM_PROBE_RACE_ORDER, the
 *	neighbour's hmm pfn
 */
struct hmm_probe_race {
	__u64 addr;
	__u64 npages;
	__u64 base;
	__u64 tag;
	__u32 core;
	__u32 locking;
	__u32 request;
	__u32 how;
	__u32 count;
	__s32 error;
	__u64 walks;
	__u64 lost;
	__u64 errors;
	__u64 compared;
	__u32 failure;
	__u32 reserved;
	__u64 fail_addr;
	__u64 fail_hmm_pfn;
	__u64 fail_entry;
	__u64 fail_content;
};

/*
 * BEGIN initialises a mirror of start to end for the open file; pages is the pfn
 * of a device-private page whose owner becomes the mirror's, or 0. EXCLUSIVE
 * gives the device exclusive access to pages: with id 0 by
 * make_device_exclusive(), else by a section; pages is set to their number.
 */
#define HMM_PROBE_RACE_BEGIN	_IOW('H', 0x58, struct hmm_probe_span)
#define HMM_PROBE_RACE		_IOWR('H', 0x59, struct hmm_probe_race)
#define HMM_PROBE_RACE_EXCLUSIVE	_IOWR('H', 0x5a, struct hmm_probe_span)

#endif /* HMM_PROBE_H */
