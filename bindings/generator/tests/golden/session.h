/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SESSION_H
#define SESSION_H

#include <linux/contract.h>

/**
 * struct session - a connection to a device
 */
struct session {
	int id;
} __contract(object("Session"), send, sync);

/**
 * session_open() - open a session
 * @id: the number of the device
 */
struct session *session_open(int id) __contract(constructor, nullable);
void session_close(struct session *session) __contract(destructor, leaked);

/**
 * session_write() - send bytes to the device
 * @session: the session
 * @data: the bytes
 * @len: how many they are
 */
int session_write(struct session *session, const unsigned char *data __contract(slice(len)),
		  unsigned long len) __contract(method, errno);

/* Others wait while the session is locked. */
void session_lock(struct session *session) __contract(lock("SessionGuard"));
void session_unlock(struct session *session) __contract(unlock("SessionGuard"));

/**
 * session_pending() - count the bytes that the device has not fetched yet
 * @session: the session, locked
 */
unsigned long session_pending(const struct session *session)
	__contract(method, plain, requires(SessionGuard));

#endif
