/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct depot {
	int room;
} __contract(object("Depot"), sync);

/**
 * struct parcel - something on its way
 */
struct parcel {
	int weight;
} __contract(object("Parcel"));

/**
 * parcel_pack() - pack a parcel
 * @depot: where it starts from
 *
 * Return: the parcel, or -ENOMEM.
 */
struct parcel *parcel_pack(struct depot *depot __contract(outlives))
	__contract(constructor, errno, nonnull, stage("Packed"));

/**
 * parcel_send() - send it
 * @parcel: a parcel
 * @to: the number of a house
 *
 * Return: 0, or -ENOENT where there is no house.
 */
int parcel_send(struct parcel *parcel, unsigned int to)
	__contract(method, errno, stage("Packed", "Sent"));

/* parcel_arrive() has no documentation. */
void parcel_arrive(struct parcel *parcel)
	__contract(method, stage("Sent", "Arrived"));

/**
 * parcel_fetch() - have it fetched, by another way to the same stage
 * @parcel: a parcel
 * @by: who fetches it
 *
 * Return: 0, or -ENOENT for nobody.
 */
int parcel_fetch(struct parcel *parcel, unsigned int by)
	__contract(method, errno, stage("Packed", "Arrived"));

/**
 * parcel_days() - how long it took
 * @parcel: a parcel
 *
 * Return: in days.
 */
unsigned long parcel_days(const struct parcel *parcel)
	__contract(method, stage("Arrived"));

/**
 * parcel_weight() - how heavy it is
 * @parcel: a parcel
 *
 * Return: in grams.
 */
unsigned long parcel_weight(const struct parcel *parcel) __contract(method);
void parcel_return(struct parcel *parcel) __contract(destructor);

/**
 * struct ticket - a place in a queue
 */
struct ticket {
	int number;
} __contract(object("Ticket"));

/* A lifetime, and no stages. */
struct ticket *ticket_draw(struct depot *depot __contract(outlives))
	__contract(constructor, nullable);
void ticket_drop(struct ticket *ticket) __contract(destructor);

/* What is outlived, as a parameter. */
unsigned int depot_price(const struct depot *depot, struct ticket *ticket __contract(borrows))
	__contract(method);
struct stub {
	int number;
} __contract(object("Stub"));
struct stub *stub_tear(struct ticket *ticket __contract(outlives)) __contract(constructor, nullable);
void stub_drop(struct stub *stub) __contract(destructor);

/* Left out: in which stage the parcel has to be is not stated. */
int depot_store(struct depot *depot, struct parcel *parcel __contract(borrows))
	__contract(method, errno);

/* A stage that is entered again. */
struct reel {
	int turns;
} __contract(object("Reel"));

struct reel *reel_new(void) __contract(constructor, nullable, stage("Wound"));
int reel_run(struct reel *reel) __contract(method, errno, stage("Wound", "Unwound"));
int reel_wind(struct reel *reel) __contract(method, errno, stage("Unwound", "Wound"));
void reel_free(struct reel *reel) __contract(destructor);
