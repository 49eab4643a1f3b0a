// SPDX-License-Identifier: GPL-2.0
/*
 * integrity: the operations.
 *
 * Those that compare or change content hold the locks of the pages. Those that only
 * move pages hold none, so that they race with everything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "integrity.h"
#include "fixture_dmirror.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define RW		(PROT_READ | PROT_WRITE)
#define SPLIT		"/sys/kernel/debug/split_huge_pages"
/* In pages: how much memory a unit may have, in some of the time. */
#define SCARCE		512UL
/* How long the driver may stay in use by children that were forked, in ms. */
#define IN_USE		20000

static bool often(struct worker *worker)
{
	return below(worker, 4);
}

int unit_command(int device, unsigned long nr, const char *at, size_t npages, void *buffer)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)at, .ptr = (uintptr_t)buffer, .npages = npages,
	};

	return ioctl(device, nr, &cmd) ? -errno : 0;
}

int unit_limit(int device, size_t npages)
{
	return unit_command(device, HMM_DMIRROR_LIMIT, NULL, npages, NULL);
}

/* Run a command on a unit of the round. The driver may be reloaded before and after. */
static int unit_call(struct worker *worker, unsigned long nr, const char *at, size_t npages)
{
	int ret;

	pthread_rwlock_rdlock(&torture.devices_lock);
	ret = unit_command(torture.devices[worker->unit], nr, at, npages, worker->buffer);
	pthread_rwlock_unlock(&torture.devices_lock);
	return ret;
}

static int unit_compute(struct worker *worker, struct hmm_dmirror_compute *compute)
{
	int ret;

	pthread_rwlock_rdlock(&torture.devices_lock);
	ret = ioctl(torture.devices[worker->unit], HMM_DMIRROR_COMPUTE, compute) ? -errno : 0;
	pthread_rwlock_unlock(&torture.devices_lock);
	return ret;
}

static struct span choose_locked(struct worker *worker, size_t limit)
{
	struct span span = span_choose(worker, limit);

	span_lock(span);
	span_log(worker, span);
	return span;
}

/* A unit fails if it loses the pages again and again before it can use them. */
static bool busy(int ret)
{
	return ret == -EBUSY;
}

/* Have the unit read locked pages at @at and check them. */
static int unit_check(struct worker *worker, struct span span, const char *at)
{
	int ret = unit_call(worker, HMM_DMIRROR_READ, at, span.count);

	if (!ret)
		span_check(worker, span, worker->buffer, "a unit");
	else if (!busy(ret))
		torture_fail(worker, span, "unit %d cannot read: %s", worker->unit,
			     strerror(-ret));
	return ret;
}

/* Have the unit write new tags to locked pages. */
static int unit_write(struct worker *worker, struct span span)
{
	int ret;

	for (size_t i = 0; i < span.count; i++) {
		uint64_t tag = tag_next(worker, span.first + i);

		torture.pages[span.first + i].tag = tag;
		tag_fill(tag, worker->buffer + i * VALUES);
	}
	ret = unit_call(worker, HMM_DMIRROR_WRITE, span_at(span), span.count);
	if (!ret)
		return 0;
	/* Nobody knows how much was written. */
	span_write_cpu(worker, span);
	if (!busy(ret))
		torture_fail(worker, span, "unit %d cannot write: %s", worker->unit,
			     strerror(-ret));
	return ret;
}

/* Write by the CPU or a unit. */
static int any_write(struct worker *worker, struct span span)
{
	if (below(worker, 2))
		return unit_write(worker, span);
	span_write_cpu(worker, span);
	return 0;
}

static int any_check(struct worker *worker, struct span span)
{
	if (below(worker, 2))
		return unit_check(worker, span, span_at(span));
	span_check_cpu(worker, span, span_at(span));
	return 0;
}

static int op_cpu_read(struct worker *worker)
{
	struct span span = choose_locked(worker, 8);

	span_check_cpu(worker, span, span_at(span));
	span_unlock(span);
	return 0;
}

static int op_cpu_write(struct worker *worker)
{
	struct span span = choose_locked(worker, 8);

	if (often(worker))
		span_check_cpu(worker, span, span_at(span));
	span_write_cpu(worker, span);
	span_unlock(span);
	return 0;
}

