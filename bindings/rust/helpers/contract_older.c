// SPDX-License-Identifier: GPL-2.0
/* Shims that the kernel crate of Linux 7.3 has and an older one does not. */

#include <linux/srcu.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
__rust_helper int rust_helper_srcu_read_lock(struct srcu_struct *ssp)
{
	return srcu_read_lock(ssp);
}

__rust_helper void rust_helper_srcu_read_unlock(struct srcu_struct *ssp, int idx)
{
	srcu_read_unlock(ssp, idx);
}

__rust_helper void rust_helper_srcu_barrier(struct srcu_struct *ssp)
{
	srcu_barrier(ssp);
}

__rust_helper void rust_helper_synchronize_srcu_expedited(struct srcu_struct *ssp)
{
	synchronize_srcu_expedited(ssp);
}
#endif
