/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/**
 * enum file_mode - how a file is opened
 * @MODE_READ: it can be read
 * @MODE_WRITE: it can be written
 */
enum file_mode {
	MODE_READ = 1,
	MODE_WRITE = 2,
} __contract(flags("Mode"));

struct file {
	int fd;
} __contract(object("File"), pinned);

int file_open(struct file *file, enum file_mode mode) __contract(constructor, errno);
void file_close(struct file *file) __contract(destructor);
enum file_mode file_mode(const struct file *file) __contract(method);
