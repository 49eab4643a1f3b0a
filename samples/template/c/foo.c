// SPDX-License-Identifier: GPL-2.0
/*
 * foo: a driver that mirrors the memory of the process that opens /dev/foo.
 *
 * pread(fd, buf, n, address) has the device read the process's memory at that address.
 * The device is simulated: foo_device_read() is what hardware does with its page table.
 */
#include <linux/highmem.h>
#include <linux/hmm_typed.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

/**
 * struct foo_context - one process as the device sees it
 * @mirror: reports changes of the process's page tables
 * @range: the addresses to mirror
 * @table: the device's page table: pfns by page number; guarded by the update lock
 */
struct foo_context {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct xarray table;
};

/* The process changes its page tables: the device must not reach the span any more. */
static bool foo_invalidate(struct foo_context *ctx, const struct hmm_invalidation *inv)
{
	unsigned long vpn;
	void *entry;

	xa_for_each_range(&ctx->table, vpn, entry, inv->span.start >> PAGE_SHIFT,
			  (inv->span.end - 1) >> PAGE_SHIFT)
		xa_erase(&ctx->table, vpn);
	/* Flush the device's TLB here, and wait for the flush. */
	return true;
}

DEFINE_HMM_MIRROR_OPS(foo_mirror_ops, struct foo_context, mirror, foo_invalidate);

/*
 * In place of hardware: read at most to the end of the page. -ENXIO is the device's
 * page fault, -EFAULT memory that a CPU cannot read. Under the update lock.
 */
static int foo_device_read(struct foo_context *ctx, unsigned long addr, void *to, size_t n)
{
	void *entry = xa_load(&ctx->table, addr >> PAGE_SHIFT), *from;
	struct page *page;

	if (!entry)
		return -ENXIO;
	page = pfn_to_page(xa_to_value(entry));
	if (!hmm_page_is_reachable(page))
		return -EFAULT;
	from = kmap_local_page(page);
	memcpy(to, from + offset_in_page(addr), n);
	kunmap_local(from);
	return 0;
}

/* Map what a section shows. Under the update lock, so no allocation may wait. */
static int foo_map(struct foo_context *ctx, const struct hmm_run *run)
{
	for (unsigned long i = 0; i < hmm_span_pages(run->span); i++) {
		void *old = xa_store(&ctx->table, (run->span.start >> PAGE_SHIFT) + i,
				     xa_mk_value(run->pfn + i), GFP_NOWAIT);

		if (xa_is_err(old))
			return xa_err(old);
	}
	return 0;
}

/* The device's page fault, and the access again while the page cannot go away. */
static int foo_fault_and_read(struct foo_context *ctx, unsigned long addr, void *to, size_t n)
{
	const struct hmm_span span = {
		.start = ALIGN_DOWN(addr, PAGE_SIZE),
		.end = ALIGN_DOWN(addr, PAGE_SIZE) + PAGE_SIZE,
	};
	int ret;

	hmm_mirror_populate(pages, ret, &ctx->mirror, span, HMM_ACCESS_READ) {
		hmm_section_runs(run, &pages) {
			ret = foo_map(ctx, &run);
			if (!ret)
				ret = foo_device_read(ctx, addr, to, n);
			if (ret)
				return ret;
		}
	}
	return ret;
}

static int foo_read_page(struct foo_context *ctx, unsigned long addr, void *to, size_t n)
{
	int ret;

	scoped_guard(hmm_mirror, &ctx->mirror)
		ret = foo_device_read(ctx, addr, to, n);
	return ret == -ENXIO ? foo_fault_and_read(ctx, addr, to, n) : ret;
}

static ssize_t foo_read(struct file *file, char __user *to, size_t n, loff_t *pos)
{
	void *bounce __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL);
	struct foo_context *ctx = file->private_data;
	int ret;

	if (!bounce)
		return -ENOMEM;
	/* A file survives fork(), but the child's addresses are not the parent's. */
	if (current->mm != ctx->mirror.mm)
		return -EPERM;
	n = min(n, PAGE_SIZE - offset_in_page(*pos));
	ret = foo_read_page(ctx, *pos, bounce, n);
	if (ret)
		return ret;
	/* Not inside the section: it may fault, and a fault may invalidate. */
	if (copy_to_user(to, bounce, n))
		return -EFAULT;
	*pos += n;
	return n;
}

static int foo_open(struct inode *inode, struct file *file)
{
	struct foo_context *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	int ret;

	if (!ctx)
		return -ENOMEM;
	xa_init(&ctx->table);
	ret = hmm_mirror_init(&ctx->mirror, current->mm, &foo_mirror_ops, NULL);
	if (ret)
		goto free;
	ret = hmm_mirror_range_add(&ctx->mirror, &ctx->range, HMM_SPAN_ALL);
	if (ret)
		goto exit;
	file->private_data = ctx;
	return 0;

exit:
	hmm_mirror_exit(&ctx->mirror);
free:
	kfree(ctx);
	return ret;
}

static int foo_release(struct inode *inode, struct file *file)
{
	struct foo_context *ctx = file->private_data;

	/* Removing the range invalidates it first, so the table is empty after it. */
	hmm_mirror_range_remove(&ctx->range);
	hmm_mirror_exit(&ctx->mirror);
	xa_destroy(&ctx->table);
	kfree(ctx);
	return 0;
}

static const struct file_operations foo_fops = {
	.owner = THIS_MODULE,
	.open = foo_open,
	.release = foo_release,
	.read = foo_read,
};

static struct miscdevice foo_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "foo",
	.fops = &foo_fops,
};
module_misc_device(foo_misc);

MODULE_DESCRIPTION("foo: mirrors the memory of a process");
MODULE_LICENSE("GPL");
