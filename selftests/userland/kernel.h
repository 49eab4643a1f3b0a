/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of the kernel that the walker uses, for a program: types, page table
 * entries with the layout of x86-64, and declarations of the model (model.c).
 *
 * The core's files are compiled unmodified. Every kernel header that they include
 * is a generated file that includes this one (see run).
 */
#ifndef USERLAND_KERNEL_H
#define USERLAND_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The configuration. */
#define CONFIG_64BIT 1
#define CONFIG_MMU 1
#define CONFIG_TRANSPARENT_HUGEPAGE 1
#define CONFIG_ARCH_HAS_PTE_SPECIAL 1
#define CONFIG_ARCH_HAS_PMD_SOFTLEAVES 1
#define CONFIG_ARCH_ENABLE_THP_MIGRATION 1
#define CONFIG_ZONE_DEVICE 1
#define CONFIG_DEVICE_PRIVATE 1
#define CONFIG_MIGRATION 1
#define CONFIG_MEMORY_FAILURE 1
#ifndef MODEL_MIRROR
#define CONFIG_HMM_DEVMEM 1
#endif
#ifndef MODEL_GENERIC
#define CONFIG_X86_64 1
#define CONFIG_X86 1
#define CONFIG_ARCH_HAS_HMM_PTE_CLASS 1
#endif

#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE KERNEL_VERSION(7, 3, 0)

/* 1 for an option that is defined as 1, else 0. */
#define MODEL_COMMA_1 0,
#define MODEL_THIRD(ignored, value, ...) value
#define MODEL_ENABLED_(comma) MODEL_THIRD(comma 1, 0)
#define MODEL_ENABLED__(value) MODEL_ENABLED_(MODEL_COMMA_##value)
#define IS_ENABLED(option) MODEL_ENABLED__(option)

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;
typedef u64 phys_addr_t;
typedef unsigned long vm_flags_t;
typedef unsigned int vm_fault_t;
typedef unsigned int gfp_t;

#define BITS_PER_LONG 64
#define __aligned(size) __attribute__((aligned(size)))
#define __must_check __attribute__((warn_unused_result))
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define noinline __attribute__((noinline))
#define noinline_for_stack noinline
#define unrolled_full _Pragma("clang loop unroll(full)")
#define __uninitialized __attribute__((uninitialized))
#define __maybe_unused __attribute__((unused))
#define __counted_by(member)
#define __must_hold(lock)
#define fallthrough __attribute__((fallthrough))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier() __asm__ volatile("" ::: "memory")
#define OPTIMIZER_HIDE_VAR(var) __asm__("" : "=r" (var) : "0" (var))
#define cpu_relax() barrier()
#define MAX_JIFFY_OFFSET ((~0UL >> 2) - 1)
#define cond_resched() ((void)0)
#define might_sleep() ((void)0)
#define EXPORT_SYMBOL(symbol)
#define EXPORT_SYMBOL_GPL(symbol)
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)
#ifndef static_assert
#define static_assert(condition, ...) _Static_assert(condition, #condition)
#endif

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define clamp(x, low, high) min(max(x, low), high)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(n) (1UL << (n))
#define GENMASK(high, low) ((~0UL << (low)) & (~0UL >> (63 - (high))))
#define round_down(x, size) ((x) & ~((__typeof__(x))(size) - 1))
#define round_up(x, size) round_down((x) + (size) - 1, size)
#define ALIGN_DOWN(x, size) ((x) & ~((size) - 1))
#define ALIGN(x, size) ALIGN_DOWN((x) + (size) - 1, size)
#define IS_ALIGNED(x, size) (!((x) & ((size) - 1)))
#define __ffs(x) ((unsigned long)__builtin_ctzl(x))
#define __fls(x) (63UL - (unsigned long)__builtin_clzl(x))
#define ilog2(x) __fls(x)
#define is_power_of_2(x) ((x) && !((x) & ((x) - 1)))
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))

/* The type of a value, without qualifiers: a comma expression has none. */
#define model_value(x) __typeof__(((void)0, (x)))

