// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: units and open files.
 */
#include "dmirror.h"

#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

/**
 * DOC: A device that shares a process's memory
 *
 * hmm_dmirror is a driver for a simulated device. The device has a page table
 * and a compute unit that reads, writes and computes on the memory mapped
 * there: the memory of the process that opened the device. Both use the same
 * virtual addresses, and no memory is pinned, copied or registered beforehand.
 *
 * The driver is an example. Suggested reading order:
 *
 * * device.c, this file: a unit is a character device; an open file is a
 *   mirror. Nothing in it is specific to shared memory.
 * * fault.c: device faults and invalidations, the part that every driver of
 *   this kind needs.
 * * memory.c: device memory: how it is allocated, copied and cleared.
 * * attributes.c: what programs advise about their memory.
 * * table.c: the device's page table. A real device has its own format.
 * * compute_unit.c: the compute unit. A real device has hardware for it.
 * * ioctl.c: the commands of user programs.
 * * migrate.c: those of them that migrate, or concern the memory of a unit.
 *
 * For real hardware, replace table.c with code that writes the hardware's page
 * table entries and flushes its TLB, remove compute_unit.c, and call dm_populate()
 * from the hardware's fault interrupt.
 *
 * The driver has no lock of its own. The update lock is the mirror's
 * (hmm_mirror_lock()) and guards &struct dm_table.
 */

/* The unit numbers and kinds are those of the kernel's HMM test driver. */
#define DM_MAX_UNITS	4
#define DM_PRIVATE_UNITS 2

static unsigned long spm_addr_dev0;
module_param(spm_addr_dev0, ulong, 0444);
MODULE_PARM_DESC(spm_addr_dev0, "Physical address of 256 MiB of unused memory, for a third unit with coherent memory; needs spm_addr_dev1 too");

static unsigned long spm_addr_dev1;
module_param(spm_addr_dev1, ulong, 0444);
MODULE_PARM_DESC(spm_addr_dev1, "Physical address of 256 MiB of unused memory, for a fourth unit with coherent memory; needs spm_addr_dev0 too");

static dev_t dm_first_dev;
static struct dm_unit *dm_units[DM_MAX_UNITS];

/**
 * dm_nr_units() - count the units
 *
 * Return: how many there are; they are numbered from 0.
 */
unsigned int dm_nr_units(void)
{
	unsigned int nr = 0;

	while (nr < DM_MAX_UNITS && READ_ONCE(dm_units[nr]))
		nr++;
	return nr;
}

/* A process opens the device: mirror its memory until the file is closed. */
static int dm_open(struct inode *inode, struct file *file)
{
	struct dm_mirror *dm __free(kfree) = kzalloc(sizeof(*dm), GFP_KERNEL);
	int ret;

	if (!dm)
		return -ENOMEM;
	dm->unit = container_of(inode->i_cdev, struct dm_unit, cdev);
	ret = dm_mirror_start(dm);
	if (ret)
		return ret;
	file->private_data = no_free_ptr(dm);
	return 0;
}

/* The last reference to the file is dropped, maybe after the process has ended. */
static int dm_release(struct inode *inode, struct file *file)
{
	struct dm_mirror *dm = file->private_data;

	dm_mirror_stop(dm);
	kfree(dm);
	return 0;
}

/*
 * Map new zeroed pages, all of them present from the start. The device can
 * access them like any other memory of the process.
 */
static int dm_mmap(struct file *file, struct vm_area_struct *vma)
{
	int ret = 0;

	for (unsigned long addr = vma->vm_start; !ret && addr < vma->vm_end;
	     addr += PAGE_SIZE) {
		struct page *page;

		/* A program chooses the length, and a task that is killed for memory has to end. */
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!page)
			return -ENOMEM;
		ret = vm_insert_page(vma, addr, page);
		/* On success, the mapping holds a reference of its own. */
		put_page(page);
	}
	return ret;
}

static const struct file_operations dm_fops = {
	.owner = THIS_MODULE,
	.open = dm_open,
	.release = dm_release,
	.mmap = dm_mmap,
	.unlocked_ioctl = dm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static void dm_unit_free(struct device *dev)
{
	kfree(container_of(dev, struct dm_unit, dev));
}

/**
 * dm_is_unit() - whether a device is one of our units
 * @dev: any device
 *
 * Return: true if it is on the bus between them.
 */
bool dm_is_unit(const struct device *dev)
{
	return dev->release == dm_unit_free;
}

static struct dm_unit *dm_unit_add(unsigned int nr, unsigned long coherent_base)
{
	struct dm_unit *unit = kzalloc(sizeof(*unit), GFP_KERNEL);
	int ret;

	if (!unit)
		return ERR_PTR(-ENOMEM);
	unit->nr = nr;
	device_initialize(&unit->dev);
	unit->dev.release = dm_unit_free;
	unit->dev.devt = MKDEV(MAJOR(dm_first_dev), nr);
	if (IS_ENABLED(CONFIG_HAS_DMA)) {
		/* It reaches all memory, and shares it with the CPU's caches. */
		dev_set_dma_coherent(&unit->dev);
		ret = dma_coerce_mask_and_coherent(&unit->dev, DMA_BIT_MASK(64));
		if (ret)
			goto put;
	}
	cdev_init(&unit->cdev, &dm_fops);
	unit->cdev.owner = THIS_MODULE;
	ret = dev_set_name(&unit->dev, "hmm_dmirror%u", nr);
	if (ret)
		goto put;
	ret = dm_memory_init(unit, coherent_base);
	if (ret)
		goto put;
	ret = cdev_device_add(&unit->cdev, &unit->dev);
	if (!ret)
		return unit;
	dm_memory_exit(unit);
put:
	put_device(&unit->dev);
	return ERR_PTR(ret);
}

/* Remove all units. Their files are closed, as each has a reference to the module. */
static void dm_units_remove(void)
{
	for (int i = 0; i < DM_MAX_UNITS; i++) {
		if (!dm_units[i])
			continue;
		cdev_device_del(&dm_units[i]->cdev, &dm_units[i]->dev);
		/* Processes may still map device memory after closing the file. */
		dm_memory_exit(dm_units[i]);
		put_device(&dm_units[i]->dev);
		dm_units[i] = NULL;
	}
}

static int dm_units_add(void)
{
	const unsigned long bases[DM_MAX_UNITS] = {
		0, 0, spm_addr_dev0, spm_addr_dev1,
	};
	bool coherent = spm_addr_dev0 && spm_addr_dev1;

	for (int i = 0; i < (coherent ? DM_MAX_UNITS : DM_PRIVATE_UNITS); i++) {
		struct dm_unit *unit = dm_unit_add(i, bases[i]);

		if (IS_ERR(unit)) {
			dm_units_remove();
			return PTR_ERR(unit);
		}
		WRITE_ONCE(dm_units[i], unit);
	}
	return 0;
}

static int __init dm_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&dm_first_dev, 0, DM_MAX_UNITS, "HMM_DMIRROR");
	if (ret)
		return ret;
	ret = dm_units_add();
	if (ret)
		unregister_chrdev_region(dm_first_dev, DM_MAX_UNITS);
	return ret;
}
module_init(dm_init);

static void __exit dm_exit(void)
{
	dm_units_remove();
	unregister_chrdev_region(dm_first_dev, DM_MAX_UNITS);
}
module_exit(dm_exit);

MODULE_DESCRIPTION("Sample driver: a device that mirrors a process's memory");
MODULE_LICENSE("GPL");
