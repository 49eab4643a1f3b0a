/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: a lock with two kinds of guard and the data behind it.
 */
#include <linux/contract.h>
#include <linux/rwsem.h>

/**
 * struct rw_semaphore - many readers or one writer, who may sleep
 */
struct __contract(object("RwSemaphore"), pinned, send, sync,
		  data(ReadGuard = shared, WriteGuard = exclusive)) rw_semaphore;

/**
 * init_rwsem() - make one that nobody holds
 * @sem: room for it
 */
void (init_rwsem)(struct rw_semaphore *sem) __contract(macro, constructor, leaked);

/**
 * down_read() - wait until no writer holds it
 * @sem: the semaphore
 */
void down_read(struct rw_semaphore *sem)
	__contract(lock("ReadGuard"), name("read"), may_sleep);

/**
 * down_read_trylock() - share it if no writer holds it
 * @sem: the semaphore
 *
 * Return: whether it is held now.
 */
int down_read_trylock(struct rw_semaphore *sem)
	__contract(trylock("ReadGuard"), plain, name("try_read"), atomic);
void up_read(struct rw_semaphore *sem) __contract(unlock("ReadGuard"));

/**
 * down_write() - wait until nobody holds it
 * @sem: the semaphore
 */
void down_write(struct rw_semaphore *sem)
	__contract(lock("WriteGuard"), name("write"), may_sleep);

/**
 * down_write_killable() - wait until nobody holds it, or the task is killed
 * @sem: the semaphore
 *
 * Return: 0, or -EINTR when the task is being killed.
 */
int down_write_killable(struct rw_semaphore *sem)
	__contract(trylock("WriteGuard"), errno(-EINTR), name("write_killable"), may_sleep);

/**
 * down_write_trylock() - take it if nobody holds it
 * @sem: the semaphore
 *
 * Return: whether it is held now.
 */
int down_write_trylock(struct rw_semaphore *sem)
	__contract(trylock("WriteGuard"), plain, name("try_write"), atomic);
void up_write(struct rw_semaphore *sem) __contract(unlock("WriteGuard"));
