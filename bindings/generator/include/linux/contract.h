/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contracts: what a C declaration promises, written where it is declared.
 *
 * A contract goes at the end of a function's prototype, after the closing
 * brace of a structure or an enumeration, or after the name of a parameter,
 * a field or a typedef:
 *
 *	struct foo {
 *		...
 *	} __contract(object("Foo"), pinned);
 *
 *	int foo_init(struct foo *foo) __contract(constructor, errno);
 *
 * For a structure that another header defines, it goes before the tag of a
 * forward declaration: struct __contract(object("Foo")) foo;
 *
 * A macro or a static inline is put under contract by a prototype whose name
 * stands in parentheses, which keeps the preprocessor from expanding it:
 *
 *	void (foo_init)(struct foo *foo) __contract(macro, constructor);
 *
 * The compiler never sees a contract. bindings/generator reads them and
 * writes typed objects from them; docs/contracts.md has the vocabulary.
 */
#ifndef _LINUX_CONTRACT_H
#define _LINUX_CONTRACT_H

#ifdef __CONTRACT_READER__
#define __contract(...) __attribute__((annotate("contract: " #__VA_ARGS__)))
#else
#define __contract(...)
#endif

#endif /* _LINUX_CONTRACT_H */
