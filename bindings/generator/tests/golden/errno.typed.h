/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _ERRNO_TYPED_H
#define _ERRNO_TYPED_H

#include <linux/cleanup.h>
#include <errno.h>

/* struct port *x __free(port_exit): ended when @x goes out of scope. */
DEFINE_FREE(port_exit, struct port *, if (!IS_ERR_OR_NULL(_T)) port_exit(_T))

__must_check int port_init(struct port *port, int number);

__must_check int port_send(struct port *port, unsigned int value);

__must_check int port_pending(struct port *port);

#endif /* _ERRNO_TYPED_H */
