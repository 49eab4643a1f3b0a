/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a program can ask of /dev/hmm_probe. For tests only: the device reports
 * page frame numbers to whoever may open it.
 */
#ifndef HMM_PROBE_H
#define HMM_PROBE_H

#include <linux/const.h>
#include <linux/ioctl.h>
#include <linux/types.h>

#define HMM_PROBE_DEVICE "/dev/hmm_probe"

/* The most pages that one walk may cover: 4 GiB of 4 KiB pages. */
#define HMM_PROBE_MAX_PAGES _BITUL(20)

/**
 * enum hmm_probe_core - which implementation is to walk
 * @HMM_PROBE_CORE: the kernel's hmm_range_fault(), ours when the tree has it
 * @HMM_PROBE_REFERENCE: ref_hmm_range_fault(), the tree's own beside ours
 */
enum hmm_probe_core {
	HMM_PROBE_CORE,
	HMM_PROBE_REFERENCE,
};

/* Facts about the running kernel: &struct hmm_probe_info.has */
#define HMM_PROBE_HAS_REFERENCE	_BITUL(0)	/* both cores, and they are two */
#define HMM_PROBE_HAS_UNLOCKED	_BITUL(1)	/* the reference can walk unlocked */
#define HMM_PROBE_HAS_MIRROR	_BITUL(2)
#define HMM_PROBE_HAS_MIGRATION	_BITUL(3)
#define HMM_PROBE_HAS_ENGINES	_BITUL(4)	/* both migration engines */

/**
 * struct hmm_probe_info - what there is to be tested
 * @has: %HMM_PROBE_HAS_*
 * @version: the kernel's LINUX_VERSION_CODE
 * @walks: walks that this open file has finished
 * @last_error: what the last of them returned; also for one that was killed
 * @holding: whether %HMM_PROBE_HOLD holds the update lock of this one's mirror
 */
struct hmm_probe_info {
	__u32 has;
	__u32 version;
	__u64 walks;
	__s32 last_error;
	__u32 holding;
};

/* How to walk: &struct hmm_probe_walk.how */
#define HMM_PROBE_UNLOCKED	_BITUL(0)	/* the variant that takes the lock */
#define HMM_PROBE_OWNER_OF_PFN	_BITUL(1)	/* @pfn says whose pages are mine */
#define HMM_PROBE_FORMAT	_BITUL(2)	/* entries by @format, not hmm_pfns */
#define HMM_PROBE_EXTENTS	_BITUL(3)	/* ask for extents; hmm_pfns made of them */
#define HMM_PROBE_DMA_UNMAP	_BITUL(4)	/* invalidations clear DMA_MAPPED */

/**
 * struct hmm_probe_format - a device's own entries
 * @valid: as in struct hmm_format, and so are the others
 * @write: flag
 * @device_private: flag
 * @error: entry
 * @none: entry
 * @special: entry
 * @pfn_shift: in bits
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
 * @npages: how many pages of the page size
 * @hmm_pfns: pointer to @npages hmm_pfns of 64 bits, read and then written
 * @default_flags: as in struct hmm_range
 * @pfn_flags_mask: as in struct hmm_range
 * @pfn: with %HMM_PROBE_OWNER_OF_PFN, a device-private page's pfn; its owner
 *	becomes the walk's dev_private_owner
 * @core: &enum hmm_probe_core
 * @how: %HMM_PROBE_UNLOCKED and so on
 * @timeout_ms: of an unlocked walk; 0 for none
 * @repeat: how often to call, the hmm_pfns put back in between; 0 is 1
 * @error: out: what the last call returned, 0 or a negative error number
 * @retries: out: how often a walk was started again
 * @ns: out: time in the calls alone, of all repetitions together
 * @extents: with %HMM_PROBE_EXTENTS, room for how many; 0 for one a page. Out:
 *	how many there were
 * @format: with %HMM_PROBE_FORMAT, the format
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
 * @id: which range of the mirror
 * @ms: how long to hold, in milliseconds, unless told to let go
 * @pages: out: how many pages are held
 */
struct hmm_probe_span {
	__u64 start;
	__u64 end;
	__u32 id;
	__u32 ms;
	__u64 pages;
};