/*
 * Volatile accesses in the kernel. Here they are relaxed atomics, so that
 * ThreadSanitizer reports a plain access to what another thread changes.
 */
#ifdef MODEL_NATIVE
#define READ_ONCE(x) (*(const volatile model_value(x) *)&(x))
#define WRITE_ONCE(x, val) (*(volatile model_value(x) *)&(x) = (val))
#else
#define READ_ONCE(x) ({							\
	model_value(x) once_;					\
	__atomic_load(&(x), &once_, __ATOMIC_RELAXED);			\
	once_;								\
})
#define WRITE_ONCE(x, val) do {						\
	model_value(x) once_ = (val);				\
	__atomic_store(&(x), &once_, __ATOMIC_RELAXED);			\
} while (0)
#endif
#define data_race(x) (x)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define cmpxchg(ptr, old, new) ({					\
	model_value(*(ptr)) was_ = (old);				\
	__atomic_compare_exchange_n(ptr, &was_, new, false,		\
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);\
	was_;								\
})
#define try_cmpxchg(ptr, oldp, new)					\
	__atomic_compare_exchange_n(ptr, oldp, new, false,		\
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
#define cmpxchg_relaxed cmpxchg
#define try_cmpxchg_relaxed try_cmpxchg
#define try_cmpxchg_local try_cmpxchg
#define cmpxchg_local cmpxchg
#define xchg(ptr, new) __atomic_exchange_n(ptr, new, __ATOMIC_SEQ_CST)

/* Record that a rule was broken. The test continues; the first one is reported. */
void model_broken(const char *rule);
#define WARN_ON_ONCE(condition) ({					\
	bool warn_ = (condition);					\
	if (warn_)							\
		model_broken("WARN_ON_ONCE(" #condition ")");		\
	warn_;								\
})
#define WARN_ON(condition) WARN_ON_ONCE(condition)
#define WARN_ONCE(condition, ...) WARN_ON_ONCE(condition)
#define VM_WARN_ON_ONCE(condition) WARN_ON_ONCE(condition)

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int c, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* Page table entries, as on x86-64. */
#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PMD_SHIFT 21
#define PMD_SIZE (1UL << PMD_SHIFT)
#define PMD_MASK (~(PMD_SIZE - 1))
#define PMD_ORDER (PMD_SHIFT - PAGE_SHIFT)
#define HPAGE_PMD_ORDER PMD_ORDER
#define HPAGE_PMD_NR (1UL << PMD_ORDER)
#define PUD_SHIFT 30
#define PUD_SIZE (1UL << PUD_SHIFT)
#define PTRS_PER_PTE 512

typedef unsigned long pteval_t;
typedef unsigned long pmdval_t;
typedef struct { pteval_t pte; } pte_t;
typedef struct { pmdval_t pmd; } pmd_t;
typedef struct { unsigned long pud; } pud_t;
typedef struct { unsigned long val; } softleaf_t;

#define _PAGE_PRESENT BIT(0)
#define _PAGE_RW BIT(1)
#define _PAGE_USER BIT(2)
#define _PAGE_ACCESSED BIT(5)
#define _PAGE_DIRTY BIT(6)
#define _PAGE_PSE BIT(7)
#define _PAGE_PROTNONE BIT(8)
#define _PAGE_SPECIAL BIT(9)
#define _PAGE_UFFD BIT(10)
#define _PAGE_SOFT_DIRTY BIT(11)
#define _PAGE_SAVED_DIRTY BIT(58)
#define _PAGE_NX BIT(63)
#define _PAGE_KNL_ERRATUM_MASK (_PAGE_DIRTY | _PAGE_ACCESSED)
#define PTE_PFN_MASK GENMASK(51, 12)
#define _KERNPG_TABLE (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)

