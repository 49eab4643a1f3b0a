// SPDX-License-Identifier: GPL-2.0
/*
 * The device: open, release and the dispatch of ioctls.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include "probe.h"

static int probe_open(struct inode *inode, struct file *filp)
{
	struct probe_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	mutex_init(&file->lock);
	filp->private_data = file;
	return 0;
}

static int probe_release(struct inode *inode, struct file *filp)
{
	struct probe_file *file = filp->private_data;

	probe_race_close(file);
	probe_mirror_close(file);
	probe_populate_close(file);
	probe_crowd_close(file);
	kfree(file);
	return 0;
}

static long probe_info(struct probe_file *file, void __user *user)
{
	struct hmm_probe_info info = {
		.has = probe_walk_has() | probe_migrate_has() |
		       probe_engine_has(),
		.version = LINUX_VERSION_CODE,
		.walks = atomic64_read(&file->walks),
		.last_error = READ_ONCE(file->last_error),
		.holding = READ_ONCE(file->holding),
	};

#ifdef HMM_PROBE_WITH_MIRROR
	info.has |= HMM_PROBE_HAS_MIRROR;
#endif
	return copy_to_user(user, &info, sizeof(info)) ? -EFAULT : 0;
}

static long probe_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct probe_file *file = filp->private_data;
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case HMM_PROBE_INFO:
		return probe_info(file, user);
	case HMM_PROBE_WALK:
		return probe_walk(file, user);
	case HMM_PROBE_MIGRATE:
		return probe_migrate(user);
	case HMM_PROBE_ENGINE:
		return probe_engine(user);
	case HMM_PROBE_MARK:
		return probe_mark(user);
	case HMM_PROBE_MOVE:
		return probe_move(user);
	case HMM_PROBE_POPULATE_PAGES:
		return probe_populate(file, user);
	case HMM_PROBE_OCCUPY:
		return probe_occupy(user);
	case HMM_PROBE_CROWD:
		return probe_crowd(file, user);
	case HMM_PROBE_RACE_BEGIN:
	case HMM_PROBE_RACE:
	case HMM_PROBE_RACE_EXCLUSIVE:
		return probe_race_ioctl(file, cmd, user);
	default:
		return probe_mirror_ioctl(file, cmd, user);
	}
}

static const struct file_operations probe_fops = {
	.owner = THIS_MODULE,
	.open = probe_open,
	.release = probe_release,
	.unlocked_ioctl = probe_ioctl,
	.mmap = probe_map,
	.llseek = noop_llseek,
};

static struct miscdevice probe_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "hmm_probe",
	.fops = &probe_fops,
	.mode = 0600,
};

static int __init probe_init(void)
{
	int ret = probe_map_init();

	if (ret)
		return ret;
	ret = misc_register(&probe_device);
	if (ret)
		probe_map_exit();
	return ret;
}

static void __exit probe_exit(void)
{
	misc_deregister(&probe_device);
	probe_engine_exit();
	probe_move_exit();
	probe_map_exit();
}

module_init(probe_init);
module_exit(probe_exit);

MODULE_DESCRIPTION("Calls HMM for test programs");
MODULE_LICENSE("GPL");
