// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics of mirrors: the file "mirrors" in debugfs.
 *
 * A reader gets mirrors by number, one at a time, each with a reference to its state and
 * to its mm. It holds no lock while it prints one, so that neither a mirror that ends nor
 * a process that exits waits for it.
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/string_helpers.h>
#include <linux/xarray.h>

#include "mirror.h"
#include "stats.h"

/* Version of the files' format: Documentation/mm/hmm/stats.rst. */
#define HMM_STATS_VERSION	1

/* The mirrors by number, from begin to end. Its lock guards the references of readers. */
static DEFINE_XARRAY_ALLOC1(hmm_mirror_stats_all);
static u32 hmm_mirror_stats_last;

struct dentry *hmm_stats_dir;

/*
 * The process of an mm, as far as it is known: its owner, or the caller. A kernel thread
 * that uses the mm is not its process.
 */
static struct task_struct *hmm_stats_task(struct mm_struct *mm)
{
	struct task_struct *task = NULL;

#ifdef CONFIG_MEMCG
	task = rcu_dereference(mm->owner);
#endif
	if (!task && current->mm == mm)
		task = current;
	return task && !(task->flags & PF_KTHREAD) ? task->group_leader : NULL;
}

/**
 * hmm_driver_name() - name the module that a callback is in
 * @name: has room for MODULE_NAME_LEN; "kernel" if the callback is in none
 * @callback: the callback; its module cannot be unloaded meanwhile
 */
void hmm_driver_name(char *name, void *callback)
{
	struct module *module;

	guard(rcu)();
	module = __module_address((unsigned long)callback);
	strscpy(name, module ? module_name(module) : "kernel", MODULE_NAME_LEN);
}

/**
 * hmm_mirror_stats_init() - prepare to count for a mirror
 * @state: of the mirror; hmm_mirror_stats_free() is called before it is freed
 *
 * Context: process context.
 */
void hmm_mirror_stats_init(struct hmm_mirror_state *state)
{
	struct hmm_mirror_stats *stats = &state->stats;
	struct task_struct *task;

	hmm_driver_name(stats->driver, state->mirror->ops->invalidate);
	guard(rcu)();
	task = hmm_stats_task(state->mm);
	if (task) {
		stats->pid = get_pid(task_tgid(task));
		get_task_comm(stats->comm, task);
	}
}

/**
 * hmm_mirror_stats_free() - free what hmm_mirror_stats_init() has references to
 * @state: of the mirror, whose last reference was dropped
 *
 * Context: any.
 */
void hmm_mirror_stats_free(struct hmm_mirror_state *state)
{
	put_pid(state->stats.pid);
}

/**
 * hmm_mirror_stats_add() - let readers find a mirror
 * @state: of the mirror, whose mm is pinned until hmm_mirror_stats_del()
 *
 * Context: process context; may sleep.
 * Return: 0; -%ENOMEM.
 */
int hmm_mirror_stats_add(struct hmm_mirror_state *state)
{
	int err = xa_alloc_cyclic(&hmm_mirror_stats_all, &state->stats.id, state,
				  xa_limit_32b, &hmm_mirror_stats_last, GFP_KERNEL);

	return min(err, 0);
}

/**
 * hmm_mirror_stats_del() - no reader finds a mirror from here on
 * @state: of the mirror
 *
 * Readers that have found it before have references. They are not waited for.
 *
 * Context: process context.
 */
void hmm_mirror_stats_del(struct hmm_mirror_state *state)
{
	xa_erase(&hmm_mirror_stats_all, state->stats.id);
}

/* The first mirror whose number is at least @id, with references; or NULL. */
static struct hmm_mirror_state *hmm_mirror_stats_get(unsigned long id)
{
	struct hmm_mirror_state *state;

	guard(spinlock)(&hmm_mirror_stats_all.xa_lock);
	state = xa_find(&hmm_mirror_stats_all, &id, U32_MAX, XA_PRESENT);
	if (state) {
		/* The mirror has one of each until it was removed under this lock. */
		refcount_inc(&state->ref);
		mmgrab(state->mm);
	}
	return state;
}

static void *hmm_mirror_stats_start(struct seq_file *m, loff_t *pos)
{
	if (!*pos)
		return SEQ_START_TOKEN;
	return *pos <= U32_MAX ? hmm_mirror_stats_get(*pos) : NULL;
}