static __always_inline pteval_t pte_val(pte_t pte) { return pte.pte; }
static __always_inline pmdval_t pmd_val(pmd_t pmd) { return pmd.pmd; }
static __always_inline pte_t __pte(pteval_t val) { return (pte_t){ val }; }
static __always_inline pmd_t __pmd(pmdval_t val) { return (pmd_t){ val }; }
#define pte_flags(pte) (pte_val(pte) & ~PTE_PFN_MASK)
#define pmd_flags(pmd) (pmd_val(pmd) & ~PTE_PFN_MASK)

/* Whether a dirty entry that is not writable belongs to a shadow stack. */
#define model_shadow_stacks true

static __always_inline bool model_write(unsigned long val)
{
	return (val & _PAGE_RW) || (model_shadow_stacks && (val & _PAGE_DIRTY));
}

/* Entries that are not present keep their pfn inverted. */
static __always_inline unsigned long model_pfn(unsigned long val)
{
	if (val && !(val & _PAGE_PRESENT))
		val = ~val;
	return (val & PTE_PFN_MASK) >> PAGE_SHIFT;
}

static __always_inline bool pte_none(pte_t pte)
{
	return !(pte_val(pte) & ~_PAGE_KNL_ERRATUM_MASK);
}

static __always_inline bool pte_present(pte_t pte)
{
	return pte_val(pte) & (_PAGE_PRESENT | _PAGE_PROTNONE);
}

static __always_inline bool pte_protnone(pte_t pte)
{
	return (pte_val(pte) & (_PAGE_PRESENT | _PAGE_PROTNONE)) == _PAGE_PROTNONE;
}

static __always_inline bool pte_write(pte_t pte) { return model_write(pte_val(pte)); }
static __always_inline bool pte_dirty(pte_t pte)
{
	return pte_val(pte) & (_PAGE_DIRTY | _PAGE_SAVED_DIRTY);
}

static __always_inline bool pte_special(pte_t pte) { return pte_val(pte) & _PAGE_SPECIAL; }
static __always_inline unsigned long pte_pfn(pte_t pte) { return model_pfn(pte_val(pte)); }
static __always_inline bool pte_same(pte_t a, pte_t b) { return pte_val(a) == pte_val(b); }
static __always_inline pte_t ptep_get(pte_t *ptep) { return (pte_t){ READ_ONCE(ptep->pte) }; }
#define ptep_get_lockless(ptep) ptep_get(ptep)

static __always_inline bool pmd_none(pmd_t pmd)
{
	return !(pmd_val(pmd) & ~_PAGE_KNL_ERRATUM_MASK);
}

static __always_inline bool pmd_present(pmd_t pmd)
{
	return pmd_val(pmd) & (_PAGE_PRESENT | _PAGE_PROTNONE | _PAGE_PSE);
}

static __always_inline bool pmd_trans_huge(pmd_t pmd) { return pmd_val(pmd) & _PAGE_PSE; }
static __always_inline bool pmd_leaf(pmd_t pmd) { return pmd_val(pmd) & _PAGE_PSE; }
static __always_inline bool pmd_write(pmd_t pmd) { return model_write(pmd_val(pmd)); }
static __always_inline bool pmd_special(pmd_t pmd) { return pmd_val(pmd) & _PAGE_SPECIAL; }
static __always_inline unsigned long pmd_pfn(pmd_t pmd) { return model_pfn(pmd_val(pmd)); }
static __always_inline pmd_t pmdp_get(pmd_t *pmdp) { return (pmd_t){ READ_ONCE(pmdp->pmd) }; }
#define pmdp_get_lockless(pmdp) pmdp_get(pmdp)

static __always_inline bool pmd_protnone(pmd_t pmd)
{
	return (pmd_val(pmd) & (_PAGE_PRESENT | _PAGE_PROTNONE)) == _PAGE_PROTNONE;
}

static __always_inline bool pmd_bad(pmd_t pmd)
{
	return (pmd_flags(pmd) & ~(_PAGE_USER | _PAGE_ACCESSED)) !=
	       (_KERNPG_TABLE & ~_PAGE_ACCESSED);
}

