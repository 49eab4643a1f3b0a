/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * hmm_dmirror: the ioctls of the sample device.
 *
 * While a program has /dev/hmm_dmirror<unit> open, the device can access the
 * program's memory at the same virtual addresses. Ioctls of a child that
 * inherited the file fail with EINVAL: the child must open the device itself.
 *
 * RELEASE, LIMIT, COPY_DELAY and RETIRE concern all processes whose pages are in the
 * unit's memory, and REFUSE_PEERS those that use other units. They need CAP_SYS_ADMIN;
 * without it they fail with EPERM. The commands that migrate, and the first four, fail
 * with EOPNOTSUPP if the kernel has no device memory.
 *
 * The commands below 0x40 have the numbers and structures of the kernel's HMM
 * test driver, so that its test programs run on this device unchanged. Commands
 * from 0x40 on exist in this driver only.
 */
#ifndef HMM_DMIRROR_H
#define HMM_DMIRROR_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct hmm_dmirror_cmd - the argument of a command on a span of memory
 * @addr: in: address of the span in the process; a multiple of the page size
 * @ptr: in: address of the program's buffer that the command reads data from or
 *	writes results to
 * @npages: in: length of the span in pages; not 0
 * @cpages: out: number of pages handled
 * @faults: out: number of device faults: accesses that found no entry in the
 *	device's page table
 */
struct hmm_dmirror_cmd {
	__u64 addr;
	__u64 ptr;
	__u64 npages;
	__u64 cpages;
	__u64 faults;
};

/* Have the device read the span; copy the data to ptr. */
#define HMM_DMIRROR_READ		_IOWR('H', 0x00, struct hmm_dmirror_cmd)
/* Have the device write the data at ptr to the span. */
#define HMM_DMIRROR_WRITE		_IOWR('H', 0x01, struct hmm_dmirror_cmd)
/* Migrate the span to device memory; copy its contents to ptr. */
#define HMM_DMIRROR_MIGRATE_TO_DEV	_IOWR('H', 0x02, struct hmm_dmirror_cmd)
/* Migrate the span to system memory. */
#define HMM_DMIRROR_MIGRATE_TO_SYS	_IOWR('H', 0x03, struct hmm_dmirror_cmd)
/* Write one byte per page to ptr: the CPU's mapping, as HMM_DMIRROR_PROT_*. */
#define HMM_DMIRROR_SNAPSHOT		_IOWR('H', 0x04, struct hmm_dmirror_cmd)
/* Give the device exclusive access to the span, until the next CPU access. */
#define HMM_DMIRROR_EXCLUSIVE		_IOWR('H', 0x05, struct hmm_dmirror_cmd)
/* Fail with EPERM while the device has exclusive access to a page of the span. */
#define HMM_DMIRROR_CHECK_EXCLUSIVE	_IOWR('H', 0x06, struct hmm_dmirror_cmd)
/* Migrate all pages in the unit's memory to system memory and remove it. */
#define HMM_DMIRROR_RELEASE		_IOWR('H', 0x07, struct hmm_dmirror_cmd)
/* Set the HMM_DMIRROR_FLAG_* of this open file to those in npages. */
#define HMM_DMIRROR_FLAGS		_IOWR('H', 0x08, struct hmm_dmirror_cmd)
/* As READ, but wait without limit for pages that a userfaultfd must provide. */
#define HMM_DMIRROR_READ_UNLOCKED	_IOWR('H', 0x09, struct hmm_dmirror_cmd)

/* Fail the next allocation of a destination page. */
#define HMM_DMIRROR_FLAG_FAIL_ALLOC	0x1ULL

/*
 * A byte of SNAPSHOT: one of the access rights, and flags for the size of the
 * mapping and the kind of memory.
 */
enum {
	/* No device can access this address. */
	HMM_DMIRROR_PROT_ERROR			= 0xFF,
	/* No page is present; a device fault may bring one. */
	HMM_DMIRROR_PROT_NONE			= 0x00,
	HMM_DMIRROR_PROT_READ			= 0x01,
	HMM_DMIRROR_PROT_WRITE			= 0x02,
	/* Mapped by a PMD (2 MiB) or PUD (1 GiB) entry. */
	HMM_DMIRROR_PROT_PMD			= 0x04,
	HMM_DMIRROR_PROT_PUD			= 0x08,
	/* The zero page. */
	HMM_DMIRROR_PROT_ZERO			= 0x10,
	/* Device-private memory of this unit (local) or of another (remote). */
	HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL	= 0x20,
	HMM_DMIRROR_PROT_DEV_PRIVATE_REMOTE	= 0x30,
	/* Device-coherent memory of this unit (local) or of another (remote). */
	HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL	= 0x40,
	HMM_DMIRROR_PROT_DEV_COHERENT_REMOTE	= 0x50,
};

/* The kind of memory a unit has. */
enum {
	HMM_DMIRROR_MEMORY_DEVICE_PRIVATE	= 1,
	HMM_DMIRROR_MEMORY_DEVICE_COHERENT,
};

/*
 * Commands that only this driver has.
 */

enum {
	/* y[i] = a * x[i] + y[i] */
	HMM_DMIRROR_SAXPY	= 1,
	/* sum = x[0] + x[1] + ... */
	HMM_DMIRROR_SUM		= 2,
};

