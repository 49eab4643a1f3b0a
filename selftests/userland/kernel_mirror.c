// SPDX-License-Identifier: GPL-2.0
/* The model of the kernel around mirrors; see kernel_mirror.h. */
#include <string.h>
#include <time.h>

#include "kernel.h"

struct task_struct *model_current(void)
{
	static __thread char task;

	return (struct task_struct *)&task;
}

unsigned long model_jiffies(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * HZ + ts.tv_nsec / (1000000000 / HZ);
}

/* RCU: a grace period is the lock for writing. */
static pthread_rwlock_t rcu = PTHREAD_RWLOCK_INITIALIZER;
static struct mutex freed_lock = { PTHREAD_MUTEX_INITIALIZER };
static struct rcu_head *freed;
static __thread int rcu_depth;

void rcu_read_lock(void)
{
	if (!rcu_depth++)
		pthread_rwlock_rdlock(&rcu);
}

void rcu_read_unlock(void)
{
	if (!--rcu_depth)
		pthread_rwlock_unlock(&rcu);
}

int model_allocated;

void *model_kzalloc(size_t size)
{
	__atomic_add_fetch(&model_allocated, 1, __ATOMIC_RELAXED);
	return calloc(1, size);
}

void model_kfree(void *p)
{
	__atomic_sub_fetch(&model_allocated, !!p, __ATOMIC_RELAXED);
	free(p);
}

static void free_all(void)
{
	struct rcu_head *list, *next;

	spin_lock(&freed_lock);
	list = freed;
	freed = NULL;
	spin_unlock(&freed_lock);
	pthread_rwlock_wrlock(&rcu);
	pthread_rwlock_unlock(&rcu);
	for (; list; list = next) {
		next = list->next;
		model_kfree(list->memory);
	}
}

/* Completions and work. */
void init_completion(struct completion *c)
{
	mutex_init(&c->lock);
	pthread_cond_init(&c->wait, NULL);
	c->done = false;
}

void complete(struct completion *c)
{
	mutex_lock(&c->lock);
	c->done = true;
	pthread_cond_broadcast(&c->wait);
	mutex_unlock(&c->lock);
}

void wait_for_completion(struct completion *c)
{
	mutex_lock(&c->lock);
	while (!c->done)
		pthread_cond_wait(&c->wait, &c->lock.m);
	mutex_unlock(&c->lock);
}

struct mutex model_var_lock = { .m = PTHREAD_MUTEX_INITIALIZER };
pthread_cond_t model_var_wait = PTHREAD_COND_INITIALIZER;

void wake_up_var(void *var)
{
	mutex_lock(&model_var_lock);
	pthread_cond_broadcast(&model_var_wait);
	mutex_unlock(&model_var_lock);
}

struct workqueue_struct {
	struct mutex lock;
	pthread_cond_t wait;
	struct work_struct *first, **last;
	bool busy;
};

static struct workqueue_struct *new_queue(void)
{
	struct workqueue_struct *wq = calloc(1, sizeof(*wq));

	mutex_init(&wq->lock);
	pthread_cond_init(&wq->wait, NULL);
	wq->last = &wq->first;
	return wq;
}

static void *worker(void *arg)
{
	struct workqueue_struct *wq = arg;
	struct work_struct *work;

	mutex_lock(&wq->lock);
	while (true) {
		while (!wq->first)
			pthread_cond_wait(&wq->wait, &wq->lock.m);
		work = wq->first;
		wq->first = work->next;
		work->pending = false;
		if (!wq->first)
			wq->last = &wq->first;
		wq->busy = true;
		mutex_unlock(&wq->lock);
		/* The work can free itself. */
		work->function(work);
		mutex_lock(&wq->lock);
		wq->busy = false;
		pthread_cond_broadcast(&wq->wait);
	}
	return NULL;
}

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max)
{
	struct workqueue_struct *wq = new_queue();
	pthread_t thread;

	pthread_create(&thread, NULL, worker, wq);
	pthread_detach(thread);
	return wq;
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	bool queued;

	mutex_lock(&wq->lock);
	queued = !work->pending;
	if (queued) {
		work->pending = true;
		work->next = NULL;
		__atomic_store_n(&work->wq, wq, __ATOMIC_RELEASE);
		*wq->last = work;
		wq->last = &work->next;
		pthread_cond_broadcast(&wq->wait);
	}
	mutex_unlock(&wq->lock);
	return queued;
}