static int op_unit_read(struct worker *worker)
{
	struct span span = choose_locked(worker, 64);
	int ret = unit_check(worker, span, span_at(span));

	span_unlock(span);
	return ret;
}

static int op_unit_write(struct worker *worker)
{
	struct span span = choose_locked(worker, 32);
	int ret;

	if (below(worker, 2))
		span_check_cpu(worker, span, span_at(span));
	ret = unit_write(worker, span);
	if (!ret && below(worker, 2))
		any_check(worker, span);
	span_unlock(span);
	return ret;
}

/* Migrate locked pages; the command reads them from the unit's memory. */
static int op_unit_migrate(struct worker *worker)
{
	struct span span = choose_locked(worker, 128);
	int ret = unit_call(worker, HMM_DMIRROR_MIGRATE_TO_DEV, span_at(span), span.count);

	if (!ret)
		span_check(worker, span, worker->buffer, "a unit that has them");
	if (!ret && below(worker, 2))
		ret = unit_write(worker, span);
	span_unlock(span);
	return ret;
}

static int op_unit_exclusive(struct worker *worker)
{
	struct span span = choose_locked(worker, 8);
	int ret = unit_call(worker, HMM_DMIRROR_EXCLUSIVE, span_at(span), span.count);

	if (!ret)
		span_check(worker, span, worker->buffer, "a unit with exclusive access");
	if (!ret)
		ret = any_write(worker, span);
	span_unlock(span);
	return ret;
}

static int64_t span_sum(struct span span)
{
	int64_t sum = 0;

	for (size_t i = 0; i < span.count; i++) {
		uint64_t tag = torture.pages[span.first + i].tag;

		for (size_t k = 0; tag && k < VALUES; k++)
			sum += (int64_t)(int32_t)(tag + k) + (int32_t)(tag >> 32);
	}
	return sum;
}

static int op_unit_sum(struct worker *worker)
{
	struct span span = choose_locked(worker, 64);
	struct hmm_dmirror_compute sum = {
		.op = HMM_DMIRROR_SUM, .x = (uintptr_t)span_at(span),
		.n = span_size(span) / sizeof(int32_t),
	};
	int ret = unit_compute(worker, &sum);

	if (!ret && sum.sum != span_sum(span)) {
		span_check_cpu(worker, span, span_at(span));
		torture_fail(worker, span, "unit %d adds up to %lld instead of %lld",
			     worker->unit, (long long)sum.sum, (long long)span_sum(span));
	} else if (ret && !busy(ret)) {
		torture_fail(worker, span, "unit %d cannot compute: %s", worker->unit,
			     strerror(-ret));
	}
	span_unlock(span);
	return ret;
}

/* A unit reads and writes pages in one step: it doubles each half of their values. */
static int op_unit_double(struct worker *worker)
{
	struct span span = choose_locked(worker, 4);
	const uint32_t *at = (const uint32_t *)span_at(span);
	size_t nr = span_size(span) / sizeof(*at);
	struct hmm_dmirror_compute compute = {
		.op = HMM_DMIRROR_SAXPY, .a = 1, .n = nr,
		.x = (uintptr_t)at, .y = (uintptr_t)at,
	};
	int ret;

	span_check_cpu(worker, span, span_at(span));
	ret = unit_compute(worker, &compute);
	for (size_t i = 0; !ret && i < nr; i++) {
		size_t value = i / 2;
		uint64_t tag = torture.pages[span.first + value / VALUES].tag;
		uint64_t was = tag ? tag + value % VALUES : 0;
		uint32_t expected = (uint32_t)(i % 2 ? was >> 32 : was) * 2;

		if (__atomic_load_n(&at[i], __ATOMIC_RELAXED) != expected) {
			torture_fail(worker, span,
				     "unit %d doubled, but half value %zu is %#x instead of %#x",
				     worker->unit, i, at[i], expected);
			break;
		}
	}
	if (ret && !busy(ret))
		torture_fail(worker, span, "unit %d cannot compute: %s", worker->unit,
			     strerror(-ret));
	span_write_cpu(worker, span);
	span_unlock(span);
	return ret;
}

