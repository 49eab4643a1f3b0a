/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: an object with a reference count.
 */
#include <linux/contract.h>
#include <linux/pid.h>

/**
 * struct pid - what the kernel knows a process by
 *
 * Unlike a number it is never used again for another process.
 */
struct __contract(object("Pid"), send, sync) pid;

static inline struct pid *get_pid(struct pid *pid) __contract(get, nonnull);
void put_pid(struct pid *pid) __contract(put);

/**
 * find_get_pid() - look a process up by its number
 * @nr: the number, in the caller's namespace
 *
 * Return: the process's identity, or nothing when there is no such process.
 */
struct pid *find_get_pid(int nr) __contract(owned, nullable);

/**
 * pid_nr() - the number of a process
 * @pid: its identity
 *
 * Return: the number in the initial namespace, or 0 when it has ended.
 */
static inline pid_t pid_nr(struct pid *pid) __contract(method, plain, name("number"));
