// SPDX-License-Identifier: GPL-2.0
/*
 * hostile: a user without privileges cannot harm the kernel, or read or change the
 * memory of another process, with any calls of a sample driver and the mm.
 *
 * Three processes: a hostile one, whose threads call the ioctls and mmap() of all units,
 * and system calls of the mm beside them, at random (hostile_ops.c); a victim of another
 * user, whose memory is full of a secret that moves to and from the units; and this one,
 * the administrator, who evicts pages and watches the others. The hostile process
 * compares everything that it reads with the secret.
 *
 * SEED= is the seed (default 1), DURATION= the seconds (default 10), in rounds of at most
 * 10 s with a new hostile process. Each round prints its seed, which repeats the calls of
 * each thread, but not the order between threads; in a kernel with KCOV, by which calls are
 * chosen (hostile_guide.c), only with GUIDE=0.
 *
 * A kind of call that never succeeded fails, as it tested nothing: the last round
 * continues, for at most a minute, until each kind has.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "endings.h"
#include "hostile.h"
#include "fixture_dmirror.h"

#define ROUND_MS	10000
#define LONGER_MS	60000
#define PROGRESS_MS	10000
/* A call that takes longer hangs. In a debug kernel some take seconds. */
#define HANG_MS		100000
/* How long processes, the driver and its memory may take to end. */
#define END_MS		100000

/* Users that own nothing. */
#define HOSTILE_USER	65534
#define VICTIM_USER	65533

#define VICTIM_PAGES	256UL
#define KEEP_PAGES	64UL
/* What the units may have, in pages, when there is a limit. */
#define SCARCE		512UL

struct shared *shared;
struct system machine;

uint64_t next(uint64_t *stream)
{
	uint64_t z = *stream += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static uint64_t milliseconds(void)
{
	return monotonic_seconds() * 1000;
}

/* Processes may be killed in here: the first failure is stored whole, or not at all. */
void hostile_fail(const char *format, ...)
{
	char text[FAILURE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(1, "# SEED=%lu: %s\n", atomic_load(&shared->seed), text);
	if (atomic_exchange(&shared->failed, true))
		return;
	memcpy(shared->failure, text, sizeof(text));
	atomic_store(&shared->stop, true);
}

static bool user_become(unsigned int user)
{
	return !setresgid(user, user, user) && !setresuid(user, user, user) &&
	       !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/*
 * The victim.
 */

struct victim {
	uint64_t secret;
	uint64_t stream;
	uint64_t *at;
	uint64_t *buffer;
	int devices[MAX_UNITS];
};

static uint64_t secret_value(const struct victim *victim, size_t i)
{
	return victim->secret | i;
}

static void secret_fill(const struct victim *victim, size_t first, size_t npages)
{
	for (size_t i = first * PAGE / 8; i < (first + npages) * PAGE / 8; i++)
		victim->at[i] = secret_value(victim, i);
}

static void secret_check(const struct victim *victim, const uint64_t *values, size_t first,
			 size_t npages, const char *reader)
{
	for (size_t i = 0; i < npages * PAGE / 8; i++) {
		if (values[i] != secret_value(victim, first * PAGE / 8 + i)) {
			hostile_fail("value %zu of page %zu of the victim is %#lx for %s, %#lx for the CPU, and not %#lx",
				     i % (PAGE / 8), first + i / (PAGE / 8), values[i], reader,
				     victim->at[first * PAGE / 8 + i],
				     secret_value(victim, first * PAGE / 8 + i));
			return;
		}
	}
	atomic_fetch_add(&shared->victim_checks, 1);
}

/* EBUSY: the pages were taken away again and again before the unit could use them. */
static bool victim_call(struct victim *victim, unsigned long nr, size_t first, size_t npages)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)victim->at + first * PAGE, .npages = npages,
		.ptr = (uintptr_t)victim->buffer,
	};
	int ret = ioctl(victim->devices[next(&victim->stream) % machine.nr_units], nr, &cmd) ?
		  -errno : 0;

	if (!ret || ret == -EBUSY)
		return !ret;
	if (nr == HMM_DMIRROR_MIGRATE_TO_DEV && (ret == -ENOENT || ret == -ENOMEM))
		return false;
	hostile_fail("the victim's command %lx fails: %s", nr, strerror(-ret));
	return false;
}