/* How to migrate: &struct hmm_probe_engine.how */
#define HMM_PROBE_ENGINE_TO_RAM		_BITUL(0)	/* from the device */
#define HMM_PROBE_ENGINE_COMPOUND	_BITUL(1)	/* huge pages whole */
#define HMM_PROBE_ENGINE_BY_PFN		_BITUL(2)	/* home, by device pfn */

#define HMM_PROBE_ENGINE_MPFNS	512

/**
 * struct hmm_probe_engine - one migration of the calling process's memory
 * @start: first address; by pfn: which 2 MiB of the device's memory
 * @end: address after the last, no more than 2 MiB on. Out: the end of what was
 *	asked of the engine, which is within one mapping
 * @mpfns: pointer to twice %HMM_PROBE_ENGINE_MPFNS mpfns of 64 bits: the
 *	engine's source mpfns after setup, and after its second stage
 * @stream: which mpfns get what kind of place follows from it
 * @core: &enum hmm_probe_core
 * @how: %HMM_PROBE_ENGINE_TO_RAM and so on
 * @error: out: what setup returned
 * @reserved: nothing
 * @cpages: out: how many mpfns could move
 * @npages: out: how many mpfns there are
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
#define HMM_PROBE_POPULATE	_BITUL(0)	/* put what is found in the table */
#define HMM_PROBE_RUNS		_BITUL(1)	/* compare runs with hmm_pfns */
#define HMM_PROBE_BREAK		_BITUL(2)	/* leave by break */
#define HMM_PROBE_LEAVE		_BITUL(3)	/* leave by hmm_section_leave() */

/**
 * struct hmm_probe_section - one section of the mirror
 * @start: first address
 * @end: address after the last
 * @hmm_pfns: pointer to a hmm pfn of 64 bits a page; what was found
 * @access: &enum hmm_access by number
 * @how: %HMM_PROBE_POPULATE and so on
 * @array: how many hmm_pfns the section is given room for; 0 for its own
 * @stop_after: with %HMM_PROBE_BREAK or %HMM_PROBE_LEAVE, after which batch
 * @timeout_ms: how long to go on losing races; 0 for the default
 * @error: out: hmm_section_error()
 * @batches: out: how often the body ran
 * @runs: out: how many runs there were
 * @pages: out: pages that the body saw
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
 * @id: the range that it was told for
 */
struct hmm_probe_event {
	__u64 start;
	__u64 end;
	__u32 event;
	__u32 id;
};

#define HMM_PROBE_EVENTS 32

/**
 * struct hmm_probe_mirror - what the mirror's callbacks have seen
 * @invalidations: calls of invalidate since the mirror was made
 * @releases: calls of release
 * @left: entries that the table still had when release was called
 * @entries: entries that the table has now
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
 * struct hmm_probe_access - the device reads or writes by its own table
 * @addr: a user address, 8-byte aligned
 * @value: what to write, or out: what was read
 * @write: whether to write
 */
struct hmm_probe_access {
	__u64 addr;
	__u64 value;
	__u32 write;
	__u32 reserved;
};

/* What is to move: &struct hmm_probe_move.what */
#define HMM_PROBE_MOVE_TO_DEVICE	0	/* to the device */
#define HMM_PROBE_MOVE_TO_RAM	1
#define HMM_PROBE_MOVE_TOUCH	2	/* home, as the CPU touches each page */

/* &struct hmm_probe_move.how */
#define HMM_PROBE_MOVE_WHOLE	_BITUL(0)	/* large folios stay whole */
#define HMM_PROBE_MOVE_FLUSHES	_BITUL(1)	/* count TLB flushes */

/**
 * struct hmm_probe_move - pages of the calling process, to a device and home
 * @start: first address
 * @end: address after the last
 * @core: whose migration engine: &enum hmm_probe_core
 * @what: %HMM_PROBE_MOVE_TO_DEVICE and so on
 * @how: %HMM_PROBE_MOVE_WHOLE and so on
 * @fault_pages: how many come home when the CPU touches one; a power of two
 * @pages: out: how many moved
 * @flushes: out: with %HMM_PROBE_MOVE_FLUSHES, TLB flushes of the process
 * @ns: out: time in the engine; with %HMM_PROBE_MOVE_TOUCH in all but what
 *	stands for a driver, which allocates and frees pages
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
 * struct hmm_probe_populate - a device faults on one page after another
 * @start: first address, that of the first page
 * @end: address after the last page; begun anew when it is reached
 * @skip: from one page to the next, in pages
 * @core: &enum hmm_probe_core: a section of a mirror, or what a driver does
 *	without one
 * @count: how many faults
 * @retries: out: how often a race was lost
 * @ns: out: how long it took
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
 * struct hmm_probe_occupy - the mmap lock is held for writing, again and again
 * @us: for how many microseconds, and how long it is free afterwards
 * @count: how often
 */