/* Entries that are neither empty nor present: a type, and an inverted offset below. */
enum model_leaf {
	LEAF_SWAP = 1,
	LEAF_EXCLUSIVE = 25,
	LEAF_POISON,
	LEAF_DEVICE_READ,
	LEAF_DEVICE_WRITE,
	LEAF_MIGRATION_READ,
	LEAF_MIGRATION_WRITE,
	LEAF_MARKER,
};

#define MARKER_UFFD_WP BIT(0)
#define MARKER_POISONED BIT(1)
#define MARKER_GUARD BIT(2)

static __always_inline unsigned long softleaf_to_pfn(softleaf_t entry)
{
	return entry.val & ~(~0UL << 58);
}

static __always_inline enum model_leaf model_leaf(softleaf_t entry) { return entry.val >> 58; }

static __always_inline unsigned long model_leaf_val(enum model_leaf type,
						    unsigned long offset)
{
	return (~offset << 14 >> 5) | (unsigned long)type << 59;
}

static __always_inline softleaf_t model_leaf_of(unsigned long val)
{
	return (softleaf_t){ (val >> 59) << 58 | (~val << 5 >> 14) };
}

static __always_inline softleaf_t softleaf_from_pte(pte_t pte)
{
	if (pte_present(pte) || pte_none(pte))
		return (softleaf_t){ 0 };
	return model_leaf_of(pte_val(pte));
}

static __always_inline softleaf_t softleaf_from_pmd(pmd_t pmd)
{
	if (pmd_present(pmd) || pmd_none(pmd))
		return (softleaf_t){ 0 };
	return model_leaf_of(pmd_val(pmd));
}

#define softleaf_is_none(e) (!(e).val)
#define softleaf_is_swap(e) (model_leaf(e) == LEAF_SWAP)
#define softleaf_is_hwpoison(e) (model_leaf(e) == LEAF_POISON)
#define softleaf_is_marker(e) (model_leaf(e) == LEAF_MARKER)
#define softleaf_is_device_exclusive(e) (model_leaf(e) == LEAF_EXCLUSIVE)
#define softleaf_is_device_private_write(e) (model_leaf(e) == LEAF_DEVICE_WRITE)

static __always_inline bool softleaf_is_device_private(softleaf_t e)
{
	return model_leaf(e) == LEAF_DEVICE_READ || model_leaf(e) == LEAF_DEVICE_WRITE;
}

static __always_inline bool softleaf_is_migration(softleaf_t e)
{
	return model_leaf(e) == LEAF_MIGRATION_READ || model_leaf(e) == LEAF_MIGRATION_WRITE;
}

static __always_inline bool softleaf_has_pfn(softleaf_t e)
{
	return softleaf_is_device_private(e) || softleaf_is_migration(e) ||
	       softleaf_is_device_exclusive(e) || softleaf_is_hwpoison(e);
}

static __always_inline bool softleaf_is_marked(softleaf_t e, unsigned long marker)
{
	return softleaf_is_marker(e) && (softleaf_to_pfn(e) & marker);
}

#define softleaf_is_uffd_wp_marker(e) softleaf_is_marked(e, MARKER_UFFD_WP)
#define softleaf_is_poison_marker(e) softleaf_is_marked(e, MARKER_POISONED)
#define softleaf_is_guard_marker(e) softleaf_is_marked(e, MARKER_GUARD)
#define pte_is_marker(pte) softleaf_is_marker(softleaf_from_pte(pte))
#define pte_is_uffd_wp_marker(pte) softleaf_is_uffd_wp_marker(softleaf_from_pte(pte))
#define pte_is_uffd_marker(pte) \
	softleaf_is_marked(softleaf_from_pte(pte), MARKER_UFFD_WP | MARKER_POISONED)
#define pmd_is_migration_entry(pmd) softleaf_is_migration(softleaf_from_pmd(pmd))
#define pmd_is_device_private_entry(pmd) softleaf_is_device_private(softleaf_from_pmd(pmd))
#define thp_migration_supported() true
#define userfaultfd_rwp(vma) false

/* Pages: one memmap for system memory, one for device memory. */
struct range {
	u64 start;
	u64 end;
};

