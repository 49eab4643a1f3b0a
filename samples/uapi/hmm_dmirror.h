/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * hmm_dmirror: what a user program says to the sample device.
 *
 * Open /dev/hmm_dmirror<unit>: from then on the device sees the memory of the
 * process that opened it, at the same addresses, for as long as the file is
 * open. A child that inherits the file is told -EINVAL: it must open its own.
 *
 * The commands numbered below 0x40 are those of the kernel's own HMM test
 * driver, number for number and byte for byte, so that its test programs run
 * here too. Those from 0x40 on are this driver's.
 */
#ifndef HMM_DMIRROR_H
#define HMM_DMIRROR_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct hmm_dmirror_cmd - a span of memory, and what to do with it
 * @addr: in: where the span starts in the process; a multiple of the page size
 * @ptr: in: an ordinary buffer of the process that data or answers go to, or
 *	that data comes from
 * @npages: in: how long the span is, in pages; not 0
 * @cpages: out: how many pages were handled
 * @faults: out: how many times the device found no entry in its page table
 *	and had to ask
 */
struct hmm_dmirror_cmd {
	__u64 addr;
	__u64 ptr;
	__u64 npages;
	__u64 cpages;
	__u64 faults;
};

/* The device reads the span; what it read lands at ptr. */
#define HMM_DMIRROR_READ		_IOWR('H', 0x00, struct hmm_dmirror_cmd)
/* The device writes what stands at ptr over the span. */
#define HMM_DMIRROR_WRITE		_IOWR('H', 0x01, struct hmm_dmirror_cmd)
/* The span's pages move into device memory; what was moved lands at ptr. */
#define HMM_DMIRROR_MIGRATE_TO_DEV	_IOWR('H', 0x02, struct hmm_dmirror_cmd)
/* The span's pages move back into system memory. */
#define HMM_DMIRROR_MIGRATE_TO_SYS	_IOWR('H', 0x03, struct hmm_dmirror_cmd)
/* One byte a page lands at ptr: what the CPU maps there, HMM_DMIRROR_PROT_*. */
#define HMM_DMIRROR_SNAPSHOT		_IOWR('H', 0x04, struct hmm_dmirror_cmd)
/* The device alone may reach the span until the CPU touches it. */
#define HMM_DMIRROR_EXCLUSIVE		_IOWR('H', 0x05, struct hmm_dmirror_cmd)
/* Fails with EPERM while the device still has a page of the span to itself. */
#define HMM_DMIRROR_CHECK_EXCLUSIVE	_IOWR('H', 0x06, struct hmm_dmirror_cmd)
/* The unit gives up all its memory; what is in it moves back to the system. */
#define HMM_DMIRROR_RELEASE		_IOWR('H', 0x07, struct hmm_dmirror_cmd)
/* npages is a set of HMM_DMIRROR_FLAG_*, for this open file. */
#define HMM_DMIRROR_FLAGS		_IOWR('H', 0x08, struct hmm_dmirror_cmd)
/* As READ, and waits without limit for a page that userfaultfd must supply. */
#define HMM_DMIRROR_READ_UNLOCKED	_IOWR('H', 0x09, struct hmm_dmirror_cmd)

/* The next allocation of memory that a migration makes, fails. */
#define HMM_DMIRROR_FLAG_FAIL_ALLOC	0x1ULL

/*
 * What a byte of SNAPSHOT says: one of the access rights, and what is known of
 * the memory besides.
 */
enum {
	/* Nothing that a device could reach, whatever it does. */
	HMM_DMIRROR_PROT_ERROR			= 0xFF,
	/* Nothing there now; a fault might bring it. */
	HMM_DMIRROR_PROT_NONE			= 0x00,
	HMM_DMIRROR_PROT_READ			= 0x01,
	HMM_DMIRROR_PROT_WRITE			= 0x02,
	/* Mapped as a part of 2 MiB (PMD) or 1 GiB (PUD) in one piece. */
	HMM_DMIRROR_PROT_PMD			= 0x04,
	HMM_DMIRROR_PROT_PUD			= 0x08,
	/* The page of zeros that all processes share. */
	HMM_DMIRROR_PROT_ZERO			= 0x10,
	/* In the memory of this unit, or of another; hidden from the CPU. */
	HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL	= 0x20,
	HMM_DMIRROR_PROT_DEV_PRIVATE_REMOTE	= 0x30,
	/* In the memory of this unit, or of another; the CPU reaches it too. */
	HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL	= 0x40,
	HMM_DMIRROR_PROT_DEV_COHERENT_REMOTE	= 0x50,
};

/* What kind of memory a unit has. */
enum {
	HMM_DMIRROR_MEMORY_DEVICE_PRIVATE	= 1,
	HMM_DMIRROR_MEMORY_DEVICE_COHERENT,
};

/*
 * From here on: this driver's own.
 */

enum {
	/* y[i] = a * x[i] + y[i] */
	HMM_DMIRROR_SAXPY	= 1,
	/* sum = x[0] + x[1] + ... */
	HMM_DMIRROR_SUM		= 2,
};

/**
 * struct hmm_dmirror_compute - a computation that the device makes in place
 * @op: in: %HMM_DMIRROR_SAXPY or %HMM_DMIRROR_SUM
 * @a: in: the factor of SAXPY; 0 for SUM
 * @x: in: address of the first vector, a multiple of 4
 * @y: in: address of the second, likewise; 0 for SUM
 * @n: in: how many elements a vector has; not 0
 * @sum: out: what SUM comes to
 * @faults: out: as in &struct hmm_dmirror_cmd
 *
 * Elements are __s32, and SAXPY wraps around. When the device cannot reach all
 * of its operands the command fails with the vectors computed in part.
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
 * As SNAPSHOT, but what the device's own page table holds at this moment: NONE,
 * READ or WRITE, the latter with EXCLUSIVE where the device has the page to
 * itself. Changes nothing and faults nothing in.
 */
#define HMM_DMIRROR_PEEK	_IOWR('H', 0x41, struct hmm_dmirror_cmd)
#define HMM_DMIRROR_PROT_EXCLUSIVE	0x80

#endif /* HMM_DMIRROR_H */