struct hmm_probe_occupy {
	__u32 us;
	__u32 count;
};

/**
 * struct hmm_probe_crowd - many mirrors of the process, until the next call
 * @start: where the first range is
 * @stride: from one range, of a page, to the next, in bytes
 * @ranges: how many ranges each mirror has, the same for all
 * @mirrors: how many mirrors
 * @core: &enum hmm_probe_core: mirrors, or subscriptions of a driver without
 * @insert_ns: out: what one of the last ranges took to be added
 * @lookup_ns: out: what a snapshot of one page took, in a section of a mirror
 */
struct hmm_probe_crowd {
	__u64 start;
	__u64 stride;
	__u32 ranges;
	__u32 mirrors;
	__u32 core;
	__u32 reserved;
	__u64 insert_ns;
	__u64 lookup_ns;
};

#define HMM_PROBE_INFO		_IOR('H', 0x40, struct hmm_probe_info)
#define HMM_PROBE_WALK		_IOWR('H', 0x41, struct hmm_probe_walk)
/* Unmaps pages as a migration does, waits, and puts them back. */
#define HMM_PROBE_MIGRATE	_IOWR('H', 0x42, struct hmm_probe_span)
#define HMM_PROBE_ENGINE	_IOWR('H', 0x43, struct hmm_probe_engine)
#define HMM_PROBE_MIRROR_INIT	_IO('H', 0x48)
#define HMM_PROBE_MIRROR_EXIT	_IO('H', 0x49)
#define HMM_PROBE_RANGE_ADD	_IOW('H', 0x4a, struct hmm_probe_span)
#define HMM_PROBE_RANGE_REMOVE	_IOW('H', 0x4b, struct hmm_probe_span)
#define HMM_PROBE_SECTION	_IOWR('H', 0x4c, struct hmm_probe_section)
/* Holds the update lock, until time or HMM_PROBE_UNHOLD says to let go. */
#define HMM_PROBE_HOLD		_IOW('H', 0x4d, struct hmm_probe_span)
#define HMM_PROBE_MIRROR	_IOR('H', 0x4e, struct hmm_probe_mirror)
#define HMM_PROBE_UNHOLD	_IO('H', 0x50)
#define HMM_PROBE_ACCESS	_IOWR('H', 0x4f, struct hmm_probe_access)

/*
 * mmap() of the device: the offset, in pages, says what is mapped. A mapping
 * of MIXED has an ordinary page first and special entries after it.
 */
#define HMM_PROBE_MAP_PFNMAP	0
#define HMM_PROBE_MAP_MIXED	1
/* Memory that is not in the kernel's direct map, a page for all addresses. */
#define HMM_PROBE_MAP_HIDDEN	2

#define HMM_PROBE_MOVE		_IOWR('H', 0x51, struct hmm_probe_move)
#define HMM_PROBE_POPULATE_PAGES _IOWR('H', 0x52, struct hmm_probe_populate)
#define HMM_PROBE_OCCUPY	_IOW('H', 0x53, struct hmm_probe_occupy)
#define HMM_PROBE_CROWD		_IOWR('H', 0x54, struct hmm_probe_crowd)

/* What to make of memory: &struct hmm_probe_mark.what */
#define HMM_PROBE_MARK_SHADOW_STACK	0	/* the whole VMA, for good */
#define HMM_PROBE_MARK_POISON		1	/* the page, which stays mapped */
#define HMM_PROBE_MARK_NO_POISON	2	/* undoes it */

/**
 * struct hmm_probe_mark - memory becomes of a kind that cannot be had otherwise
 * @addr: an address of the calling process
 * @what: %HMM_PROBE_MARK_SHADOW_STACK and so on
 * @reserved: 0
 */
