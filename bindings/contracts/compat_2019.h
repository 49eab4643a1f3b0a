/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contracts for what the mm defines and the interface of 2019 shows.
 */
#include <linux/contract.h>
#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>

struct __contract(object("MmWithUser"), foreign("crate::mm::MmWithUser")) mm_struct;

enum __contract(choice("Event"), open) mmu_notifier_event;

/**
 * struct mmu_notifier_range - what the CPU's page tables are about to lose
 * @start: first address, in bytes
 * @end: address after the last, in bytes
 * @flags: bit 0 when one may block
 * @event: why
 */
struct __contract(record("Update")) mmu_notifier_range;
