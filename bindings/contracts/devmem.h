/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contracts for what device memory is made of.
 */
#include <linux/contract.h>
#include <linux/device.h>
#include <linux/memremap.h>
#include <linux/mm_types.h>

struct __contract(object("MmWithUser"), foreign("crate::mm::MmWithUser")) mm_struct;
/* What a reference is taken to need not be bound to a driver. */
struct __contract(object("Device"), foreign("crate::device::Device")) device;
struct __contract(object("Block"), foreign("super::page::Block<'_>")) page;
struct __contract(object("Batch"), foreign("super::batch::Batch")) hmm_devmem_batch;

enum __contract(choice("MemoryType"), open) memory_type;
