/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct port {
	int number;
} __contract(object("Port"), pinned);

int port_init(struct port *port, int number) __contract(constructor, errno(-EINVAL));
void port_exit(struct port *port) __contract(destructor);

/**
 * port_send() - send a value
 * @port: the port
 * @value: the value
 *
 * Return: 0 on success, -EIO when the line is down, or -EBUSY.
 */
int port_send(struct port *port, unsigned int value)
	__contract(method, errno(-EIO, retry(-EBUSY, -EAGAIN)), atomic);

/**
 * port_pending() - how many values wait
 * @port: the port
 *
 * Return: the number of values, or -EIO.
 */
int port_pending(struct port *port) __contract(method, errno(-EIO), plain);
