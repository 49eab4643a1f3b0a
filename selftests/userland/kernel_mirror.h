/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of the kernel that mirrors use, on POSIX threads. Included by kernel.h.
 *
 * RCU readers hold a lock for reading that a grace period takes for writing.
 * Interval notifiers keep the kernel's protocol: the sequence is odd while an
 * invalidation runs, a notifier that is added meanwhile waits for its end.
 */
#ifndef USERLAND_KERNEL_MIRROR_H
#define USERLAND_KERNEL_MIRROR_H

#include <pthread.h>
#include <stdlib.h>

#define __init
#define __iomem
#define __user
#define __rcu
#define __force
#define __acquires(lock)
#define __releases(lock)
#define __no_context_analysis
#define core_initcall(function)						\
	__attribute__((constructor)) static void function##_call(void)	\
	{								\
		if (function())						\
			abort();					\
	}

typedef u64 dma_addr_t;
typedef struct { int counter; } atomic_t;
typedef struct { int counter; } refcount_t;
struct device;
struct folio;
struct task_struct;

struct vm_fault;
#define range_len(range) ((range)->end - (range)->start + 1)
#define IORESOURCE_SYSTEM_RAM 0
#define IORES_DESC_NONE 0
#define REGION_DISJOINT 0
#define region_intersects(start, size, flags, desc) REGION_DISJOINT

struct dma_iova_state {
	u64 addr;
};

#define ERR_PTR(error) ((void *)(long)(error))
#define PTR_ERR(ptr) ((long)(ptr))
#define IS_ERR(ptr) ((unsigned long)(ptr) >= -4095UL)
#define PAGE_ALIGNED(address) IS_ALIGNED((unsigned long)(address), PAGE_SIZE)
#define access_ok(address, size) ((unsigned long)(address) + (size) < 1UL << 47)

/* Atomics. */

#define smp_load_acquire(ptr) __atomic_load_n(ptr, __ATOMIC_ACQUIRE)
#define smp_store_release(ptr, val) __atomic_store_n(ptr, val, __ATOMIC_RELEASE)
#define rcu_dereference(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_access_pointer(p) __atomic_load_n(&(p), __ATOMIC_RELAXED)
#define rcu_assign_pointer(p, val) __atomic_store_n(&(p), val, __ATOMIC_RELEASE)
#define atomic_set(a, i) __atomic_store_n(&(a)->counter, i, __ATOMIC_RELAXED)
#define atomic_read(a) __atomic_load_n(&(a)->counter, __ATOMIC_RELAXED)
#define atomic_inc(a) __atomic_add_fetch(&(a)->counter, 1, __ATOMIC_RELAXED)
#define atomic_dec(a) ((void)__atomic_sub_fetch(&(a)->counter, 1, __ATOMIC_RELAXED))
#define atomic_read_acquire(a) __atomic_load_n(&(a)->counter, __ATOMIC_ACQUIRE)
#define atomic_dec_and_test(a) (!__atomic_sub_fetch(&(a)->counter, 1, __ATOMIC_SEQ_CST))
#define refcount_set(r, i) atomic_set(r, i)
#define refcount_dec_and_test(r) atomic_dec_and_test(r)
#define refcount_inc(r) ((void)atomic_inc(r))
#define test_and_set_bit(bit, ptr) \
	(__atomic_fetch_or(ptr, BIT(bit), __ATOMIC_SEQ_CST) >> (bit) & 1)
#define set_bit(bit, ptr) ((void)__atomic_fetch_or(ptr, BIT(bit), __ATOMIC_SEQ_CST))
/* Only compiled: the stand-ins have no device memory. */
#define __set_bit(bit, ptr) ((void)(*(ptr) |= BIT(bit)))
#define test_and_clear_bit(bit, ptr) \
	(__atomic_fetch_and(ptr, ~BIT(bit), __ATOMIC_SEQ_CST) >> (bit) & 1)
#define test_bit(bit, ptr) (__atomic_load_n(ptr, __ATOMIC_RELAXED) >> (bit) & 1)