/* Not called by the thread that works. */
void flush_work(struct work_struct *work)
{
	struct workqueue_struct *wq = __atomic_load_n(&work->wq, __ATOMIC_ACQUIRE);

	if (wq)
		flush_workqueue(wq);
}

void flush_workqueue(struct workqueue_struct *wq)
{
	mutex_lock(&wq->lock);
	while (wq->first || wq->busy)
		pthread_cond_wait(&wq->wait, &wq->lock.m);
	mutex_unlock(&wq->lock);
}

int srcu_read_lock(struct srcu_struct *ssp)
{
	mutex_lock(&model_var_lock);
	ssp->readers++;
	mutex_unlock(&model_var_lock);
	return 0;
}

void srcu_read_unlock(struct srcu_struct *ssp, int idx)
{
	mutex_lock(&model_var_lock);
	ssp->readers--;
	mutex_unlock(&model_var_lock);
	wake_up_var(ssp);
}

void synchronize_srcu(struct srcu_struct *ssp)
{
	wait_var_event(ssp, !ssp->readers);
}

/* Work of the model: the end of processes, RCU. */
static struct workqueue_struct *system_wq;

__attribute__((constructor(101))) static void model_setup(void)
{
	system_wq = alloc_workqueue("system", 0, 0);
}

static void free_work(struct work_struct *work)
{
	free(work);
	free_all();
}

static void queue_function(void (*function)(struct work_struct *work))
{
	struct work_struct *work = malloc(sizeof(*work));

	INIT_WORK(work, function);
	queue_work(system_wq, work);
}

void model_kfree_rcu(struct rcu_head *head, void *memory)
{
	head->memory = memory;
	spin_lock(&freed_lock);
	head->next = freed;
	freed = head;
	spin_unlock(&freed_lock);
	queue_function(free_work);
}

/* Maple trees. */
void mt_init_flags(struct maple_tree *mt, unsigned int flags)
{
	memset(mt, 0, sizeof(*mt));
	mutex_init(&mt->lock);
}

void *mtree_load(struct maple_tree *mt, unsigned long index)
{
	return mt_find(mt, &index, index);
}

/* The first entry from @index on; moves @index behind it. */
void *mt_find(struct maple_tree *mt, unsigned long *index, unsigned long max)
{
	void *entry = NULL;
	unsigned long first = ULONG_MAX, last = 0;
	int i;

	/* The entry before was the last one of all. */
	if (*index > max)
		return NULL;
	mutex_lock(&mt->lock);
	for (i = 0; i < MODEL_TREE; i++)
		if (mt->slot[i].entry && mt->slot[i].last >= *index &&
		    mt->slot[i].first <= max && mt->slot[i].first <= first) {
			entry = mt->slot[i].entry;
			first = mt->slot[i].first;
			last = mt->slot[i].last;
		}
	mutex_unlock(&mt->lock);
	if (entry)
		*index = last + 1;
	return entry;
}

int mtree_insert_range(struct maple_tree *mt, unsigned long first,
		       unsigned long last, void *entry, gfp_t gfp)
{
	int i, room = -1, ret = 0;

	mutex_lock(&mt->lock);
	for (i = 0; i < MODEL_TREE; i++) {
		if (!mt->slot[i].entry)
			room = i;
		else if (mt->slot[i].first <= last && mt->slot[i].last >= first)
			ret = -EEXIST;
	}
	if (!ret && room < 0)
		ret = -ENOMEM;
	if (!ret) {
		mt->slot[room].first = first;
		mt->slot[room].last = last;
		mt->slot[room].entry = entry;
	}
	mutex_unlock(&mt->lock);
	return ret;
}

