/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* Pointers to what is not ordinary memory of the kernel, addresses that are numbers, and integers with a byte order. */
#ifndef __user
#define __user
#define __iomem
#define __percpu
#define __rcu
#endif
typedef unsigned long size_t;
typedef unsigned int __be32;
typedef unsigned long long phys_addr_t;

struct radio {
	const unsigned char *rom __contract(constant, slice(size));
	const unsigned char __iomem *registers __contract(constant, slice(size));
	int (*read)(struct radio *radio, char __user *bytes);
	size_t size __contract(constant);
} __contract(object("Radio"), pinned, send, sync);

struct wave {
	__be32 hertz;
	unsigned int volume;
} __contract(record("Wave"));

struct tuner;
struct tuner_ops {
	int (*show)(struct tuner *tuner, char __user *text) __contract(optional, errno);
	int (*tune)(struct tuner *tuner, unsigned int to) __contract(required, errno);
	void (*named)(struct tuner *tuner, const char *name __contract(borrows, nonnull)) __contract(optional);
	void (*label)(struct tuner *tuner, const char *label __contract(borrows)) __contract(optional);
	void (*text)(struct tuner *tuner, const char *text) __contract(optional);
} __contract(ops("TunerOperations"));
struct tuner {
	const struct tuner_ops *ops __contract(given);
} __contract(object("Tuner"), pinned, send, sync);

void radio_init(struct radio *radio) __contract(constructor);
/* Memory of a process, as bytes, as a string and as an address. */
int radio_read(struct radio *radio, char __user *bytes __contract(slice(size)), size_t size)
	__contract(method, errno, plain);
int radio_write(struct radio *radio, const void __user *bytes __contract(slice(size)), size_t size)
	__contract(method, errno, plain);
int radio_named(struct radio *radio, const char __user *name __contract(borrows)) __contract(method, errno);
void radio_owner(struct radio *radio, const void __user *at __contract(identity)) __contract(method);
void radio_map(struct radio *radio, unsigned int __iomem *at __contract(slice(size)), size_t size)
	__contract(method);
void radio_count(struct radio *radio, unsigned long __percpu *all __contract(out)) __contract(method);
int radio_same(struct radio *radio, struct radio __rcu *other __contract(borrows)) __contract(method, plain);
const char __rcu *radio_station(const struct radio *radio) __contract(method, borrowed(radio), nullable, constant);
/* The same, of the kernel. */
int radio_send(struct radio *radio, const void *bytes __contract(slice(size)), size_t size)
	__contract(method, errno, plain);
__be32 radio_hertz(const struct radio *radio) __contract(method);
void radio_at(struct radio *radio, phys_addr_t start) __contract(method);
void radio_moved(struct radio *radio, phys_addr_t start)
	__contract(method, unsafe("the memory at `start` is the radio's alone"));
void tuner_init(struct tuner *tuner) __contract(constructor);
void tuner_exit(struct tuner *tuner) __contract(destructor, waits, reaped);
