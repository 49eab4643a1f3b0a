// SPDX-License-Identifier: GPL-2.0
/*
 * The simulated board: memory, a DMA engine, and a file.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "board.h"

long board_alloc(struct board *board)
{
	unsigned long index;

	spin_lock(&board->lock);
	index = find_first_zero_bit(board->used, BOARD_PAGES);
	if (index < BOARD_PAGES)
		__set_bit(index, board->used);
	spin_unlock(&board->lock);
	return index < BOARD_PAGES ? index : -1;
}

void board_free(struct board *board, unsigned long index)
{
	spin_lock(&board->lock);
	__clear_bit(index, board->used);
	board->stats.frees++;
	spin_unlock(&board->lock);
}

struct page *board_alloc_system_page(struct board *board, struct vm_area_struct *vma,
				     unsigned long addr)
{
	struct page *page;

	if (board->fate == COMPAT_NO_MEMORY) {
		board->fate = COMPAT_WORKS;
		return NULL;
	}
	page = alloc_page_vma(GFP_HIGHUSER_MOVABLE, vma, addr);
	if (page)
		lock_page(page);
	return page;
}

void board_copy_in(struct board *board, unsigned long index, struct page *page)
{
	char *to = board->memory + index * PAGE_SIZE;

	if (page)
		memcpy_from_page(to, page, 0, PAGE_SIZE);
	else
		memset(to, 0, PAGE_SIZE);
}

void board_copy_out(struct board *board, unsigned long index, struct page *page)
{
	memcpy_to_page(page, 0, board->memory + index * PAGE_SIZE, PAGE_SIZE);
}

static int board_migrate(struct board *board, struct compat_cmd *cmd, bool evict)
{
	struct vm_area_struct *vma;
	unsigned long moved = 0;
	int ret = -EINVAL;

	if (!PAGE_ALIGNED(cmd->addr) || !cmd->npages || cmd->npages > COMPAT_PAGES ||
	    cmd->addr > TASK_SIZE - COMPAT_PAGES * PAGE_SIZE)
		return -EINVAL;
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, cmd->addr);
	if (vma)
		ret = board->migrate(vma, cmd->addr, cmd->addr + cmd->npages * PAGE_SIZE,
				     evict, &moved);
	mmap_read_unlock(current->mm);
	cmd->result = moved;
	return ret;
}

static long board_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	struct board *board = container_of(file->private_data, struct board, misc);
	struct compat_cmd cmd;
	int ret;

	switch (nr) {
	case COMPAT_MIGRATE:
	case COMPAT_EVICT:
		if (copy_from_user(&cmd, (void __user *)arg, sizeof(cmd)))
			return -EFAULT;
		ret = board_migrate(board, &cmd, nr == COMPAT_EVICT);
		return ret ?: copy_to_user((void __user *)arg, &cmd, sizeof(cmd)) ? -EFAULT : 0;
	case COMPAT_FATE:
		board->fate = arg;
		return 0;
	case COMPAT_STATS:
		return copy_to_user((void __user *)arg, &board->stats, sizeof(board->stats)) ?
		       -EFAULT : 0;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations board_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = board_ioctl,
};

int board_init(struct board *board)
{
	int ret;

	spin_lock_init(&board->lock);
	board->memory = vzalloc(BOARD_PAGES * PAGE_SIZE);
	if (!board->memory)
		return -ENOMEM;
	board->misc.minor = MISC_DYNAMIC_MINOR;
	board->misc.name = board->name;
	board->misc.fops = &board_fops;
	ret = misc_register(&board->misc);
	if (ret)
		vfree(board->memory);
	return ret;
}

void board_exit(struct board *board)
{
	misc_deregister(&board->misc);
	vfree(board->memory);
}