enum memory_type {
	MEMORY_DEVICE_PRIVATE = 1,
	MEMORY_DEVICE_COHERENT,
};

struct dev_pagemap {
	void *owner;
	enum memory_type type;
	int nr_range;
	union {
		struct range range;
		struct range ranges[1];
	};
};

struct page {
	unsigned long flags;
	unsigned long compound_head;	/* bit 0: a tail */
	struct dev_pagemap *pgmap;
	unsigned int order;
	int _refcount;
	unsigned long filler[4];
};

struct folio {
	struct page page;
};

#define MODEL_NR_RAM 65536UL
#define MODEL_NR_DEVICE 8192UL
#define MODEL_RAM_PFN 0x100000UL
/* Directly behind system memory, as a device's may be. */
#define MODEL_DEVICE_PFN (MODEL_RAM_PFN + MODEL_NR_RAM)
#define MODEL_HUGE_ZERO_PFN (MODEL_RAM_PFN + MODEL_NR_RAM - 1024)
#define MODEL_ZERO_PFN (MODEL_RAM_PFN + MODEL_NR_RAM - 64)

extern struct page model_ram[MODEL_NR_RAM], model_device[MODEL_NR_DEVICE];
struct page *model_no_page(unsigned long pfn);

static __always_inline struct page *pfn_to_page(unsigned long pfn)
{
#ifdef MODEL_NATIVE
	return model_ram + (pfn - MODEL_RAM_PFN);
#else
	if (pfn - MODEL_RAM_PFN < MODEL_NR_RAM)
		return &model_ram[pfn - MODEL_RAM_PFN];
	if (pfn - MODEL_DEVICE_PFN < MODEL_NR_DEVICE)
		return &model_device[pfn - MODEL_DEVICE_PFN];
	return model_no_page(pfn);
#endif
}

static __always_inline unsigned long page_to_pfn(const struct page *page)
{
#ifndef MODEL_NATIVE
	if (page >= model_device && page < model_device + MODEL_NR_DEVICE)
		return MODEL_DEVICE_PFN + (page - model_device);
#endif
	return MODEL_RAM_PFN + (page - model_ram);
}

#define PHYS_PFN(address) ((unsigned long)(address) >> PAGE_SHIFT)
static __always_inline phys_addr_t __pfn_to_phys(unsigned long pfn) { return pfn << PAGE_SHIFT; }

static __always_inline bool PageTail(const struct page *page)
{
	return READ_ONCE(page->compound_head) & 1;
}

static __always_inline struct page *compound_head(const struct page *page)
{
	unsigned long head = READ_ONCE(page->compound_head);

	return (struct page *)(head & 1 ? head - 1 : (unsigned long)page);
}

static __always_inline unsigned int compound_order(const struct page *page)
{
	return READ_ONCE(page->order);
}

#define page_folio(page) ((struct folio *)compound_head(page))
#define folio_order(folio) compound_order(&(folio)->page)
#define folio_nr_pages(folio) (1UL << folio_order(folio))
#define folio_pfn(folio) page_to_pfn(&(folio)->page)
#define folio_test_large(folio) (folio_order(folio) > 0)
#define softleaf_to_page(entry) pfn_to_page(softleaf_to_pfn(entry))
#define softleaf_to_folio(entry) page_folio(softleaf_to_page(entry))
#define is_zero_pfn(pfn) ((pfn) == MODEL_ZERO_PFN)
#define is_huge_zero_pmd(pmd) (pmd_pfn(pmd) == MODEL_HUGE_ZERO_PFN)
struct dev_pagemap *page_pgmap(const struct page *page);
struct dev_pagemap *get_dev_pagemap(unsigned long pfn);
void put_dev_pagemap(struct dev_pagemap *pgmap);
#define is_zone_device_page(page) (!!READ_ONCE((page)->pgmap))
#define is_device_private_page(page) model_pgmap_is(page, MEMORY_DEVICE_PRIVATE)
#define is_device_coherent_page(page) model_pgmap_is(page, MEMORY_DEVICE_COHERENT)