static int op_move_to_unit(struct worker *worker)
{
	struct span span = span_choose(worker, often(worker) ? 64 : MAX_SPAN);

	span_log(worker, span);
	return unit_call(worker, HMM_DMIRROR_MIGRATE_TO_DEV, span_at(span), span.count);
}

static int op_move_to_system(struct worker *worker)
{
	struct span span = span_choose(worker, 128);

	span_log(worker, span);
	return unit_call(worker, HMM_DMIRROR_MIGRATE_TO_SYS, span_at(span), span.count);
}

/* A folio that cannot be allocated migrates page by page. */
static int op_move_small(struct worker *worker)
{
	struct span span = span_choose_in(worker, &parts[PART_HUGE], MAX_SPAN);
	struct hmm_dmirror_cmd fail = {
		.addr = (uintptr_t)span_at(span), .npages = HMM_DMIRROR_FLAG_FAIL_ALLOC,
	};
	int ret;

	pthread_rwlock_rdlock(&torture.devices_lock);
	ret = ioctl(torture.devices[worker->unit], HMM_DMIRROR_FLAGS, &fail) ? -errno : 0;
	pthread_rwlock_unlock(&torture.devices_lock);
	span_log(worker, span);
	return ret ?: unit_call(worker, HMM_DMIRROR_MIGRATE_TO_DEV, span_at(span),
				span.count);
}

static int op_protect(struct worker *worker)
{
	struct span span = choose_locked(worker, 64);
	int ret = mprotect(span_at(span), span_size(span), PROT_READ) ? -errno : 0;

	if (ret)
		goto out;
	any_check(worker, span);
	memset(worker->buffer, 0xee, span_size(span));
	ret = unit_call(worker, HMM_DMIRROR_WRITE, span_at(span), span.count);
	if (ret != -EPERM && !busy(ret))
		torture_fail(worker, span, "a write of unit %d to read-only memory: %s",
			     worker->unit, ret ? strerror(-ret) : "no error");
	any_check(worker, span);
	ret = mprotect(span_at(span), span_size(span), RW) ? -errno : 0;
	if (ret)
		torture_fail(worker, span, "mprotect: %s", strerror(-ret));
	if (often(worker))
		any_write(worker, span);
out:
	span_unlock(span);
	return ret;
}

static const char *swap_missing(void)
{
	return swap_ready() ? "no swap space" : NULL;
}

/* Pages of devices have swap entries too, of the types after those of swap space. */
static size_t in_swap(struct span span)
{
	uint64_t map[MAX_SPAN];
	size_t found = 0;

	if (page_map_read(span_at(span), span.count, map))
		return 0;
	for (size_t i = 0; i < span.count; i++)
		found += (map[i] & MAP_SWAPPED) &&
			 (map[i] & ((1 << MAP_SWAP_TYPE_BITS) - 1)) == 0;
	return found;
}

static const struct part *any_part(struct worker *worker)
{
	return &parts[below(worker, NR_PARTS)];
}

/*
 * Move pages to another address and back. MREMAP_DONTUNMAP: free addresses could be
 * given to other threads.
 */
static int op_mremap(struct worker *worker)
{
	const int flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
	struct span span = span_choose_in(worker, any_part(worker), 128);
	char *at = span_at(span), *away = torture.spare + (at - torture.at);
	int ret = 0;

	span_lock(span);
	span_log(worker, span);
	if (mremap(at, span_size(span), span_size(span), flags, away) == MAP_FAILED) {
		ret = -errno;
		goto out;
	}
	unit_check(worker, span, away);
	if (below(worker, 2))
		span_check_cpu(worker, span, away);
	if (mremap(away, span_size(span), span_size(span), flags, at) == MAP_FAILED) {
		ret = -errno;
		torture_fail(worker, span, "mremap: %s", strerror(-ret));
	}
	any_check(worker, span);
out:
	span_unlock(span);
	return ret;
}

static int zap_locked(struct span span)
{
	int ret = madvise(span_at(span), span_size(span), MADV_DONTNEED) ? -errno : 0;

	for (size_t i = 0; !ret && i < span.count; i++)
		torture.pages[span.first + i].tag = 0;
	return ret;
}

