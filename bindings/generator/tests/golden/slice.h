/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct pipe {
	int id;
} __contract(object("Pipe"), pinned);

void pipe_init(struct pipe *pipe, const char *name __contract(keeps),
	       const char *note __contract(borrows)) __contract(constructor);
void pipe_label(struct pipe *pipe, const char *text __contract(borrows, nullable))
	__contract(method);
/* Left out: what is behind a pointer to bytes is no string. */
void pipe_key(struct pipe *pipe, const unsigned char *key __contract(borrows))
	__contract(method);
unsigned long pipe_write(struct pipe *pipe,
			 const unsigned char *bytes __contract(slice(len)), unsigned long len)
	__contract(method);
int pipe_read(struct pipe *pipe, unsigned int *values __contract(slice(nr)), unsigned int nr)
	__contract(method, errno);
