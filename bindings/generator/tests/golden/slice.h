/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct pipe {
	int id;
} __contract(object("Pipe"), pinned);

void pipe_init(struct pipe *pipe, const char *name) __contract(constructor);
unsigned long pipe_write(struct pipe *pipe,
			 const unsigned char *bytes __contract(slice(len)), unsigned long len)
	__contract(method);
int pipe_read(struct pipe *pipe, unsigned int *words __contract(slice(nr)), unsigned int nr)
	__contract(method, errno);