static int zap(struct worker *worker, struct span span)
{
	int ret;

	span_lock(span);
	span_log(worker, span);
	ret = zap_locked(span);
	if (!ret && often(worker))
		any_check(worker, span);
	if (!ret && often(worker))
		any_write(worker, span);
	span_unlock(span);
	return ret;
}

static int op_zap(struct worker *worker)
{
	return zap(worker, span_choose(worker, 64));
}

static struct span choose_huge(struct worker *worker)
{
	return (struct span){ 1024 + below(worker, 2) * 512, 512 };
}

/* Afterwards, a fault allocates a new huge page. */
static int op_zap_huge(struct worker *worker)
{
	return zap(worker, choose_huge(worker));
}

/* Absent pages that migrate are zero on the unit, not what its memory had before. */
static int op_zap_to_unit(struct worker *worker)
{
	struct span span = choose_locked(worker, 64);
	int ret = zap_locked(span);

	if (ret)
		goto out;
	ret = unit_call(worker, HMM_DMIRROR_MIGRATE_TO_DEV, span_at(span), span.count);
	if (!ret)
		span_check(worker, span, worker->buffer, "a unit that has absent pages");
	any_check(worker, span);
	if (often(worker))
		any_write(worker, span);
out:
	span_unlock(span);
	return ret;
}

/**
 * struct migrator - a thread that migrates pages which another one has locked
 * @worker: a worker of its own
 * @span: the pages
 * @back: migrate them to system memory, too
 * @started: whether it has begun
 * @ret: the result
 */
struct migrator {
	struct worker worker;
	struct span span;
	bool back;
	atomic_bool started;
	int ret;
};

static void *migrator_run(void *arg)
{
	struct migrator *m = arg;
	char *at = span_at(m->span);

	atomic_store(&m->started, true);
	m->ret = unit_call(&m->worker, HMM_DMIRROR_MIGRATE_TO_DEV, at, m->span.count);
	if (m->back)
		unit_call(&m->worker, HMM_DMIRROR_MIGRATE_TO_SYS, at, m->span.count);
	return NULL;
}

/*
 * Zap pages while they migrate: finalize must not map them again. The locks are held
 * all the time, so that only the migration can bring the old content back.
 */
static int op_zap_migrating(struct worker *worker)
{
	struct migrator m = { .worker = *worker, .back = below(worker, 2) };
	unsigned int delay = below(worker, 2000);
	pthread_t thread;
	int ret;

	m.worker.buffer = malloc(64 * PAGE);
	if (!m.worker.buffer)
		return -ENOMEM;
	m.span = span_choose(worker, 64);
	span_lock(m.span);
	span_log(worker, m.span);
	span_write_cpu(worker, m.span);
	ret = -pthread_create(&thread, NULL, migrator_run, &m);
	if (ret)
		goto out;
	while (!atomic_load(&m.started))
		;
	usleep(delay);
	ret = zap_locked(m.span);
	pthread_join(thread, NULL);
	any_check(worker, m.span);
out:
	span_unlock(m.span);
	free(m.worker.buffer);
	return ret ?: m.ret != 0;
}

/*
 * Replace pages in the middle of a large folio, and migrate all: those that took their
 * places are not of the folio.
 */
static int op_replace(struct worker *worker)
{
	const struct part *part = &parts[PART_LARGE];
	struct span span = { part->first + 16 * below(worker, part->count / 16), 16 };
	struct span middle = { span.first + 1 + below(worker, 14), 1 };
	int ret;

	span_lock(span);
	span_log(worker, span);
	/* A fault allocates a new folio. */
	ret = zap_locked(span);
	if (!ret)
		span_write_cpu(worker, span);
	if (!ret)
		ret = zap_locked(middle);
	if (ret)
		goto out;
	if (often(worker))
		span_write_cpu(worker, middle);
	ret = unit_call(worker, HMM_DMIRROR_MIGRATE_TO_DEV, span_at(span), span.count);
	if (!ret)
		span_check(worker, span, worker->buffer, "a unit that has a folio in parts");
	any_check(worker, span);
out:
	span_unlock(span);
	return ret;
}

/*
 * Mark locked pages as lazyfree. Those of a device would not be: have new ones in system
 * memory. Their content is not known before they are written.
 */