/* Free pages with the secret, so that others get them next, and fill new ones. */
static void victim_renew(struct victim *victim, size_t first, size_t npages)
{
	if (mmap(victim->at + first * PAGE / 8, npages * PAGE, RW,
		 MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE, -1, 0) == MAP_FAILED) {
		hostile_fail("the victim has no memory: %s", strerror(errno));
		return;
	}
	secret_fill(victim, first, npages);
}

static void victim_step(struct victim *victim)
{
	uint64_t choice = next(&victim->stream);
	size_t first = (choice >> 8) % VICTIM_PAGES, npages = 1 + (choice >> 32) % KEEP_PAGES;
	uint64_t *at = victim->at + first * PAGE / 8;

	if (first + npages > VICTIM_PAGES)
		npages = VICTIM_PAGES - first;
	switch (choice % 8) {
	case 0:
		victim_renew(victim, first, npages);
		break;
	case 1:
		madvise(at, npages * PAGE, MADV_PAGEOUT);
		break;
	case 2:
		secret_check(victim, at, first, npages, "the CPU");
		break;
	case 3:
		if (machine.has_memory)
			victim_call(victim, HMM_DMIRROR_MIGRATE_TO_SYS, first, npages);
		break;
	case 4:
		memcpy(victim->buffer, at, npages * PAGE);
		victim_call(victim, HMM_DMIRROR_WRITE, first, npages);
		break;
	case 5:
		if (victim_call(victim, HMM_DMIRROR_READ, first, npages))
			secret_check(victim, victim->buffer, first, npages, "a unit");
		break;
	default:
		if (machine.has_memory &&
		    victim_call(victim, HMM_DMIRROR_MIGRATE_TO_DEV, first, npages))
			secret_check(victim, victim->buffer, first, npages, "a unit with the pages");
	}
}

