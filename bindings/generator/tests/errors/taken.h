/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* Names of types that functions bring along, and that something else has. */
enum way { WAY_IN, WAY_OUT } __contract(choice("Way"));
struct attempt { int id; } __contract(record("Attempt"));
struct lane { int x; } __contract(object("Lane"), pinned);
struct road { int x; } __contract(object("Road"), pinned);
struct made { int x; } __contract(object("Made"));

void lane_init(struct lane *lane) __contract(constructor);
void lane_enter(struct lane *lane) __contract(lock("Way"));
void lane_leave(struct lane *lane) __contract(unlock("Way"));
int lane_go(struct lane *lane) __contract(method, errno(retry(-EBUSY)));
void road_init(struct road *road) __contract(constructor);
void road_take(struct road *road) __contract(lock("Taken"));
void road_release(struct road *road) __contract(unlock("Taken"));
void lane_take(struct lane *lane) __contract(lock("Taken"));
void lane_release(struct lane *lane) __contract(unlock("Taken"));
struct made *made_new(void) __contract(constructor, nullable, stage("Made"));
void made_free(struct made *made) __contract(destructor);
