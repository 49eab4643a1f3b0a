/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contracts for declarations of mm: types that the kernel crate has already,
 * events of which callbacks are notified, and hmm pfns that the walker reports.
 */
#include <linux/contract.h>
#include <linux/device.h>
#include <linux/hmm.h>
#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>

struct __contract(object("MmWithUser"), foreign("crate::mm::MmWithUser")) mm_struct;

enum __contract(choice("Event"), open) mmu_notifier_event;

enum __contract(tagged("PfnFlags")) hmm_pfn_flags;

/* A device that is bound to its driver; what is kept is no more than there. */
struct __contract(object("Device"), foreign("crate::device::Device<crate::device::Bound>",
					    kept("crate::device::Device"))) device;

/* Device memory of any driver. */
struct __contract(object("AnyMemory"), foreign("crate::hmm::AnyMemory")) hmm_devmem;

/* A page, while somebody keeps it where it is. */
struct __contract(object("Frame"), send, sync) page;

bool (is_device_private_page)(const struct page *page) __contract(method, macro, name("is_private"));
bool (is_device_coherent_page)(const struct page *page) __contract(method, macro, name("is_coherent"));
bool (is_zero_page)(const struct page *page) __contract(method, macro, name("is_zero"));