void *mtree_erase(struct maple_tree *mt, unsigned long index)
{
	void *entry = NULL;
	int i;

	mutex_lock(&mt->lock);
	for (i = 0; i < MODEL_TREE; i++)
		if (mt->slot[i].entry && mt->slot[i].first <= index &&
		    mt->slot[i].last >= index) {
			entry = mt->slot[i].entry;
			mt->slot[i].entry = NULL;
		}
	mutex_unlock(&mt->lock);
	return entry;
}

/* Processes. */
void (*model_exit_mmap)(struct mm_struct *mm);

struct mm_struct *model_mm_alloc(void)
{
	struct mm_struct *mm = calloc(1, sizeof(*mm));

	mutex_init(&mm->lock);
	pthread_cond_init(&mm->wait, NULL);
	mm->users = 1;
	mm->count = 1;
	mm->seq = 2;
	return mm;
}

void model_mm_drop(struct mm_struct *mm)
{
	if (!__atomic_sub_fetch(&mm->count, 1, __ATOMIC_SEQ_CST))
		free(mm);
}

bool mmget_not_zero(struct mm_struct *mm)
{
	return model_inc_not_zero(&mm->users);
}

struct exit_work {
	struct work_struct work;
	struct mm_struct *mm;
};

/* Report the end to all, as mmu_notifier_release(), then unmap. */
static void exit_work(struct work_struct *work)
{
	struct exit_work *e = container_of(work, struct exit_work, work);
	const struct mmu_notifier_range release = {
		.mm = e->mm,
		.end = ULONG_MAX,
		.event = MMU_NOTIFY_RELEASE,
		.blockable = true,
	};

	model_invalidate_start(&release);
	model_invalidate_end(&release);
	model_exit_mmap(e->mm);
	model_mm_drop(e->mm);
	free(e);
}

void mmput_async(struct mm_struct *mm)
{
	struct exit_work *e;

	if (__atomic_sub_fetch(&mm->users, 1, __ATOMIC_SEQ_CST))
		return;
	e = malloc(sizeof(*e));
	e->mm = mm;
	INIT_WORK(&e->work, exit_work);
	queue_work(system_wq, &e->work);
}

/* Wait for all ends of processes and grace periods. */
void model_settle(void)
{
	flush_workqueue(system_wq);
}

/* Interval notifiers. */
static void link_notifier(struct mmu_interval_notifier **list,
			  struct mmu_interval_notifier *notifier)
{
	/* By address, as the kernel calls them. */
	while (*list && (*list)->start < notifier->start)
		list = &(*list)->next;
	notifier->next = *list;
	*list = notifier;
}

static void unlink_notifier(struct mmu_interval_notifier **list,
			    struct mmu_interval_notifier *notifier)
{
	while (*list && *list != notifier)
		list = &(*list)->next;
	if (*list)
		*list = notifier->next;
}

int mmu_interval_notifier_insert(struct mmu_interval_notifier *notifier,
				 struct mm_struct *mm, unsigned long start,
				 unsigned long length,
				 const struct mmu_interval_notifier_ops *ops)
{
	notifier->mm = mm;
	notifier->start = start;
	notifier->last = start + length - 1;
	notifier->ops = ops;
	notifier->gone = false;
	__atomic_add_fetch(&mm->count, 1, __ATOMIC_SEQ_CST);
	smp_store_release(&mm->notifier_subscriptions, (void *)mm);
	mutex_lock(&mm->lock);
	if (mm->active) {
		/* Not called for what runs already: readers wait for its end. */
		mm->seq |= 1;
		WRITE_ONCE(notifier->seq, mm->seq);
		notifier->next = mm->deferred;
		mm->deferred = notifier;
	} else {
		WRITE_ONCE(notifier->seq, mm->seq - 1);
		link_notifier(&mm->first, notifier);
	}
	mutex_unlock(&mm->lock);
	return 0;
}