static void hmm_mirror_stats_stop(struct seq_file *m, void *v)
{
	struct hmm_mirror_state *state = v;

	if (!v || v == SEQ_START_TOKEN)
		return;
	mmdrop(state->mm);
	hmm_mirror_state_put(state);
}

static void *hmm_mirror_stats_next(struct seq_file *m, void *v, loff_t *pos)
{
	if (v == SEQ_START_TOKEN)
		*pos = 1;
	else
		*pos = ((struct hmm_mirror_state *)v)->stats.id + 1ULL;
	hmm_mirror_stats_stop(m, v);
	return hmm_mirror_stats_start(m, pos);
}

static unsigned long hmm_mirror_stats_read(const struct hmm_mirror_state *state,
					   enum hmm_mirror_count what)
{
	return atomic_long_read(&state->stats.counts[what]);
}

/*
 * How many ranges there are, and the bytes in them, as far as the process can map memory
 * there. Ranges may end meanwhile.
 */
static void hmm_mirror_stats_ranges(struct seq_file *m, struct hmm_mirror_state *state)
{
	const struct hmm_span user = { .end = state->mm->task_size };
	unsigned long index = 0, ranges = 0, bytes = 0;
	struct hmm_interval *interval;

	scoped_guard(rcu) {
		mt_for_each(&state->ranges, interval, index, ULONG_MAX) {
			struct hmm_span span = hmm_span_clip(interval->span, user);

			ranges++;
			if (span.start < span.end)
				bytes += span.end - span.start;
		}
	}
	seq_printf(m, " ranges=%lu mirrored=%lu", ranges, bytes);
}

static int hmm_mirror_stats_show(struct seq_file *m, void *v)
{
	struct hmm_mirror_state *state = v;
	struct hmm_mirror_stats *stats;

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "version=%d\n", HMM_STATS_VERSION);
		return 0;
	}
	stats = &state->stats;
	seq_printf(m, "mirror=%u pid=%d owner=%llu", stats->id,
		   pid_nr_ns(stats->pid, task_active_pid_ns(current)),
		   state->owner ? hmm_devmem_stats_owner(state->owner) : 0);
	hmm_mirror_stats_ranges(m, state);
	seq_printf(m, " resident=%lu",
		   hmm_resident_pages(state->mm, state->owner) << PAGE_SHIFT);
	seq_printf(m, " faults=%lu populated=%lu errors=%lu",
		   hmm_mirror_stats_read(state, HMM_COUNT_FAULTS),
		   hmm_mirror_stats_read(state, HMM_COUNT_PAGES) << PAGE_SHIFT,
		   hmm_mirror_stats_read(state, HMM_COUNT_ERRORS));
	seq_printf(m, " retries_invalidated=%lu retries_dropped=%lu invalidations=%lu",
		   hmm_mirror_stats_read(state, HMM_COUNT_INVALIDATED),
		   hmm_mirror_stats_read(state, HMM_COUNT_DROPPED),
		   hmm_mirror_stats_read(state, HMM_COUNT_INVALIDATIONS));
	seq_printf(m, " peers=%lu", hmm_mirror_stats_read(state, HMM_COUNT_PEERS) << PAGE_SHIFT);
	seq_printf(m, " driver=%s comm=", stats->driver);
	seq_escape_mem(m, stats->comm, strlen(stats->comm),
		       ESCAPE_OCTAL | ESCAPE_NP | ESCAPE_APPEND, " =\\");
	seq_putc(m, '\n');
	return 0;
}

const struct seq_operations hmm_mirror_stats_sops = {
	.start	= hmm_mirror_stats_start,
	.next	= hmm_mirror_stats_next,
	.stop	= hmm_mirror_stats_stop,
	.show	= hmm_mirror_stats_show,
};
DEFINE_SEQ_ATTRIBUTE(hmm_mirror_stats);

static int __init hmm_mirror_stats_setup(void)
{
	hmm_stats_dir = debugfs_create_dir("hmm", NULL);
	debugfs_create_file("mirrors", 0400, hmm_stats_dir, NULL,
			    &hmm_mirror_stats_fops);
	return 0;
}
fs_initcall(hmm_mirror_stats_setup);
