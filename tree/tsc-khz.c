// SPDX-License-Identifier: GPL-2.0
/*
 * Print the frequency of this machine's time stamp counter, in kHz. QEMU's TCG passes the counter on to the guest,
 * which cannot measure it: a guest without ACPI has no second clock of sufficient accuracy.
 */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static unsigned long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

int main(void)
{
	struct timespec pause = { .tv_nsec = 100000000 };
	unsigned long long ns = now_ns(), ticks = __rdtsc();

	nanosleep(&pause, NULL);
	ticks = __rdtsc() - ticks;
	ns = now_ns() - ns;
	printf("%llu\n", ticks * 1000000 / ns);
	return 0;
}
