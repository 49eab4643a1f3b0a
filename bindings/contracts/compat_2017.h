/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contracts for what the mm defines and the device memory of 2017 is made of.
 */
#include <linux/contract.h>
#include <linux/mm_types.h>

struct __contract(object("MmWithUser"), foreign("crate::mm::MmWithUser")) mm_struct;
struct __contract(object("Block"), foreign("super::page::Block<'_>")) page;