/**
 * struct hmm_dmirror_compute - a computation on the process's memory, in place
 * @op: in: %HMM_DMIRROR_SAXPY or %HMM_DMIRROR_SUM
 * @a: in: the factor of SAXPY; 0 for SUM
 * @x: in: address of the first vector, a multiple of 4
 * @y: in: address of the second vector, a multiple of 4; 0 for SUM
 * @n: in: number of elements of each vector; not 0
 * @sum: out: the result of SUM
 * @faults: out: as in &struct hmm_dmirror_cmd
 *
 * Elements are __s32; SAXPY wraps around on overflow. If the device cannot
 * access all of a vector, the command fails and may leave y partly computed.
 */
struct hmm_dmirror_compute {
	__u32 op;
	__s32 a;
	__u64 x;
	__u64 y;
	__u64 n;
	__s64 sum;
	__u64 faults;
};

#define HMM_DMIRROR_COMPUTE	_IOWR('H', 0x40, struct hmm_dmirror_compute)

/*
 * As SNAPSHOT, but report the device's page table: NONE, READ or WRITE, and
 * EXCLUSIVE with WRITE for pages to which the device has exclusive access.
 * Fault nothing in and change nothing.
 */
#define HMM_DMIRROR_PEEK	_IOWR('H', 0x41, struct hmm_dmirror_cmd)
#define HMM_DMIRROR_PROT_EXCLUSIVE	0x80
/* In a byte of PEEK: the device has the address of a page in another unit's memory. */
#define HMM_DMIRROR_PROT_PEER		0x40

/*
 * Limit the unit's memory to npages pages, a multiple of those in a huge page. The
 * limit is for memory that is added later; RELEASE removes what there is.
 */
#define HMM_DMIRROR_LIMIT	_IOWR('H', 0x42, struct hmm_dmirror_cmd)

/*
 * Have the unit's copy engine wait ptr milliseconds before each batch of copies.
 * cpages: out: the most batches that it has had at once since the last such command.
 */
#define HMM_DMIRROR_COPY_DELAY	_IOWR('H', 0x43, struct hmm_dmirror_cmd)

/*
 * Report the page at offset addr of the unit's first memory as bad. If ptr is 1, its
 * contents are lost: it can no longer be copied. RELEASE ends that.
 * cpages: out: how many pages are retired.
 */
#define HMM_DMIRROR_RETIRE	_IOWR('H', 0x44, struct hmm_dmirror_cmd)

/* Advice about memory, as of cudaMemAdvise() and hipMemAdvise(). */
enum {
	/* A read of the unit moves no page to its memory, even if that is preferred. */
	HMM_DMIRROR_SET_READ_MOSTLY	= 1,
	HMM_DMIRROR_UNSET_READ_MOSTLY,
	/* A fault of the unit moves the pages to its memory, if that is the location. */
	HMM_DMIRROR_SET_PREFERRED_LOCATION,
	HMM_DMIRROR_UNSET_PREFERRED_LOCATION,
	/*
	 * The unit gets mappings of the pages that are present, where they are: when the
	 * advice is given, and again before each READ, WRITE and COMPUTE.
	 */
	HMM_DMIRROR_SET_ACCESSED_BY,
	HMM_DMIRROR_UNSET_ACCESSED_BY,
};

/* A location is the number of a unit, or one of these. */
#define HMM_DMIRROR_LOCATION_SYSTEM	(-1)
#define HMM_DMIRROR_LOCATION_NONE	(-2)

/**
 * struct hmm_dmirror_advice - advice about a span of memory, to this unit
 * @addr: address of the span; a multiple of the page size
 * @npages: length of the span in pages; not 0
 * @advice: %HMM_DMIRROR_SET_READ_MOSTLY and so on
 * @location: for %HMM_DMIRROR_SET_PREFERRED_LOCATION a location; otherwise
 *	%HMM_DMIRROR_LOCATION_NONE
 *
 * Nothing need be mapped there. The advice is valid until it is withdrawn or the file is
 * closed, also for memory that is mapped there later. There can be 65536 ranges with
 * different attributes for each open file; for more, ADVISE fails with ENOSPC. If it
 * fails nothing has changed.
 */
struct hmm_dmirror_advice {
	__u64 addr;
	__u64 npages;
	__u32 advice;
	__s32 location;
};

#define HMM_DMIRROR_ADVISE	_IOW('H', 0x45, struct hmm_dmirror_advice)

/**
 * struct hmm_dmirror_attributes - the attributes of the first pages of a span
 * @addr: in: address of the span; a multiple of the page size
 * @npages: in: length of the span in pages; not 0. out: how many of the first ones all
 *	have these attributes
 * @location: out: the preferred location
 * @flags: out: %HMM_DMIRROR_READ_MOSTLY, %HMM_DMIRROR_ACCESSED_BY
 */
struct hmm_dmirror_attributes {
	__u64 addr;
	__u64 npages;
	__s32 location;
	__u32 flags;
};

#define HMM_DMIRROR_READ_MOSTLY		0x1
#define HMM_DMIRROR_ACCESSED_BY		0x2

#define HMM_DMIRROR_ATTRIBUTES	_IOWR('H', 0x46, struct hmm_dmirror_attributes)

/*
 * Have the unit access pages of the span that are in another unit's private memory where
 * they are, instead of migrating them to system memory. For one span of each open file;
 * fails with EBUSY for another, and with EOPNOTSUPP if the kernel has no device memory.
 */
#define HMM_DMIRROR_PEERS	_IOWR('H', 0x47, struct hmm_dmirror_cmd)

/*
 * If ptr is 1, the unit's driver gives other units no addresses of the unit's memory; if
 * it is 0, as at first, it does. Those that have one keep it.
 * cpages: out: how many addresses of pages other units have.
 */
#define HMM_DMIRROR_REFUSE_PEERS _IOWR('H', 0x48, struct hmm_dmirror_cmd)

#endif /* HMM_DMIRROR_H */
