// SPDX-License-Identifier: GPL-2.0
/*
 * integrity: the memory, what it must contain, and reports of what it contains instead.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "integrity.h"

/* An operation: milliseconds, thread, kind, and the low bits of the version. */
#define LOG_TIME_SHIFT	36
#define LOG_ID_SHIFT	28
#define LOG_KIND_SHIFT	20
#define LOG_VERSION	((1UL << LOG_KIND_SHIFT) - 1)

const struct part parts[NR_PARTS] = {
	[PART_SMALL] = { "small pages", 0, 512, 0 },
	[PART_LARGE] = { "folios of 64 KiB", 512, 512, 64 },
	[PART_HUGE] = { "huge pages", 1024, 1024, 2048 },
	[PART_MERGED] = { "mergeable pages", 2048, 512, 0 },
};

struct torture torture;

uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

uint64_t next(uint64_t *stream)
{
	uint64_t z = *stream += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

struct span span_choose_in(struct worker *worker, const struct part *part, size_t limit)
{
	struct span span;
	size_t most = 1;

	for (size_t n = limit; n > 1; n /= 2)
		most *= 1 + random_below(worker, 2);
	span.count = 1 + random_below(worker, most);
	if (!random_below(worker, 4))
		span.count = most;
	if (span.count > part->count)
		span.count = part->count;
	span.first = part->first + random_below(worker, part->count - span.count + 1);
	if (random_below(worker, 2))
		span.first &= -(size_t)16;
	return span;
}

/* Mergeable pages are chosen less often: ksmd merges pages that do not change. */
struct span span_choose(struct worker *worker, size_t limit)
{
	static const struct part most = { NULL, 0, 2048 }, all = { NULL, 0, NR_PAGES };

	return span_choose_in(worker, random_below(worker, 16) ? &most : &all, limit);
}

void span_lock(struct span span)
{
	for (size_t i = 0; i < span.count; i++)
		pthread_mutex_lock(&torture.pages[span.first + i].lock);
}

void span_unlock(struct span span)
{
	for (size_t i = span.count; i-- > 0; )
		pthread_mutex_unlock(&torture.pages[span.first + i].lock);
}

void span_log(const struct worker *worker, struct span span)
{
	uint64_t now = milliseconds() - torture.started;

	for (size_t i = 0; i < span.count; i++) {
		struct page *page = &torture.pages[span.first + i];
		unsigned int nr = atomic_fetch_add(&page->nr_ops, 1);
		uint64_t entry = now << LOG_TIME_SHIFT |
				 (uint64_t)worker->id << LOG_ID_SHIFT |
				 (uint64_t)worker->kind << LOG_KIND_SHIFT |
				 (page->version & LOG_VERSION);

		atomic_store(&page->ops[nr % LAST_OPS], entry);
	}
}

uint64_t tag_next(const struct worker *worker, size_t page)
{
	return TAG_WRITTEN | (uint64_t)worker->id << TAG_WRITER_SHIFT |
	       (++torture.pages[page].version & 0xfffffff) << TAG_VERSION_SHIFT |
	       page << TAG_PAGE_SHIFT;
}

void tag_fill(uint64_t tag, uint64_t *values)
{
	for (size_t i = 0; i < VALUES; i++)
		values[i] = tag ? tag + i : 0;
}

static size_t values_wrong(uint64_t tag, const uint64_t *values, size_t *first)
{
	size_t wrong = 0;

	for (size_t i = VALUES; i-- > 0; ) {
		if (__atomic_load_n(&values[i], __ATOMIC_RELAXED) == (tag ? tag + i : 0))
			continue;
		wrong++;
		*first = i;
	}
	return wrong;
}

static void value_describe(uint64_t value, char *text, size_t size)
{
	if (!value)
		snprintf(text, size, "zero");
	else if (!(value & TAG_WRITTEN))
		snprintf(text, size, "%#llx", (unsigned long long)value);
	else
		snprintf(text, size, "page %llu, version %llu, writer %llu, value %llu",
			 value >> TAG_PAGE_SHIFT & 0xfffULL,
			 value >> TAG_VERSION_SHIFT & 0xfffffffULL,
			 value >> TAG_WRITER_SHIFT & 0x3fffULL, value % VALUES + 0ULL);
}

static void ops_print(const struct page *page)
{
	unsigned int nr = atomic_load(&page->nr_ops);

	dprintf(1, "#   its last operations, at %llu ms:\n",
		(unsigned long long)(milliseconds() - torture.started));
	for (unsigned int i = nr > LAST_OPS ? nr - LAST_OPS : 0; i < nr; i++) {
		uint64_t entry = atomic_load(&page->ops[i % LAST_OPS]);

		dprintf(1, "#   %8llu ms thread %-3llu version %-7llu %s\n",
			(unsigned long long)(entry >> LOG_TIME_SHIFT),
			entry >> LOG_ID_SHIFT & 0xffULL,
			(unsigned long long)(entry & LOG_VERSION),
			kinds[entry >> LOG_KIND_SHIFT & 0xff].name);
	}
}

/* One report is enough: later ones follow from the first. */
static bool first_failure(void)
{
	bool failed = atomic_exchange(&torture.failed, true);

	atomic_store(&torture.stop, true);
	return !failed;
}

static void page_report(const struct worker *worker, size_t nr, const uint64_t *values,
			const char *reader)
{
	const struct page *page = &torture.pages[nr];
	char expected[80], found[80];
	size_t first = 0, wrong;

	wrong = values_wrong(page->tag, values, &first);
	value_describe(page->tag ? page->tag + first : 0, expected, sizeof(expected));
	value_describe(values[first], found, sizeof(found));
	dprintf(1, "# page %zu (%s): wrong content, read by %s in %s, thread %u\n", nr,
		parts[nr < 512 ? 0 : nr < 1024 ? 1 : nr < 2048 ? 2 : 3].name, reader,
		kinds[worker->kind].name, worker->id);
	dprintf(1, "#   %zu of %zu values differ, the first is value %zu%s\n", wrong, VALUES,
		first, wrong ? "" : " (and now none does)");
	dprintf(1, "#   expected %s\n#   found    %s\n", expected, found);
	dprintf(1, "#   entry in pagemap %#llx\n",
		(unsigned long long)page_map(torture.at + nr * PAGE));
	ops_print(page);
}

bool span_check(const struct worker *worker, struct span span, const uint64_t *values,
		const char *reader)
{
	size_t first;

	for (size_t i = 0; i < span.count; i++) {
		const uint64_t *at = values + i * VALUES;

		if (!values_wrong(torture.pages[span.first + i].tag, at, &first))
			continue;
		if (first_failure())
			page_report(worker, span.first + i, at, reader);
		return false;
	}
	return true;
}

bool span_check_cpu(const struct worker *worker, struct span span, const char *at)
{
	return span_check(worker, span, (const uint64_t *)at, "the CPU");
}

void span_write_cpu(const struct worker *worker, struct span span)
{
	for (size_t i = 0; i < span.count; i++) {
		struct page *page = &torture.pages[span.first + i];

		page->tag = tag_next(worker, span.first + i);
		tag_fill(page->tag, (uint64_t *)(span_at(span) + i * PAGE));
	}
}

void torture_fail(const struct worker *worker, struct span span, const char *format, ...)
{
	char text[160];
	va_list args;

	if (!first_failure())
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(1, "# pages %zu to %zu, %s, thread %u: %s\n", span.first,
		span.first + span.count - 1, kinds[worker->kind].name, worker->id, text);
	ops_print(&torture.pages[span.first]);
}

static void part_advise(const struct part *part)
{
	char *at = torture.at + part->first * PAGE;

	madvise(at, part->count * PAGE, part->kb ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	if (part == &parts[PART_MERGED])
		madvise(at, part->count * PAGE, MADV_MERGEABLE);
}

const char *memory_make(void)
{
	const struct worker nobody = { .id = 1 };

	torture.at = map_aligned(NR_PAGES * PAGE, HUGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_NORESERVE, -1);
	torture.spare = map_aligned(NR_PAGES * PAGE, HUGE, PROT_NONE,
				    MAP_PRIVATE | MAP_NORESERVE, -1);
	if (!torture.at || !torture.spare)
		return "no memory";
	for (size_t i = 0; i < NR_PAGES; i++) {
		torture.pages[i] = (struct page){};
		pthread_mutex_init(&torture.pages[i].lock, NULL);
	}
	/* One after the other: with both sizes, faults would prefer huge pages. */
	for (int i = 0; i < NR_PARTS; i++) {
		large_folios_allow(64, parts[i].kb == 64);
		large_folios_allow(2048, parts[i].kb != 64);
		part_advise(&parts[i]);
		span_write_cpu(&nobody, (struct span){ parts[i].first, parts[i].count });
	}
	large_folios_allow(64, true);
	return NULL;
}

void memory_free(void)
{
	munmap(torture.at, NR_PAGES * PAGE);
	munmap(torture.spare, NR_PAGES * PAGE);
}

/* Settings: those of ksmd, as they were before. */
static const char * const ksm_files[] = {
	"/sys/kernel/mm/ksm/run", "/sys/kernel/mm/ksm/sleep_millisecs",
	"/sys/kernel/mm/ksm/pages_to_scan",
};

static const char * const ksm_values[] = { "1", "20", "200" };
static char ksm_before[3][32];

void settings_make(void)
{
	for (int i = 0; i < 3; i++) {
		if (setting_read(ksm_files[i], ksm_before[i], sizeof(ksm_before[i])))
			ksm_before[i][0] = 0;
		setting_write(ksm_files[i], ksm_values[i]);
	}
}

void settings_restore(void)
{
	for (int i = 0; i < 3; i++)
		if (ksm_before[i][0])
			setting_write(ksm_files[i], ksm_before[i]);
	large_folios_allow(64, false);
	large_folios_allow(2048, true);
}
