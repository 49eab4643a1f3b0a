/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: a lock whose initialisation can fail, and that has to be freed. No type forbids to leak a guard: `unsafe`.
 */
#include <linux/contract.h>
#include <linux/percpu-rwsem.h>

/**
 * struct percpu_rw_semaphore - readers that cost little, and writers that cost much
 */
struct __contract(object("PercpuRwSemaphore"), pinned, send, sync,
		  data(PercpuReadGuard = shared, PercpuWriteGuard = exclusive)) percpu_rw_semaphore;

/**
 * percpu_init_rwsem() - make one that nobody holds
 * @sem: room for it
 *
 * Return: 0, or -ENOMEM.
 */
int (percpu_init_rwsem)(struct percpu_rw_semaphore *sem)
	__contract(macro, constructor, errno,
		   unsafe("no `PercpuWriteGuard` is leaked: the kernel warns of what then has a writer when it ends"));

/**
 * percpu_free_rwsem() - end one that nobody holds
 * @sem: the semaphore
 */
void percpu_free_rwsem(struct percpu_rw_semaphore *sem) __contract(destructor, leaked(unsafe), may_sleep);

/**
 * percpu_down_read() - wait until no writer holds it
 * @sem: the semaphore
 */
static inline void percpu_down_read(struct percpu_rw_semaphore *sem)
	__contract(lock("PercpuReadGuard"), name("read"), may_sleep);

/**
 * percpu_down_read_trylock() - share it if no writer holds it
 * @sem: the semaphore
 *
 * Return: whether it is held now.
 */
static inline bool percpu_down_read_trylock(struct percpu_rw_semaphore *sem)
	__contract(trylock("PercpuReadGuard"), name("try_read"), atomic);
static inline void percpu_up_read(struct percpu_rw_semaphore *sem)
	__contract(unlock("PercpuReadGuard"));

/**
 * percpu_down_write() - wait until nobody holds it
 * @sem: the semaphore
 */
void percpu_down_write(struct percpu_rw_semaphore *sem)
	__contract(lock("PercpuWriteGuard"), name("write"), may_sleep);
void percpu_up_write(struct percpu_rw_semaphore *sem) __contract(unlock("PercpuWriteGuard"));
