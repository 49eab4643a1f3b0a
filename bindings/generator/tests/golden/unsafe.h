/* SPDX-License-Identifier: GPL-2.0 */
/* What no type expresses, what is given out through a pointer, and strings that are returned. */
#include <linux/contract.h>

typedef _Bool bool;

enum valve_state { VALVE_OPEN = 1, VALVE_STUCK = 2 } __contract(flags("ValveState"));
struct reading { unsigned int bar; } __contract(record("Reading"));

struct boiler { int fire; } __contract(object("Boiler"), pinned);
void boiler_init(struct boiler *boiler, unsigned long address)
	__contract(constructor, unsafe("nothing else uses the registers at `address`"));

/**
 * boiler_poke() - write a register
 * @boiler: the boiler
 * @address: of the register
 *
 * Return: 0, or -EIO when it does not answer.
 */
int boiler_poke(struct boiler *boiler, unsigned long address)
	__contract(method, errno, unsafe("`address` is that of a register of this boiler"));

/* Given out: by itself, with an error, with others. */
void boiler_valve(struct boiler *boiler, unsigned int *state __contract(out, flags(valve_state)))
	__contract(method);
int boiler_measure(struct boiler *boiler, struct reading *reading __contract(out))
	__contract(method, errno);
int boiler_count(struct boiler *boiler, unsigned int *value __contract(out)) __contract(method, errno);
int boiler_both(struct boiler *boiler, bool *lit __contract(out), unsigned long *litres __contract(out))
	__contract(method, errno);

/* Strings that are returned. */
const char *boiler_maker(struct boiler *boiler)
	__contract(method, borrowed(boiler), constant, nonnull);
const char *boiler_owner(struct boiler *boiler)
	__contract(method, borrowed(boiler), constant, nullable);

/* Left out: for how long is not stated; what is given out is not all; a promise on a lock. */
const char *boiler_model(struct boiler *boiler) __contract(method, nullable);
const char *boiler_plate(struct boiler *boiler) __contract(method, borrowed(boiler));
bool boiler_peek(struct boiler *boiler, unsigned int *bar __contract(out)) __contract(method);
void boiler_stoke(struct boiler *boiler) __contract(lock("FireGuard"), unsafe("there is coal"));
void boiler_damp(struct boiler *boiler) __contract(unlock("FireGuard"));

/* Left out: another method may replace it. Not so where all of them only read. */
struct label { int size; } __contract(object("Label"), pinned);
void label_init(struct label *label) __contract(constructor);
const char *label_text(const struct label *label) __contract(method, borrowed(label), nonnull);
int label_size(const struct label *label) __contract(method, plain);

struct plaque { int height; } __contract(object("Plaque"), pinned);
void plaque_init(struct plaque *plaque) __contract(constructor);
const char *plaque_text(struct plaque *plaque) __contract(method, borrowed(plaque), nonnull);
void plaque_melt(struct plaque *plaque) __contract(method);
/* A clause that has no meaning here. */
int plaque_height(const struct plaque *plaque) __contract(method, plain, constant);

/* A byte, and what may be more of them: left out. */
int plaque_letter(struct plaque *plaque, unsigned char *letter __contract(out(one)))
	__contract(method, errno);
int plaque_all(struct plaque *plaque, char *text __contract(out)) __contract(method, errno);