static inline bool model_inc_not_zero(int *counter)
{
	int old = __atomic_load_n(counter, __ATOMIC_RELAXED);

	do {
		if (!old)
			return false;
	} while (!__atomic_compare_exchange_n(counter, &old, old + 1, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return true;
}

#define atomic_inc_not_zero(a) model_inc_not_zero(&(a)->counter)
#define refcount_inc_not_zero(r) model_inc_not_zero(&(r)->counter)

/* Locks. */
struct mutex {
	pthread_mutex_t m;
};

typedef struct mutex spinlock_t;

struct rw_semaphore {
	pthread_rwlock_t l;
};

#define DEFINE_SPINLOCK(lock) spinlock_t lock = { PTHREAD_MUTEX_INITIALIZER }
/* Nobody takes a lock twice here, so nobody needs to ask. */
#define mutex_get_owner(lock) ((void)(lock), 0UL)
#define mutex_init(lock) pthread_mutex_init(&(lock)->m, NULL)
#define mutex_lock(lock) pthread_mutex_lock(&(lock)->m)
#define mutex_unlock(lock) pthread_mutex_unlock(&(lock)->m)
#define mutex_trylock(lock) (!pthread_mutex_trylock(&(lock)->m))
#define mutex_lock_killable(lock) (mutex_lock(lock), 0)
#define spin_lock_init(lock) mutex_init(lock)
#define spin_lock(lock) mutex_lock(lock)
#define spin_unlock(lock) mutex_unlock(lock)
#define init_rwsem(sem) pthread_rwlock_init(&(sem)->l, NULL)
#define down_write(sem) pthread_rwlock_wrlock(&(sem)->l)
#define down_write_trylock(sem) (!pthread_rwlock_trywrlock(&(sem)->l))
#define up_write(sem) pthread_rwlock_unlock(&(sem)->l)
#define down_read(sem) pthread_rwlock_rdlock(&(sem)->l)
#define down_read_killable(sem) (down_read(sem), 0)
#define up_read(sem) pthread_rwlock_unlock(&(sem)->l)
#define might_lock(lock) ((void)(lock))
#define lockdep_assert_held(lock) ((void)(lock))
#define fs_reclaim_acquire(gfp) ((void)0)
#define fs_reclaim_release(gfp) ((void)0)

/* Scopes. */
#define __cleanup(function) __attribute__((cleanup(function)))
#define DEFINE_GUARD(name, type, lock, unlock)				\
	typedef type guard_type_##name;					\
	static inline type guard_lock_##name(type _T)			\
	{								\
		lock;							\
		return _T;						\
	}								\
	static inline void guard_unlock_##name(type *p)			\
	{								\
		type _T = *p;						\
									\
		if (_T)							\
			unlock;						\
	}
DEFINE_GUARD(spinlock, spinlock_t *, spin_lock(_T), spin_unlock(_T))
DEFINE_GUARD(spinlock_irqsave, spinlock_t *, spin_lock(_T), spin_unlock(_T))
DEFINE_GUARD(mutex, struct mutex *, mutex_lock(_T), mutex_unlock(_T))
void rcu_read_lock(void);
void rcu_read_unlock(void);
DEFINE_GUARD(rcu_, void *, rcu_read_lock(), rcu_read_unlock())
#define model_unique__(a, b) a##b
#define model_unique_(a, b) model_unique__(a, b)
#define model_unique(name) model_unique_(name, __LINE__)
#define guard(name) model_guard_##name
#define model_guard_spinlock_irqsave(p) model_guard_of(spinlock, p)
#define model_guard_spinlock(p) model_guard_of(spinlock, p)
#define model_guard_mutex(p) model_guard_of(mutex, p)
#define model_guard_rcu() model_guard_of(rcu_, (void *)1)
#define model_guard_srcu(p) model_guard_of(srcu, p)
#define model_guard_of(name, p)						\
	guard_type_##name model_unique(scope_)				\
	__attribute__((cleanup(guard_unlock_##name), unused)) = guard_lock_##name(p)
#define scoped_guard(name, p)						\
	for (guard_type_##name scope_ __cleanup(guard_unlock_##name) =	\
		     guard_lock_##name(p), once_ = (void *)scope_;	\
	     once_; once_ = NULL)

/* Lists. */
struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD(name) struct list_head name = { &(name), &(name) }

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	WRITE_ONCE(list->next, list);
	WRITE_ONCE(list->prev, list);
}

static inline void list_add(struct list_head *new, struct list_head *head)
{
	new->next = head->next;
	new->prev = head;
	WRITE_ONCE(head->next->prev, new);
	WRITE_ONCE(head->next, new);
}

static inline void list_del(struct list_head *entry)
{
	WRITE_ONCE(entry->next->prev, entry->prev);
	WRITE_ONCE(entry->prev->next, entry->next);
}

#define list_empty(head) (READ_ONCE((head)->next) == (head))
#define list_empty_careful(head) \
	(list_empty(head) && READ_ONCE((head)->prev) == (head))
#define list_entry(p, type, member) container_of(p, type, member)
#define list_for_each_entry(at, head, member)				\
	for (at = list_entry((head)->next, __typeof__(*at), member);	\
	     &at->member != (head);					\
	     at = list_entry(at->member.next, __typeof__(*at), member))

/* Memory. */
struct rcu_head {
	struct rcu_head *next;
	void *memory;
};

#define kzalloc(size, gfp) model_kzalloc(size)
#define kfree(p) model_kfree(p)
void *model_kzalloc(size_t size);
void model_kfree(void *p);
/* How many are allocated: of them, none is left after the end of all mirrors. */
extern int model_allocated;
#define kfree_rcu(p, member) model_kfree_rcu(&(p)->member, p)
void model_kfree_rcu(struct rcu_head *head, void *memory);

/* Completions and work. */
#define DECLARE_WAIT_QUEUE_HEAD(name) __attribute__((unused)) int name
#define wake_up_all(wait) ((void)(wait))

struct completion {
	struct mutex lock;
	pthread_cond_t wait;
	bool done;
};

void init_completion(struct completion *c);
void complete(struct completion *c);
void wait_for_completion(struct completion *c);

/* There are no device addresses here. */
struct rb_root { void *rb_node; };
struct rb_root_cached { struct rb_root rb_root; };
struct interval_tree_node { unsigned long start, last; };
#define RB_ROOT_CACHED ((struct rb_root_cached){})
#define RB_EMPTY_ROOT(root) (!READ_ONCE((root)->rb_node))

/* All variables that are waited for share one queue. */
extern struct mutex model_var_lock;
extern pthread_cond_t model_var_wait;
void wake_up_var(void *var);

#define wait_var_event(var, condition) do {				\
	mutex_lock(&model_var_lock);					\
	while (!(condition))						\
		pthread_cond_wait(&model_var_wait, &model_var_lock.m);	\
	mutex_unlock(&model_var_lock);					\
} while (0)

#define wait_var_event_killable(var, condition) ({ wait_var_event(var, condition); 0; })

struct workqueue_struct;

struct work_struct {
	struct work_struct *next;
	struct workqueue_struct *wq;
	bool pending;
	void (*function)(struct work_struct *work);
};

#define WQ_UNBOUND 0
#define INIT_WORK(work, f) (*(work) = (struct work_struct){ .function = (f) })
struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max);
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
void flush_workqueue(struct workqueue_struct *wq);
void flush_work(struct work_struct *work);

/* SRCU: as strict as the kernel's, which waits for readers that were there before. */
struct srcu_struct {
	int readers;
};

#define DEFINE_SRCU(name) struct srcu_struct name
int srcu_read_lock(struct srcu_struct *ssp);
void srcu_read_unlock(struct srcu_struct *ssp, int idx);
void synchronize_srcu(struct srcu_struct *ssp);
DEFINE_GUARD(srcu, struct srcu_struct *, srcu_read_lock(_T), srcu_read_unlock(_T, 0))

/* Maple trees. */
#define MODEL_TREE 16
#define MT_FLAGS_USE_RCU 0

struct maple_tree {
	struct mutex lock;
	struct {
		unsigned long first, last;
		void *entry;
	} slot[MODEL_TREE];
};

void mt_init_flags(struct maple_tree *mt, unsigned int flags);
void *mtree_load(struct maple_tree *mt, unsigned long index);
int mtree_insert_range(struct maple_tree *mt, unsigned long first,
		       unsigned long last, void *entry, gfp_t gfp);
void *mtree_erase(struct maple_tree *mt, unsigned long index);
void *mt_find(struct maple_tree *mt, unsigned long *index, unsigned long max);
#define mtree_destroy(mt) ((void)(mt))
#define mt_for_each(mt, entry, index, max)				\
	for (entry = mt_find(mt, &(index), max); entry;			\
	     entry = mt_find(mt, &(index), max))

/* Processes. */
struct mmu_notifier_subscriptions;

struct mm_struct {
	struct mutex lock;
	pthread_cond_t wait;
	int users;
	int count;
	unsigned long seq;
	unsigned int active;
	bool exited;
	struct mmu_interval_notifier *first;
	struct mmu_interval_notifier *deferred;
	struct mmu_notifier_subscriptions *notifier_subscriptions;
};

bool mmget_not_zero(struct mm_struct *mm);
#define mmgrab(mm) ((void)(mm))
#define non_block_start() ((void)0)
#define non_block_end() ((void)0)
void mmput_async(struct mm_struct *mm);
#define mmap_write_lock_killable(mm) 0
#define mmap_write_unlock(mm) ((void)0)
#define mmu_interval_notifier_insert_locked mmu_interval_notifier_insert

enum mmu_notifier_event {
	MMU_NOTIFY_UNMAP,
	MMU_NOTIFY_CLEAR,
	MMU_NOTIFY_PROTECTION_VMA,
	MMU_NOTIFY_PROTECTION_PAGE,
	MMU_NOTIFY_SOFT_DIRTY,
	MMU_NOTIFY_RELEASE,
	MMU_NOTIFY_MIGRATE,
	MMU_NOTIFY_EXCLUSIVE,
};

struct mmu_notifier_range {
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
	enum mmu_notifier_event event;
	bool blockable;
	void *owner;
};

#define mmu_notifier_range_blockable(range) ((range)->blockable)

struct mmu_interval_notifier_finish {
	struct mmu_interval_notifier_finish *next;
	struct mmu_interval_notifier *notifier;
};

struct mmu_interval_notifier_ops {
	bool (*invalidate)(struct mmu_interval_notifier *notifier,
			   const struct mmu_notifier_range *range,
			   unsigned long seq);
	bool (*invalidate_start)(struct mmu_interval_notifier *notifier,
				 const struct mmu_notifier_range *range,
				 unsigned long seq,
				 struct mmu_interval_notifier_finish **finish);
	void (*invalidate_finish)(struct mmu_interval_notifier_finish *finish);
};

struct mmu_interval_notifier {
	struct mm_struct *mm;
	unsigned long seq;
	unsigned long start, last;
	const struct mmu_interval_notifier_ops *ops;
	struct mmu_interval_notifier *next;
	bool gone;
};

int mmu_interval_notifier_insert(struct mmu_interval_notifier *notifier,
				 struct mm_struct *mm, unsigned long start,
				 unsigned long length,
				 const struct mmu_interval_notifier_ops *ops);
void mmu_interval_notifier_remove(struct mmu_interval_notifier *notifier);
int mmu_interval_notifier_insert_killable(struct mmu_interval_notifier *notifier,
					  struct mm_struct *mm,
					  unsigned long start,
					  unsigned long length,
					  const struct mmu_interval_notifier_ops *ops);
int mmu_interval_read_begin_killable(struct mmu_interval_notifier *notifier,
				     unsigned long *seq);
#define mmu_interval_set_seq(notifier, val) WRITE_ONCE((notifier)->seq, val)

/* Begin and end an invalidation. Begin returns false if one must not block. */
bool model_invalidate_start(const struct mmu_notifier_range *range);
void model_invalidate_end(const struct mmu_notifier_range *range);

struct mm_struct *model_mm_alloc(void);
void model_mm_drop(struct mm_struct *mm);
void model_settle(void);
extern void (*model_exit_mmap)(struct mm_struct *mm);

struct task_struct *model_current(void);
unsigned long model_jiffies(void);
struct page *make_device_exclusive(struct mm_struct *mm, unsigned long addr,
				   void *owner, struct folio **foliop);
void folio_unlock(struct folio *folio);
void folio_put(struct folio *folio);

#endif /* USERLAND_KERNEL_MIRROR_H */
