/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long a program runs. Seconds count while the process has the CPUs, too:
 * beside others it runs on until it has done as much as it does alone.
 */
#include <time.h>
#include <unistd.h>

struct duration {
	double clock, cpu;	/* seconds, at the start */
};

static inline double duration_seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* duration_begin(): also ends a process that hangs. */
static inline struct duration duration_begin(unsigned int seconds)
{
	alarm(20 * seconds + 120);
	return (struct duration){
		duration_seconds(CLOCK_MONOTONIC),
		duration_seconds(CLOCK_PROCESS_CPUTIME_ID),
	};
}

/* duration_has_passed(): @cpu: how much of one CPU the program uses alone. */
static inline int duration_has_passed(const struct duration *start, double seconds, double cpu)
{
	return duration_seconds(CLOCK_MONOTONIC) - start->clock >= seconds &&
	       duration_seconds(CLOCK_PROCESS_CPUTIME_ID) - start->cpu >= seconds * cpu;
}
