/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct session {
	int id;
} __contract(object("Session"), send);

/**
 * session_open() - open a session
 * @id: its number
 *
 * Return: the session, or NULL when there is no memory.
 */
struct session *session_open(int id) __contract(constructor, nullable);
void session_close(struct session *session) __contract(destructor);
int session_id(const struct session *session) __contract(method, plain);