static int lazyfree_locked(struct worker *worker, struct span span)
{
	zap_locked(span);
	span_write_cpu(worker, span);
	return madvise(span_at(span), span_size(span), MADV_FREE) ? -errno : 0;
}

/*
 * Pages that are in use do not migrate, and are mapped again with their dirty bits:
 * only these show that the pages were written after MADV_FREE.
 */
static int op_lazyfree_in_use(struct worker *worker)
{
	struct span span = choose_locked(worker, 8);
	struct iovec vec = { span_at(span), span_size(span) };
	int pipes[2], ret;

	ret = lazyfree_locked(worker, span);
	span_write_cpu(worker, span);
	if (!ret && pipe2(pipes, O_CLOEXEC | O_NONBLOCK))
		ret = -errno;
	if (ret)
		goto out;
	if (vmsplice(pipes[1], &vec, 1, SPLICE_F_NONBLOCK) < 0)
		ret = -errno;
	unit_call(worker, HMM_DMIRROR_MIGRATE_TO_DEV, span_at(span), span.count);
	close(pipes[0]);
	close(pipes[1]);
	/* The first time reclaim finds that they are dirty, and swap-backed again. */
	for (int i = 0; i < 2; i++)
		madvise(span_at(span), span_size(span), MADV_PAGEOUT);
	if (!ret)
		ret = !in_swap(span);
	span_check_cpu(worker, span, span_at(span));
out:
	span_unlock(span);
	return ret;
}

/* What is written after MADV_FREE stays, no matter who wrote it. */
static int op_lazyfree(struct worker *worker)
{
	struct span span = choose_locked(worker, 64);
	int ret;

	ret = madvise(span_at(span), span_size(span), MADV_FREE) ? -errno : 0;
	if (below(worker, 2))
		madvise(span_at(span), span_size(span), MADV_PAGEOUT);
	if (below(worker, 2))
		unit_call(worker, HMM_DMIRROR_MIGRATE_TO_DEV, span_at(span), span.count);
	any_write(worker, span);
	if (below(worker, 2))
		madvise(span_at(span), span_size(span), MADV_PAGEOUT);
	any_check(worker, span);
	span_unlock(span);
	return ret;
}

static const char *ksm_missing(void)
{
	return access("/sys/kernel/mm/ksm/run", W_OK) ? "no CONFIG_KSM" : NULL;
}

/* Give pages the same content, which ksmd merges later. Whether it has merged any. */
static int op_merge(struct worker *worker)
{
	struct span span = span_choose_in(worker, &parts[PART_MERGED], 32);
	char merged[32] = "0";
	uint64_t tag;

	span_lock(span);
	span_log(worker, span);
	span_check_cpu(worker, span, span_at(span));
	tag = tag_next(worker, span.first);
	for (size_t i = 0; i < span.count; i++) {
		torture.pages[span.first + i].tag = tag;
		tag_fill(tag, (uint64_t *)(span_at(span) + i * PAGE));
	}
	span_unlock(span);
	usleep(20000);
	setting_read("/proc/self/ksm_merging_pages", merged, sizeof(merged));
	return !atol(merged);
}

static int op_unmerge(struct worker *worker)
{
	struct span span = span_choose_in(worker, &parts[PART_MERGED], 128);
	int ret;

	span_log(worker, span);
	usleep(200000);
	ret = madvise(span_at(span), span_size(span), MADV_UNMERGEABLE) ? -errno : 0;
	if (madvise(span_at(span), span_size(span), MADV_MERGEABLE))
		ret = -errno;
	return ret;
}

static int op_pageout(struct worker *worker)
{
	struct span span = span_choose(worker, 128);

	span_log(worker, span);
	if (madvise(span_at(span), span_size(span), MADV_PAGEOUT))
		return -errno;
	return !in_swap(span);
}

/* Swap out pages that were just brought to system memory; check them. */
static int op_swap(struct worker *worker)
{
	struct span span = choose_locked(worker, 32);
	int ret;

	any_write(worker, span);
	ret = madvise(span_at(span), span_size(span), MADV_PAGEOUT) ? -errno : 0;
	if (!ret)
		ret = !in_swap(span);
	any_check(worker, span);
	span_unlock(span);
	return ret;
}

