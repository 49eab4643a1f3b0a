/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _PID_TYPED_H
#define _PID_TYPED_H

#include <linux/cleanup.h>
#include <linux/pid.h>

/* struct pid *x __free(put_pid): its reference is given back when @x goes out of scope. */
DEFINE_FREE(put_pid, struct pid *, if (!IS_ERR_OR_NULL(_T)) put_pid(_T))

/* CLASS(pid_ref, x)(y): another reference to the object of @y. */
DEFINE_CLASS(pid_ref, struct pid *, put_pid(_T), ({
		     get_pid(from);
		     from;
	     }),
	     struct pid *from)

__must_check struct pid *find_get_pid(int nr);

#endif /* _PID_TYPED_H */