static inline bool model_pgmap_is(const struct page *page, int type)
{
	const struct dev_pagemap *pgmap = READ_ONCE(page->pgmap);

	return pgmap && pgmap->type == type;
}

/*
 * Sections of memory: the first is system memory, the second a device's, the third is
 * one with both.
 */
struct mem_section {
	bool online;
	bool device;
};

#define PFN_SUBSECTION_SHIFT 9
#define PAGES_PER_SUBSECTION (1UL << PFN_SUBSECTION_SHIFT)
#define PAGES_PER_SECTION 32768UL
#define pfn_to_section_nr(pfn) ((pfn) / PAGES_PER_SECTION)
#define online_section(section) ((section) && (section)->online)
#define online_device_section(section) (online_section(section) && (section)->device)

extern const struct mem_section model_section[3];

static __always_inline const struct mem_section *__pfn_to_section(unsigned long pfn)
{
	if (pfn - MODEL_RAM_PFN < MODEL_NR_RAM)
		return &model_section[0];
	if (pfn - MODEL_DEVICE_PFN >= MODEL_NR_DEVICE)
		return NULL;
	return &model_section[pfn - MODEL_DEVICE_PFN < MODEL_NR_DEVICE / 2 ? 1 : 2];
}

/* Address spaces. */
struct file;
struct vm_operations_struct {
	int unused;
};

struct mm_struct;
struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	vm_flags_t vm_flags;
	struct mm_struct *vm_mm;
	const struct vm_operations_struct *vm_ops;
	struct file *vm_file;
};

#define VM_READ 0x1UL
#define VM_WRITE 0x2UL
#define VM_EXEC 0x4UL
#define VM_SHARED 0x8UL
#define VM_PFNMAP 0x400UL
#define VM_IO 0x4000UL
#define VM_MIXEDMAP 0x10000000UL
#define VM_SHADOW_STACK 0x100000000UL

static inline bool vma_is_anonymous(const struct vm_area_struct *vma)
{
	return !vma->vm_ops;
}

#define is_vm_hugetlb_page(vma) false
#define vma_is_secretmem(vma) false
#define vma_is_dax(vma) false
#define vma_is_fsdax(vma) false

static inline struct page *vm_normal_page(struct vm_area_struct *vma,
					  unsigned long addr, pte_t pte)
{
	return pte_special(pte) ? NULL : pfn_to_page(pte_pfn(pte));
}

#ifdef MODEL_MIRROR
#include "kernel_mirror.h"
#else
struct mmu_interval_notifier {
	struct mm_struct *mm;
	unsigned long seq;
};

#define model_current() NULL
unsigned long model_jiffies(void);
#endif

struct mmu_interval_notifier_ops;
unsigned long mmu_interval_read_begin(struct mmu_interval_notifier *notifier);
bool mmu_interval_check_retry(struct mmu_interval_notifier *notifier,
			      unsigned long seq);

#define mmu_interval_read_retry mmu_interval_check_retry

/* No event is enabled. */
#define ktime_get_ns() 0ULL
#define trace_hmm_populate_enabled() false
#define trace_hmm_populate(...) ((void)0)
#define trace_hmm_retry(...) ((void)0)
#define trace_hmm_invalidate_enabled() false
#define trace_hmm_invalidate(mirror, ...) ((void)(mirror))

/* The kernel's page walker. */
enum page_walk_action { ACTION_SUBTREE, ACTION_CONTINUE, ACTION_AGAIN };
enum page_walk_lock { PGWALK_RDLOCK, PGWALK_WRLOCK, PGWALK_VMA_RDLOCK_VERIFY };

struct mm_walk;
struct mm_walk_ops {
	int (*pud_entry)(pud_t *pud, unsigned long addr, unsigned long next,
			 struct mm_walk *walk);
	int (*pmd_entry)(pmd_t *pmd, unsigned long addr, unsigned long next,
			 struct mm_walk *walk);
	int (*pte_hole)(unsigned long addr, unsigned long next, int depth,
			struct mm_walk *walk);
	int (*hugetlb_entry)(pte_t *pte, unsigned long hmask, unsigned long addr,
			     unsigned long next, struct mm_walk *walk);
	int (*test_walk)(unsigned long addr, unsigned long next,
			 struct mm_walk *walk);
	enum page_walk_lock walk_lock;
};