void mmu_interval_notifier_remove(struct mmu_interval_notifier *notifier)
{
	struct mm_struct *mm = notifier->mm;

	mutex_lock(&mm->lock);
	/* An invalidation that runs can still call it. */
	notifier->gone = true;
	while (mm->active)
		pthread_cond_wait(&mm->wait, &mm->lock.m);
	unlink_notifier(&mm->first, notifier);
	unlink_notifier(&mm->deferred, notifier);
	mutex_unlock(&mm->lock);
	model_mm_drop(mm);
}

bool mmu_interval_check_retry(struct mmu_interval_notifier *notifier,
			      unsigned long seq)
{
	return READ_ONCE(notifier->seq) != seq;
}

unsigned long mmu_interval_read_begin(struct mmu_interval_notifier *notifier)
{
	struct mm_struct *mm = notifier->mm;
	unsigned long seq;

	mutex_lock(&mm->lock);
	seq = READ_ONCE(notifier->seq);
	/* Its own invalidation is running. */
	while (seq == mm->seq)
		pthread_cond_wait(&mm->wait, &mm->lock.m);
	mutex_unlock(&mm->lock);
	return seq;
}

/* These two are the core's own: it appends them to the kernel's mmu_notifier.c. */
int mmu_interval_notifier_insert_killable(struct mmu_interval_notifier *notifier,
					  struct mm_struct *mm,
					  unsigned long start,
					  unsigned long length,
					  const struct mmu_interval_notifier_ops *ops)
{
	return mmu_interval_notifier_insert(notifier, mm, start, length, ops);
}

int mmu_interval_read_begin_killable(struct mmu_interval_notifier *notifier,
				     unsigned long *seq)
{
	*seq = mmu_interval_read_begin(notifier);
	return 0;
}

/* The first pass of a notifier. */
static bool model_invalidate_one(struct mmu_interval_notifier *notifier,
				 const struct mmu_notifier_range *range, unsigned long seq,
				 struct mmu_interval_notifier_finish **second)
{
	struct mmu_interval_notifier_finish *finish = NULL;

	if (!notifier->ops->invalidate_start)
		return notifier->ops->invalidate(notifier, range, seq);
	if (!notifier->ops->invalidate_start(notifier, range, seq, &finish))
		return false;
	if (finish) {
		finish->notifier = notifier;
		finish->next = *second;
		*second = finish;
	}
	return true;
}

bool model_invalidate_start(const struct mmu_notifier_range *range)
{
	struct mmu_interval_notifier_finish *second = NULL, *finish;
	struct mm_struct *mm = range->mm;
	struct mmu_interval_notifier *notifier;
	unsigned long seq;
	bool done = true;

	mutex_lock(&mm->lock);
	mm->active++;
	mm->seq |= 1;
	seq = mm->seq;
	notifier = mm->first;
	mutex_unlock(&mm->lock);
	/* The list is as it is until the end: additions and removals wait. */
	for (; notifier; notifier = notifier->next)
		if (notifier->start < range->end && notifier->last >= range->start &&
		    !model_invalidate_one(notifier, range, seq, &second))
			done = false;
	while ((finish = second)) {
		second = finish->next;
		finish->notifier->ops->invalidate_finish(finish);
	}
	if (!done && range->blockable)
		model_broken("a notifier refused although it may block");
	if (!done)
		model_invalidate_end(range);
	return done;
}

void model_invalidate_end(const struct mmu_notifier_range *range)
{
	struct mm_struct *mm = range->mm;
	struct mmu_interval_notifier *notifier, *next;

	mutex_lock(&mm->lock);
	if (!--mm->active) {
		mm->seq++;
		for (notifier = mm->deferred; notifier; notifier = next) {
			next = notifier->next;
			link_notifier(&mm->first, notifier);
		}
		mm->deferred = NULL;
		pthread_cond_broadcast(&mm->wait);
	}
	mutex_unlock(&mm->lock);
}
