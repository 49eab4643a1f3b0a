/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/**
 * struct node - something many point to
 */
struct node;
struct __contract(object("Node"), send, sync) node;

struct node *node_get(struct node *node) __contract(get, nonnull);
void node_put(struct node *node) __contract(put);

/**
 * node_find() - look a node up
 * @key: what it is known by
 *
 * Return: the node, or NULL when there is none.
 */
struct node *node_find(unsigned long key) __contract(owned, nullable);

/**
 * node_parent() - the node above
 * @node: a node
 *
 * Return: the parent; the root is its own.
 */
struct node *node_parent(const struct node *node) __contract(borrowed(node), nonnull);