static int op_collapse(struct worker *worker)
{
	struct span span = choose_huge(worker);
	bool locked = below(worker, 2);
	int ret;

	if (locked) {
		span_lock(span);
		span_check_cpu(worker, span, span_at(span));
	}
	span_log(worker, span);
	ret = madvise(span_at(span), span_size(span), MADV_COLLAPSE) ? -errno : 0;
	if (locked) {
		span_check_cpu(worker, span, span_at(span));
		span_unlock(span);
	}
	return ret;
}

static const char *split_missing(void)
{
	return access(SPLIT, W_OK) ? "no " SPLIT : NULL;
}

static unsigned long nr_split(void)
{
	unsigned long nr = 0;
	char line[80];
	FILE *file = fopen("/proc/vmstat", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "thp_split_page %lu", &nr) == 1)
			break;
	if (file)
		fclose(file);
	return nr;
}

/* Split the folios of a huge page, to a random order. */
static int op_split(struct worker *worker)
{
	struct span span = choose_huge(worker);
	unsigned long before = nr_split();
	char what[96];
	int ret;

	span_log(worker, span);
	snprintf(what, sizeof(what), "%d,%#lx,%#lx,%d", getpid(),
		 (unsigned long)span_at(span), (unsigned long)span_at(span) + span_size(span),
		 often(worker) ? 0 : 4);
	ret = setting_write(SPLIT, what);
	return ret ?: nr_split() == before;
}

/*
 * Fork.
 */

static void child_write(struct worker *worker, struct span span, int device)
{
	for (size_t i = 0; i < span.count; i++) {
		struct span one = { span.first + i, 1 };

		if (often(worker))
			continue;
		if (device < 0 || below(worker, 2)) {
			span_write_cpu(worker, one);
			continue;
		}
		torture.pages[one.first].tag = tag_next(worker, one.first);
		tag_fill(torture.pages[one.first].tag, worker->buffer);
		if (unit_command(device, HMM_DMIRROR_WRITE, span_at(one), 1, worker->buffer))
			span_write_cpu(worker, one);
	}
}

/* Pages that were locked at fork() have their content; the others may have any. */
static void child_run(struct worker *worker, struct span span, bool with_device)
{
	int device = -1;

	devices_close();
	worker->id += 100;
	if (with_device)
		device = device_open(torture.first_unit + worker->unit);
	for (int i = 0; i < 3 && !atomic_load(&torture.failed); i++) {
		if (device >= 0 && below(worker, 2))
			unit_command(device, HMM_DMIRROR_MIGRATE_TO_DEV, span_at(span),
				     span.count, worker->buffer);
		if (device >= 0 && !unit_command(device, HMM_DMIRROR_READ, span_at(span),
						 span.count, worker->buffer))
			span_check(worker, span, worker->buffer, "a unit of a child");
		span_check_cpu(worker, span, span_at(span));
		child_write(worker, span, device);
	}
	span_check_cpu(worker, span, span_at(span));
	_exit(atomic_load(&torture.failed));
}

