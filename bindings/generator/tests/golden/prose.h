/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/**
 * struct pond - water with fish; freed by pond_drain()
 *
 * Ducks land on it. A struct pond never moves. Use it so::
 *
 *	pond_fill(pond);
 *
 * It has a shore.
 */
struct pond {
	int depth;
} __contract(object("Pond"), pinned, send, sync);

/**
 * pond_fill() - make one, in a struct pond
 * @pond: room for it
 *
 * Context: holds pond->lock. May sleep.
 * Return: 0, or -ENOMEM when &pond->depth cannot be allocated.
 */
int pond_fill(struct pond *pond) __contract(constructor, errno);
void pond_drain(struct pond *pond) __contract(destructor);

/**
 * pond_depth() - how deep it is
 * @pond: the pond
 *
 * Ask again later. It is never NULL. See pond_fill(), and %-EAGAIN.
 *
 * Return: the depth, or 0 if pond->depth is unknown.
 */
int pond_depth(struct pond *pond) __contract(method, plain);

/**
 * pond_stir() - call pond_depth() twice
 * @pond: the pond
 */
void pond_stir(struct pond *pond) __contract(method, may_sleep);

/**
 * pond_fish() - count the fish
 * @pond: the pond
 *
 * Return:
 * * 0 - done
 * * -EAGAIN - a fish moved
 * * -EIO - pond->depth was wrong
 */
int pond_fish(struct pond *pond) __contract(method, errno);