struct hmm_probe_mark {
	__u64 addr;
	__u32 what;
	__u32 reserved;
};

#define HMM_PROBE_MARK		_IOW('H', 0x60, struct hmm_probe_mark)

/* How a racing walk is locked: &struct hmm_probe_race.locking */
#define HMM_PROBE_RACE_MMAP	0	/* by the caller's mmap lock */
#define HMM_PROBE_RACE_VMA	1	/* by the lock of each VMA */
#define HMM_PROBE_RACE_UNLOCKED	2	/* by the mmap lock, which it may drop */
#define HMM_PROBE_RACE_SECTION	3	/* a section of the mirror */

/* What it asks for: &struct hmm_probe_race.request */
#define HMM_PROBE_RACE_SNAPSHOT	0
#define HMM_PROBE_RACE_READ	1
#define HMM_PROBE_RACE_WRITE	2

/* &struct hmm_probe_race.how, with HMM_PROBE_FORMAT and HMM_PROBE_EXTENTS */
#define HMM_PROBE_RACE_FILTER	_BITUL(8)	/* ignore exclusive access by the owner */
#define HMM_PROBE_RACE_OWNER	_BITUL(9)	/* report the owner's private pages */

/* What was wrong: &struct hmm_probe_race.failure */
#define HMM_PROBE_RACE_NO_PAGE		1	/* the pfn is that of no page, or 0 */
#define HMM_PROBE_RACE_OTHER_PAGE	2	/* another page is mapped, or none */
#define HMM_PROBE_RACE_READ_ONLY	3	/* writable, but the entry is not */
#define HMM_PROBE_RACE_FREE		4	/* the page has no reference */
#define HMM_PROBE_RACE_OWNER_WRONG	5	/* private memory of another owner */
#define HMM_PROBE_RACE_CONTENT		6	/* the content is another page's */
#define HMM_PROBE_RACE_ORDER		7	/* the block is not what it should be */
#define HMM_PROBE_RACE_MISSING		8	/* success, but a page is missing */
#define HMM_PROBE_RACE_EXTENT		9	/* extents overlap or leave a gap */

/**
 * struct hmm_probe_race - walks that race with other threads, each checked
 * @addr: first address, page aligned
 * @npages: how many pages of the page size
 * @base: the address of the page whose content is @tag
 * @tag: the first 8 bytes of the page at @base; those of the next are one more,
 *	and so on. A page may also begin with 0. 0: do not check contents
 * @core: &enum hmm_probe_core
 * @locking: %HMM_PROBE_RACE_MMAP and so on
 * @request: %HMM_PROBE_RACE_SNAPSHOT and so on
 * @how: %HMM_PROBE_RACE_FILTER and so on
 * @count: how many walks; it ends early with the first failure
 * @error: out: the last error of a walk, other than a lost race
 * @walks: out, added to: how many walks there were
 * @lost: out, added to: how many of them lost a race
 * @errors: out, added to: how many ended with another error
 * @judged: out, added to: how many pages were compared with the page table
 * @failure: out: %HMM_PROBE_RACE_NO_PAGE and so on, or 0
 * @reserved: 0
 * @fail_addr: out: the address of the page that was wrong
 * @fail_hmm_pfn: out: its HMM pfn
 * @fail_entry: out: the page table entry it was compared with
 * @fail_content: out: the content of the page, or the other HMM pfn of a block
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
	__u64 judged;
	__u32 failure;
	__u32 reserved;
	__u64 fail_addr;
	__u64 fail_hmm_pfn;
	__u64 fail_entry;
	__u64 fail_content;
};

/*
 * BEGIN gives the open file a mirror of start to end; pages is the pfn of a
 * device-private page whose owner becomes the mirror's, or 0. TAKE gives the
 * device exclusive access to pages: with id 0 as a driver without a mirror
 * does, else by a section; pages is how many.
 */
#define HMM_PROBE_RACE_BEGIN	_IOW('H', 0x58, struct hmm_probe_span)
#define HMM_PROBE_RACE		_IOWR('H', 0x59, struct hmm_probe_race)
#define HMM_PROBE_RACE_TAKE	_IOWR('H', 0x5a, struct hmm_probe_span)

#endif /* HMM_PROBE_H */