/* Only this process knows the secret; others get it XOR the mask. */
static void victim_run(int report)
{
	struct victim victim = { .stream = atomic_load(&shared->seed) };
	uint64_t masked;

	if (!user_become(VICTIM_USER) ||
	    getrandom(&victim.secret, sizeof(victim.secret), 0) != sizeof(victim.secret))
		_exit(1);
	victim.secret = victim.secret >> SECRET_SHIFT << SECRET_SHIFT;
	victim.at = mmap(NULL, VICTIM_PAGES * PAGE, RW, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	victim.buffer = mmap(NULL, KEEP_PAGES * PAGE, RW, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	if (victim.at == MAP_FAILED || victim.buffer == MAP_FAILED)
		_exit(1);
	for (unsigned int i = 0; i < machine.nr_units; i++) {
		victim.devices[i] = device_open(i);
		if (victim.devices[i] < 0)
			_exit(1);
	}
	secret_fill(&victim, 0, VICTIM_PAGES);
	masked = victim.secret ^ machine.mask;
	if (write(report, &masked, sizeof(masked)) != sizeof(masked))
		_exit(1);
	/* Most of the time is for the others. */
	while (!atomic_load(&shared->stop)) {
		victim_step(&victim);
		usleep(2000);
	}
	secret_check(&victim, victim.at, 0, VICTIM_PAGES, "the CPU, at the end");
	_exit(0);
}

/*
 * The hostile process.
 */

static bool documented(const short *errors, int error)
{
	if (!errors)
		return true;
	for (; *errors; errors++)
		if (*errors == error)
			return true;
	return false;
}

static void worker_do(struct worker *worker)
{
	unsigned int i = worker->call.kind;
	struct count *count = &shared->counts[i];
	int ret;

	atomic_store(&worker->slot->kind, i);
	atomic_fetch_add(&worker->slot->calls, 1);
	guide_begin(worker);
	ret = kinds[i].op(worker);
	guide_end(worker);
	atomic_fetch_add(&count->tried, 1);
	if (!kinds[i].errors)
		atomic_fetch_add(&shared->others, 1);
	if (!ret) {
		atomic_fetch_add(&count->done, 1);
		return;
	}
	atomic_fetch_add(&count->errors[-ret < MAX_ERRNO ? -ret : 0], 1);
	if (!documented(kinds[i].errors, -ret))
		hostile_fail("%s fails with an error that is not documented: %s", kinds[i].name,
			     strerror(-ret));
}

/* In the time that is added, what has not succeeded yet is called more often. */
static unsigned int kind_choose(struct worker *worker, const unsigned int *own, unsigned int nr)
{
	unsigned int i = own[next(&worker->stream) % nr];

	for (int tries = 0; atomic_load(&shared->longer) && shared->counts[i].done && tries < 64;
	     tries++)
		i = next(&worker->stream) % nr_kinds;
	return i;
}

static void *worker_run(void *arg)
{
	struct worker *worker = arg;
	unsigned int own[1024], nr = 0;

	for (unsigned int i = 0; i < nr_kinds; i++)
		for (unsigned int n = 0; n < kinds[i].weight && nr < 1024; n++)
			own[nr++] = i;
	guide_start(worker);
	while (!atomic_load(&shared->stop)) {
		guide_choose(worker, kind_choose(worker, own, nr));
		worker_do(worker);
	}
	return NULL;
}

static void hostile_run(uint64_t seed)
{
	static struct worker workers[NR_THREADS];
	pthread_t threads[NR_THREADS], server;

	guard_install();
	guide_open();
	if (!user_become(HOSTILE_USER) || arena_make())
		_exit(2);
	for (unsigned int i = 0; i < NR_THREADS; i++) {
		struct worker *worker = &workers[i];

		*worker = (struct worker){
			.id = i, .stream = seed * 0x100000001b3 + i, .slot = &shared->slots[i],
			.buffer = mmap((void *)(BUFFERS + i * BUFFER_GAP), BUFFER_PAGES * PAGE, RW,
				       MAP_FIXED_NOREPLACE | MAP_ANONYMOUS | MAP_PRIVATE, -1, 0),
		};
		if (worker->buffer == MAP_FAILED)
			_exit(2);
	}
	if (pthread_create(&server, NULL, uffd_run, NULL))
		_exit(2);
	for (unsigned int i = 0; i < NR_THREADS; i++)
		if (pthread_create(&threads[i], NULL, worker_run, &workers[i]))
			_exit(2);
	for (unsigned int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/*
 * The administrator.
 */

static int admin_devices[MAX_UNITS];

static int admin_call(unsigned int unit, unsigned long nr, struct hmm_dmirror_cmd cmd)
{
	cmd.npages = cmd.npages ?: 1;
	return ioctl(admin_devices[unit], nr, &cmd) ? -errno : 0;
}

/* Take the memory of a unit away from everyone, and limit what it has next. */
static void admin_step(uint64_t *stream)
{
	unsigned int unit = next(stream) % machine.nr_units;
	struct hmm_dmirror_cmd limit = {
		.npages = SCARCE << next(stream) % 4, .addr = 0,
	};

	if (!machine.has_memory)
		return;
	admin_call(unit, HMM_DMIRROR_LIMIT, limit);
	if (!admin_call(unit, HMM_DMIRROR_RELEASE, (struct hmm_dmirror_cmd){ 0 }))
		atomic_fetch_add(&shared->evictions, 1);
	admin_call(unit, HMM_DMIRROR_COPY_DELAY, (struct hmm_dmirror_cmd){
		.ptr = next(stream) % 8 == 0 });
	if (next(stream) % 8 == 0)
		admin_call(unit, HMM_DMIRROR_RETIRE, (struct hmm_dmirror_cmd){
			.addr = next(stream) % SCARCE * PAGE });
}

/* What the watchdog has seen of a thread: how many calls, and since when no more. */
static struct {
	unsigned long calls;
	uint64_t since;
} seen[NR_THREADS];

static bool hangs(void)
{
	uint64_t now = milliseconds();

	for (unsigned int i = 0; i < NR_THREADS; i++) {
		struct slot *slot = &shared->slots[i];
		unsigned long calls = atomic_load(&slot->calls);

		if (calls != seen[i].calls || !seen[i].since) {
			seen[i].calls = calls;
			seen[i].since = now;
		} else if (now > seen[i].since + HANG_MS) {
			hostile_fail("thread %u hangs in %s (%#lx, %lu pages)", i,
				     kinds[atomic_load(&slot->kind)].name,
				     atomic_load(&slot->addr), atomic_load(&slot->npages));
			setting_write("/proc/sysrq-trigger", "w");
			return true;
		}
	}
	return false;
}

static bool all_done(void)
{
	for (unsigned int i = 0; i < nr_kinds; i++)
		if (!shared->counts[i].done && !(kinds[i].missing && kinds[i].missing()))
			return false;
	return true;
}

static void progress(uint64_t started)
{
	dprintf(1, "# %llu s of this round: %lu calls of the driver, %lu others\n",
		(unsigned long long)(milliseconds() - started) / 1000,
		atomic_load(&shared->calls), atomic_load(&shared->others));
}

static void round_wait(uint64_t seed, unsigned int ms, bool last)
{
	uint64_t started = milliseconds(), shown = started, stream = seed;

	while (!atomic_load(&shared->stop) && !hangs()) {
		uint64_t now = milliseconds();

		if (now - shown >= PROGRESS_MS) {
			shown = now;
			progress(started);
		}
		if (now - started >= ms + (last ? LONGER_MS : 0) ||
		    (now - started >= ms && (!last || all_done())))
			break;
		atomic_store(&shared->longer, now - started >= ms);
		usleep(50000);
		admin_step(&stream);
	}
	atomic_store(&shared->stop, true);
}

/* Wait for a child's end; returns its status, or -1 if it did not end. */
static int child_end(pid_t child)
{
	uint64_t deadline = milliseconds() + END_MS;
	int status;

	while (waitpid(child, &status, WNOHANG) != child) {
		if (milliseconds() > deadline)
			return -1;
		usleep(10000);
	}
	return status;
}

static void child_check(pid_t child, const char *who)
{
	int status = child_end(child);

	if (status == -1) {
		hostile_fail("the %s does not end", who);
		setting_write("/proc/sysrq-trigger", "w");
		kill(child, SIGKILL);
	} else if (status) {
		hostile_fail("the %s ended with status %#x", who, status);
	}
}

static void round_run(uint64_t seed, unsigned int ms, bool last)
{
	int report[2];
	pid_t victim, hostile;

	atomic_store(&shared->stop, false);
	atomic_store(&shared->longer, false);
	atomic_store(&shared->seed, seed);
	memset(shared->slots, 0, sizeof(shared->slots));
	memset(seen, 0, sizeof(seen));
	dprintf(1, "# SEED=%llu\n", (unsigned long long)seed);
	if (pipe(report) ||
	    getrandom(&machine.mask, sizeof(machine.mask), 0) != sizeof(machine.mask)) {
		hostile_fail("the round cannot be prepared");
		return;
	}
	victim = fork();
	if (!victim)
		victim_run(report[1]);
	close(report[1]);
	if (read(report[0], &machine.secret, sizeof(machine.secret)) != sizeof(machine.secret)) {
		hostile_fail("the victim cannot use the device");
	} else {
		hostile = fork();
		if (!hostile)
			hostile_run(seed);
		round_wait(seed, ms, last);
		child_check(hostile, "hostile process");
	}
	close(report[0]);
	atomic_store(&shared->stop, true);
	child_check(victim, "victim");
}

/*
 * Afterwards.
 */

static bool counts_print(void)
{
	bool good = true;

	for (unsigned int i = 0; i < nr_kinds; i++) {
		struct count *count = &shared->counts[i];
		const char *skip = !count->done && kinds[i].missing ? kinds[i].missing() : NULL;

		printf("# %s: %lu of %lu", kinds[i].name, count->done, count->tried);
		for (int error = 0; error < MAX_ERRNO; error++)
			if (count->errors[error])
				printf(", %lu %s", count->errors[error], strerrorname_np(error));
		printf("\n");
		good &= result(count->done, kinds[i].name, skip);
	}
	return good;
}

static bool is_uml(void)
{
	FILE *about = fopen("/proc/cpuinfo", "r");
	char line[128];
	bool found = false;

	while (about && fgets(line, sizeof(line), about))
		found |= !!strstr(line, "User Mode Linux");
	if (about)
		fclose(about);
	return found;
}

/* What an administrator prepares; each is optional. */
static void machine_prepare(void)
{
	char path[32];

	setting_write("/proc/sys/vm/unprivileged_userfaultfd", "1");
	setting_write("/sys/kernel/mm/ksm/run", "1");
	machine.careless = is_uml();
	machine.arena = machine.careless ? ARENA + PAGE : ARENA;
	/* In User Mode Linux with its neighbours in one page table, which is not freed. */
	machine.arena_pages = machine.careless ? HUGE / PAGE - 2 : ARENA_PAGES;
	machine.has_huge = !huge_pages_reserve(HUGE / 1024, 4);
	swap_ready();
	large_folios_allow(64, true);
	large_folios_allow(HUGE / 1024, true);
	for (unsigned int i = 0; i < MAX_UNITS; i++) {
		snprintf(path, sizeof(path), "/dev/hmm_dmirror%u", i);
		/* As a rule of udev may do it. */
		if (chmod(path, 0666))
			break;
		admin_devices[i] = device_open(i);
		if (admin_devices[i] < 0)
			break;
		machine.nr_units++;
	}
	machine.has_memory = machine.nr_units &&
			     !admin_call(0, HMM_DMIRROR_RELEASE, (struct hmm_dmirror_cmd){ 0 });
}

static void machine_restore(void)
{
	for (unsigned int i = 0; i < machine.nr_units; i++) {
		admin_call(i, HMM_DMIRROR_COPY_DELAY, (struct hmm_dmirror_cmd){ 0 });
		close(admin_devices[i]);
	}
	setting_write("/sys/kernel/mm/ksm/run", "2");
	setting_write("/sys/kernel/mm/ksm/run", "0");
	setting_write("/proc/sys/vm/unprivileged_userfaultfd", "0");
}

int main(void)
{
	unsigned int ms = env_number("DURATION", 10) * 1000;
	unsigned int rounds = (ms + ROUND_MS - 1) / ROUND_MS ?: 1;
	uint64_t seed = env_number("SEED", 1);
	const char *driver = driver_loaded();
	bool good;
	long used;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n");
	shared = mmap(NULL, sizeof(*shared), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || !driver) {
		printf("1..0 # SKIP no sample driver\n");
		return 4;
	}
	machine_prepare();
	guide_prepare();
	printf("1..%u\n", nr_kinds + 5);
	for (unsigned int i = 0; i < rounds && !atomic_load(&shared->failed); i++)
		round_run(seed + i, ms / rounds, i == rounds - 1);
	machine_restore();

	if (atomic_load(&shared->failed))
		printf("# failed: %s\n", shared->failure);
	good = counts_print();
	good &= result(!atomic_load(&shared->failed), "errors as documented, no byte of another process",
		       NULL);
	good &= result(shared->victim_checks && (shared->evictions || !machine.has_memory) &&
		       shared->scanned, "the victim was checked, and what was read compared", NULL);
	good &= result(shared->guide.nr_inputs, "calls that run new code are repeated with changes",
		       shared->guide.repeats ? NULL : "no KCOV, or GUIDE=0");
	used = stats_wait(STATS_DEVMEM, " used=", false, END_MS / 1000);
	good &= result(!used, "no page of a unit is left in use",
		       used < 0 ? "no statistics" : NULL);
	good &= result(!driver_reload_when_idle(driver, END_MS / 1000),
		       "the driver can be removed, and loaded again", NULL);
	printf("# figures: calls=%lu errors=%lu syscalls=%lu forks=%lu scanned=%lu victim=%lu evictions=%lu",
	       shared->calls, shared->refused, shared->others, shared->forks, shared->scanned,
	       shared->victim_checks, shared->evictions);
	if (shared->guide.present)
		printf(" inputs=%u steps=%lu", shared->guide.nr_inputs, shared->guide.covered);
	printf("\n");
	return !good;
}