/* Wait for a child; kill one in four early. Returns 1 if it was killed, else 0. */
static int child_wait(struct worker *worker, struct span span, pid_t child)
{
	int status = 0;

	if (!often(worker)) {
		usleep(below(worker, 20000));
		kill(child, SIGKILL);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return 1;
	if (status)
		torture_fail(worker, span, "a child ended with status %#x", status);
	return 0;
}

static int fork_once(struct worker *worker, bool with_device)
{
	struct span span = choose_locked(worker, MAX_SPAN);
	pid_t child;
	int ret;

	if (with_device)
		pthread_rwlock_rdlock(&torture.devices_lock);
	child = fork();
	if (!child)
		child_run(worker, span, with_device);
	/* -EBUSY: a page that a unit had exclusively was locked. */
	ret = child < 0 ? -errno : 0;
	span_unlock(span);
	if (!ret)
		ret = child_wait(worker, span, child);
	if (with_device)
		pthread_rwlock_unlock(&torture.devices_lock);
	return ret;
}

static int op_fork(struct worker *worker)
{
	return fork_once(worker, false);
}

static int op_fork_device(struct worker *worker)
{
	return fork_once(worker, true);
}

/*
 * Eviction, and the driver's end.
 */

static int op_evict(struct worker *worker)
{
	usleep(100000);
	return unit_call(worker, HMM_DMIRROR_RELEASE, torture.at, 1);
}

/* Change the limit of the unit's memory, and remove it: the limit is for what is added. */
static int op_limit(struct worker *worker)
{
	size_t limit = below(worker, 3) ? SCARCE << below(worker, 3) : PLENTY;
	int ret;

	usleep(100000);
	pthread_rwlock_rdlock(&torture.devices_lock);
	ret = unit_limit(torture.devices[worker->unit], limit);
	pthread_rwlock_unlock(&torture.devices_lock);
	return ret ?: unit_call(worker, HMM_DMIRROR_RELEASE, torture.at, 1);
}

static const char *reload_missing(void)
{
	char path[64];

	if (!driver_loaded())
		return "unknown driver";
	snprintf(path, sizeof(path), "/modules/%s.ko", driver_loaded());
	return access(path, R_OK) ? "the driver's module is not in /modules" : NULL;
}

/*
 * Reload the driver while pages are in its memory and CPUs use them. A child that was
 * just forked may have the files open for a moment.
 */
static int op_reload(struct worker *worker)
{
	const char *driver = driver_loaded();
	struct span first = { 0, 1 };
	uint64_t deadline;
	int ret;

	pthread_rwlock_wrlock(&torture.devices_lock);
	devices_close();
	deadline = milliseconds() + IN_USE;
	do
		ret = driver_reload(driver);
	while (ret == -EAGAIN && milliseconds() < deadline && !usleep(1000));
	if (ret)
		torture_fail(worker, first, "the driver cannot be reloaded: %s", strerror(-ret));
	else if (devices_open())
		torture_fail(worker, first, "the driver has no units after it was loaded");
	pthread_rwlock_unlock(&torture.devices_lock);
	return ret;
}

const struct kind kinds[] = {
	{ "cpu-read", CPU, 3, op_cpu_read },
	{ "cpu-write", CPU, 3, op_cpu_write },
	{ "unit-read", UNIT, 4, op_unit_read },
	{ "unit-write", UNIT, 4, op_unit_write },
	{ "unit-migrate", UNIT, 3, op_unit_migrate },
	{ "unit-exclusive", UNIT, 1, op_unit_exclusive },
	{ "unit-sum", UNIT, 1, op_unit_sum },
	{ "unit-double", UNIT, 1, op_unit_double },
	{ "move-to-unit", MOVER, 4, op_move_to_unit },
	{ "move-to-system", MOVER, 2, op_move_to_system },
	{ "move-small", MOVER, 1, op_move_small },
	{ "protect", CHANGER, 1, op_protect },
	{ "mremap", CHANGER, 1, op_mremap },
	{ "zap", CHANGER, 1, op_zap },
	{ "zap-huge", CHANGER, 1, op_zap_huge },
	{ "zap-to-unit", CHANGER, 1, op_zap_to_unit },
	{ "zap-migrating", CHANGER, 2, op_zap_migrating },
	{ "replace", CHANGER, 1, op_replace },
	{ "lazyfree", CHANGER, 1, op_lazyfree, swap_missing },
	{ "lazyfree-in-use", CHANGER, 2, op_lazyfree_in_use, swap_missing },
	{ "merge", RECLAIMER, 2, op_merge, ksm_missing },
	{ "unmerge", RECLAIMER, 1, op_unmerge, ksm_missing },
	{ "pageout", RECLAIMER, 6, op_pageout, swap_missing },
	{ "swap", CHANGER, 1, op_swap, swap_missing },
	{ "collapse", RECLAIMER, 3, op_collapse },
	{ "split", RECLAIMER, 4, op_split, split_missing },
	{ "fork", FORKER, 1, op_fork },
	{ "fork-device", FORKER, 1, op_fork_device },
	{ "evict", EVICTOR, 4, op_evict },
	{ "limit", EVICTOR, 3, op_limit },
	{ "reload", EVICTOR, 1, op_reload, reload_missing },
};

const unsigned int nr_kinds = sizeof(kinds) / sizeof(kinds[0]);