struct mm_walk {
	const struct mm_walk_ops *ops;
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	enum page_walk_action action;
	void *private;
};

int walk_page_range(struct mm_struct *mm, unsigned long start, unsigned long end,
		    const struct mm_walk_ops *ops, void *private);
int walk_page_range_vma(struct vm_area_struct *vma, unsigned long start,
			unsigned long end, const struct mm_walk_ops *ops,
			void *private);
pmd_t *mm_find_pmd(struct mm_struct *mm, unsigned long addr);
pte_t *pte_offset_map(pmd_t *pmdp, unsigned long addr);
void pte_unmap(pte_t *ptep);
#ifndef MODEL_MIRROR
/* Only declarations have it. */
typedef struct { int unused; } spinlock_t;
#define __releases(lock)
struct list_head {
	struct list_head *next, *prev;
};
#define list_empty(head) (READ_ONCE((head)->next) == (head))
#endif
void migration_entry_wait_killable(struct mm_struct *mm, pmd_t *pmdp, unsigned long addr);
void pmd_migration_entry_wait_killable(struct mm_struct *mm, pmd_t *pmdp);
bool fault_wait_killable(struct vm_area_struct *vma, unsigned long addr);
void rcu_read_lock(void);
void rcu_read_unlock(void);

/* Locks, faults and the rest of what fault.c uses. */
struct task_struct;
#define current ((struct task_struct *)model_current())
#ifdef MODEL_MIRROR
#define fatal_signal_pending(task) false
#else
extern __thread bool model_killed;
#define fatal_signal_pending(task) model_killed
#endif
#define GFP_KERNEL 0U
#define __GFP_NOWARN 0U
#define FAULT_FLAG_WRITE BIT(0)
#define FAULT_FLAG_ALLOW_RETRY BIT(2)
#define FAULT_FLAG_KILLABLE BIT(4)
#define FAULT_FLAG_TRIED BIT(5)
#define FAULT_FLAG_REMOTE BIT(7)
#define FAULT_FLAG_VMA_LOCK BIT(12)
#define FAULT_FLAG_UNSHARE BIT(10)
#define VM_FAULT_OOM 0x1U
#define VM_FAULT_SIGBUS 0x2U
#define VM_FAULT_HWPOISON 0x10U
#define VM_FAULT_MAJOR 0x4U
#define VM_FAULT_SIGSEGV 0x40U
#define VM_FAULT_RETRY 0x400U
#define VM_FAULT_COMPLETED 0x4000U
#define VM_FAULT_ERROR \
	(VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV | VM_FAULT_HWPOISON)

static inline int vm_fault_to_errno(vm_fault_t fault, int flags)
{
	if (fault & VM_FAULT_OOM)
		return -ENOMEM;
	return fault & VM_FAULT_ERROR ? -EFAULT : 0;
}

vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long addr,
			   unsigned int flags, void *regs);
struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr);
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr);
void mmap_assert_locked(const struct mm_struct *mm);
int mmap_read_lock_killable(struct mm_struct *mm);
void mmap_read_unlock(struct mm_struct *mm);
struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm, unsigned long addr);
void vma_end_read(struct vm_area_struct *vma);
int check_stable_address_space(struct mm_struct *mm);
void *kvmalloc_array(size_t nr, size_t size, gfp_t gfp);
void kvfree(void *p);
#define jiffies model_jiffies()
#define HZ 250
#define time_before_eq(a, b) ((long)((a) - (b)) <= 0)
#define time_after(a, b) ((long)((b) - (a)) < 0)
#define msecs_to_jiffies(ms) ((unsigned long)(ms))

#endif /* USERLAND_KERNEL_H */
