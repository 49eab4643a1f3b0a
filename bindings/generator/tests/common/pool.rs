// SPDX-License-Identifier: GPL-2.0

//! Parts of which the tests make contracts, and what becomes of these.

use hmm_bindgen::Run;
use std::collections::BTreeMap;
use std::path::Path;

/// What every header has: the things that parameters and results are of.
pub const HEAD: &str = "\
#pragma once
#include <linux/contract.h>
typedef _Bool bool;
typedef long long s64;
typedef unsigned int gfp_t;
struct lock_class_key;
struct part { int x; };
struct space;
struct __contract(object(\"Space\"), send, sync) space;
void space_get(struct space *space) __contract(get);
void space_put(struct space *space) __contract(put);
struct peer { int x; } __contract(object(\"Peer\"), pinned, send, sync);
void peer_init(struct peer *peer) __contract(constructor);
void peer_exit(struct peer *peer) __contract(destructor);
struct plain { int x; } __contract(record(\"Plain\"));
struct pointed { int x; void *p __contract(hidden); } __contract(record(\"Pointed\"));
enum closed { CLOSED_A, CLOSED_B } __contract(choice(\"Closed\"));
enum opened { OPENED_A, OPENED_B } __contract(choice(\"Opened\"), open);
enum bits { BITS_A = 1, BITS_B = 2 } __contract(flags(\"Bits\"));
";

/// The ways of holding an object, and what else may own a function. `@` is the number of the case.
pub const SHAPES: &[(&str, &str)] = &[
    ("pinned", "struct o@ { int x; } __contract(object(\"O@\"), pinned, send, sync);"),
    ("keeping", "struct o@ { int x __contract(constant); } __contract(object(\"O@\"), pinned, send, sync);"),
    ("zeroed", "struct o@ { int x; struct part part; } __contract(object(\"O@\"), pinned, zeroed, send, sync);"),
    ("data", "struct o@ { int x; } __contract(object(\"O@\"), pinned, send, sync, data(G@ = exclusive));"),
    (
        "field",
        "struct o@ { int (*call)(struct o@ *o, long n) __contract(given, callback(\"Call@\", call, plain)); } \
         __contract(object(\"O@\"), pinned, send, sync);",
    ),
    (
        "callbacks",
        "struct o@;\nstruct ops@ { void (*run)(struct o@ *o) __contract(required); } __contract(ops(\"Ops@\"));\n\
         struct o@ { const struct ops@ *ops __contract(given); } __contract(object(\"O@\"), pinned, send, sync);",
    ),
    ("owned", "struct o@ { int x; } __contract(object(\"O@\"));"),
    ("staged", "struct o@ { int x; } __contract(object(\"O@\"));"),
    ("outlived", "struct o@ { int x; } __contract(object(\"O@\"));"),
    ("scoped", "struct o@ { int x; } __contract(object(\"O@\"));"),
    ("counted", "struct o@ { int x; } __contract(object(\"O@\"), send, sync);"),
    ("referred", "struct o@ { int x; } __contract(object(\"O@\"), send, sync);"),
    ("record", "struct o@ { int x; } __contract(record(\"O@\"));"),
    ("pointers", "struct o@ { int x; void *p __contract(hidden); } __contract(record(\"O@\"));"),
    (
        "section",
        "struct h@ { int x; } __contract(object(\"H@\"), pinned);\nvoid h@_init(struct h@ *h) __contract(constructor);\n\
         struct o@ { struct h@ *h __contract(given); } __contract(section(\"O@\", of(h@), method(run)));",
    ),
];

/// The functions that a shape needs, by role; the one in the role under test is not among them.
pub fn base(shape: &str) -> &'static [(&'static str, &'static str)] {
    match shape {
        "pinned" | "zeroed" | "data" | "field" | "callbacks" => &[
            ("constructor", "void o@_init(struct o@ *o) __contract(constructor);"),
            ("destructor", "void o@_exit(struct o@ *o) __contract(destructor, waits, leaked, reaped);"),
            ("", "void o@_lock(struct o@ *o) __contract(lock(\"G@\"));"),
            ("unlock", "void o@_unlock(struct o@ *o) __contract(unlock(\"G@\"));"),
        ],
        "keeping" => &[
            ("constructor", "void o@_init(struct o@ *o, struct space *space __contract(keeps)) __contract(constructor);"),
            ("destructor", "void o@_exit(struct o@ *o) __contract(destructor, waits, leaked, reaped);"),
            ("", "void o@_lock(struct o@ *o) __contract(lock(\"G@\"));"),
            ("unlock", "void o@_unlock(struct o@ *o) __contract(unlock(\"G@\"));"),
        ],
        "owned" => &[
            ("constructor", "struct o@ *o@_open(void) __contract(constructor, nullable);"),
            ("destructor", "void o@_close(struct o@ *o) __contract(destructor, leaked);"),
            ("", "void o@_lock(struct o@ *o) __contract(lock(\"G@\"));"),
            ("unlock", "void o@_unlock(struct o@ *o) __contract(unlock(\"G@\"));"),
        ],
        "staged" => &[
            ("constructor", "struct o@ *o@_open(void) __contract(constructor, nullable, stage(\"Made@\"));"),
            ("destructor", "void o@_close(struct o@ *o) __contract(destructor, leaked);"),
        ],
        "outlived" => &[
            (
                "constructor",
                "struct o@ *o@_open(struct space *space __contract(outlives)) __contract(constructor, nullable);",
            ),
            ("destructor", "void o@_close(struct o@ *o) __contract(destructor, leaked);"),
        ],
        "scoped" => &[
            (
                "constructor",
                "struct o@ *o@_open(struct space *space __contract(outlives)) __contract(constructor, scoped, nullable);",
            ),
            ("destructor", "int o@_close(struct o@ *o) __contract(destructor, plain);"),
        ],
        "counted" => &[
            ("get", "void o@_get(struct o@ *o) __contract(get);"),
            ("put", "void o@_put(struct o@ *o) __contract(put, leaked);"),
            ("", "void o@_lock(struct o@ *o) __contract(lock(\"G@\"));"),
            ("unlock", "void o@_unlock(struct o@ *o) __contract(unlock(\"G@\"));"),
        ],
        "referred" => &[
            ("", "void o@_lock(struct o@ *o) __contract(lock(\"G@\"));"),
            ("unlock", "void o@_unlock(struct o@ *o) __contract(unlock(\"G@\"));"),
        ],
        "section" => &[
            ("enter", "bool o@_enter(struct o@ *o) __contract(enter);"),
            ("leave", "void o@_leave(struct o@ *o) __contract(leave);"),
            ("outcome", "int o@_outcome(const struct o@ *o) __contract(outcome, errno);"),
        ],
        _ => &[],
    }
}

/// A role: its clause, the result it has by nature, and what else it needs.
pub struct Role {
    /// What it is called.
    pub name: &'static str,
    /// Its clause.
    pub clause: &'static str,
    /// The result.
    pub ret: &'static str,
    /// The other function that it needs.
    pub with: &'static str,
}

/// The roles.
pub const ROLES: &[Role] = &[
    Role {
        name: "constructor",
        clause: "constructor",
        ret: "",
        with: "",
    },
    Role {
        name: "destructor",
        clause: "destructor",
        ret: "void ",
        with: "",
    },
    Role {
        name: "get",
        clause: "get",
        ret: "void ",
        with: "",
    },
    Role {
        name: "put",
        clause: "put",
        ret: "void ",
        with: "",
    },
    Role {
        name: "lock",
        clause: "lock(\"F@\")",
        ret: "void ",
        with: "void t@_undo(struct o@ *o) __contract(unlock(\"F@\"));",
    },
    Role {
        name: "trylock",
        clause: "trylock(\"F@\")",
        ret: "bool ",
        with: "void t@_undo(struct o@ *o) __contract(unlock(\"F@\"));",
    },
    Role {
        name: "unlock",
        clause: "unlock(\"G@\")",
        ret: "void ",
        with: "",
    },
    Role {
        name: "enter",
        clause: "enter",
        ret: "bool ",
        with: "",
    },
    Role {
        name: "leave",
        clause: "leave",
        ret: "void ",
        with: "",
    },
    Role {
        name: "outcome",
        clause: "outcome",
        ret: "int ",
        with: "",
    },
    Role {
        name: "begin",
        clause: "begin(\"B@\", method(again))",
        ret: "unsigned int ",
        with: "bool t@_check(struct o@ *o, unsigned int sequence) __contract(check(\"B@\"));",
    },
    Role {
        name: "iterator",
        clause: "iterator(\"I@\")",
        ret: "bool ",
        with: "",
    },
    Role {
        name: "method",
        clause: "method",
        ret: "void ",
        with: "",
    },
];

/// Clauses on the function; the result that goes with each where the role leaves it open.
pub const CLAUSES: &[(&str, &str)] = &[
    ("", ""),
    ("requires(G@)", ""),
    ("errno", "int "),
    ("errno", "long "),
    ("errno", "s64 "),
    ("plain", "int "),
    ("errno, plain", "int "),
    ("errno, plain", "s64 "),
    ("errno(retry(-EBUSY))", "int "),
    ("errno, nullable", "struct o@ *"),
    ("owned", "struct o@ *"),
    ("owned, nullable", "struct space *"),
    ("owned, errno", "struct space *"),
    ("borrowed(o)", "struct space *"),
    ("borrowed(o), nonnull", "struct o@ *"),
    ("borrowed(o), constant, nonnull", "struct space *"),
    ("borrowed(o), constant, nullable", "struct o@ *"),
    ("constant", ""),
    ("owned, errno, nullable", "struct space *"),
    ("owned, errno, nonnull", "struct space *"),
    ("errno, nonnull", "struct o@ *"),
    ("leaked", ""),
    ("leaked(unsafe)", ""),
    ("reaped", ""),
    ("reaped(unsafe)", ""),
    ("owned, nonnull", "struct space *"),
    ("borrowed(o), nullable", "struct space *"),
    ("borrowed", "struct space *"),
    ("owned, nonnull", "struct peer *"),
    ("nullable", "struct o@ *"),
    ("stage(\"Made@\")", ""),
    ("stage(\"Made@\", \"Done@\")", ""),
    ("stage(\"Made@\", \"Done@\"), errno", "int "),
    ("may_sleep", ""),
    ("waits", ""),
    ("unbound", ""),
    ("unbound, errno", "int "),
    ("unbound, requires(G@)", ""),
    ("scoped", ""),
    ("scoped, errno", "int "),
    ("scoped, requires(G@)", ""),
    ("scoped, unbound", ""),
    ("unsafe(\"it is raining\")", ""),
    ("borrowed(o), nonnull", "const char *"),
    ("borrowed(o), nullable", "const char *"),
    ("borrowed(o), constant, nonnull", "const char *"),
    ("borrowed(o), constant, nullable", "const char *"),
    ("atomic, name(\"as_raw\")", ""),
    ("name(\"loop\")", ""),
];

/// Results with no clause.
pub const RESULTS: &[&str] = &[
    "bool ",
    "unsigned int ",
    "long ",
    "char ",
    "const char *",
    "void *",
    "gfp_t ",
    "enum closed ",
    "enum opened ",
    "struct plain ",
    "struct pointed ",
];

/// Parameters.
pub const PARAMS: &[&str] = &[
    "int n",
    "struct o@ *other __contract(borrows)",
    "const char *text",
    "const char *text __contract(borrows)",
    "const char *text __contract(keeps)",
    "const char *text __contract(borrows, nullable)",
    "const char *text __contract(keeps, nullable)",
    "const char *text __contract(identity)",
    "char *text __contract(borrows)",
    "const unsigned char *key __contract(borrows)",
    "struct space *space",
    "struct space *space __contract(borrows)",
    "struct space *space __contract(keeps)",
    "struct space *space __contract(keeps, nullable)",
    "struct space *space __contract(outlives)",
    "struct space *space __contract(borrows, nullable)",
    "struct space *space __contract(identity)",
    "struct peer *data __contract(borrows)",
    "struct peer *inner __contract(keeps)",
    "struct peer *slot __contract(keeps)",
    "const struct plain *where __contract(borrows)",
    "const struct plain *where __contract(borrows, nullable)",
    "struct plain *where __contract(borrows)",
    "const struct pointed *where __contract(borrows)",
    "struct plain plain",
    "struct pointed pointed",
    "enum closed closed",
    "enum opened opened",
    "unsigned int self __contract(flags(bits))",
    "unsigned long wide __contract(flags(bits))",
    "int sign __contract(choice(opened))",
    "unsigned char type __contract(flags(bits))",
    "unsigned int *values __contract(slice(nr)), unsigned long nr",
    "const char *values __contract(slice(nr)), unsigned char nr",
    "const unsigned int *values __contract(slice(nr), nullable), unsigned long nr",
    "const struct plain *values __contract(slice(nr)), unsigned long nr",
    "struct pointed *values __contract(slice(nr)), unsigned long nr",
    "const enum closed *values __contract(slice(nr)), unsigned long nr",
    "enum closed *values __contract(slice(nr)), unsigned long nr",
    "unsigned int *values __contract(slice(nr), choice(opened)), unsigned long nr",
    "const unsigned int *values __contract(slice(nr), flags(bits)), unsigned long nr",
    "const void *values __contract(slice(nr)), unsigned long nr",
    "bool *values __contract(slice(nr)), unsigned long nr",
    "struct space **values __contract(slice(nr)), unsigned long nr",
    "const void *owner __contract(identity)",
    "void *owner __contract(identity, nullable)",
    "void *owner",
    "unsigned int *value __contract(out)",
    "bool *value __contract(out), struct plain *where __contract(out)",
    "unsigned int *value __contract(out, flags(bits))",
    "const unsigned int *value __contract(out)",
    "enum closed *value __contract(out)",
    "struct pointed *value __contract(out)",
    "int cookie __contract(cookie)",
    "gfp_t gfp",
    "struct space *space __contract(kept)",
    "struct space *kept __contract(kept(space))",
    "struct peer *space __contract(kept)",
    "struct o@ **made __contract(out)",
    "const struct space **made __contract(out)",
    "struct lock_class_key *key",
    "struct lock_class_key *key __contract(keeps)",
    "struct lock_class_key *key __contract(borrows)",
    "struct lock_class_key *key __contract(keeps, nullable)",
    "void *data __contract(closure)",
    "int *data __contract(closure)",
    "void (*run)(int n, void *p) __contract(callback(\"Run@\", run)), void *data __contract(closure)",
    "void (*run)(int n, void *p) __contract(callback(\"Run@\", run))",
    "int (*run)(const struct part *part, long n) __contract(callback(\"Run@\", run, plain, member(part)))",
    "void (*run)(const struct o@ *o, struct part *p) __contract(callback(\"Run@\", run))",
    "bool yes __contract(nullable)",
    "void (*run)(struct o@ *o) __contract(callback(\"Run@\", run))",
];

/// Clauses that only make sense with a parameter: the clause, the result and the parameter.
pub const TOGETHER: &[(&str, &str, &str)] = &[
    ("errno", "int ", "struct o@ **made __contract(out)"),
    (
        "errno",
        "int ",
        "const struct o@ **made __contract(out), const char *text __contract(borrows)",
    ),
    (
        "errno, name(\"made@\")",
        "int ",
        "struct space **made __contract(out)",
    ),
    (
        "errno",
        "int ",
        "struct o@ **made __contract(out), unsigned int *value __contract(out)",
    ),
    (
        "errno(retry(-EBUSY))",
        "int ",
        "struct o@ **made __contract(out)",
    ),
    ("errno", "long ", "struct o@ **made __contract(out)"),
    ("requires(G@)", "", "struct space *space __contract(kept)"),
    ("nullable", "struct o@ *", "unsigned int body"),
    (
        "nullable",
        "struct o@ *",
        "struct peer *peer __contract(outlives)",
    ),
    (
        "errno, nonnull, stage(\"Made@\")",
        "struct o@ *",
        "struct space *space __contract(outlives)",
    ),
    (
        "nonnull, unsafe(\"it is raining\")",
        "struct o@ *",
        "struct space *space __contract(borrows)",
    ),
];

/// What became of a case: the reason why it is refused, if it is.
pub type Fates = BTreeMap<usize, Option<String>>;

/// The number at the end of a name, before a dot or an underscore.
fn number(name: &str) -> Option<usize> {
    let head = name.split(['.', '_']).next()?;
    head.trim_start_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .ok()
}

/// Runs the generator over some cases; those that are errors are taken out and reported.
pub fn run(folder: &Path, name: &str, cases: &[(usize, &str)], fates: &mut Fates) -> Run {
    let path = folder.join(format!("{name}.h"));
    let mut left: Vec<(usize, &str)> = cases.to_vec();
    loop {
        let mut text = HEAD.to_owned();
        let mut ends = Vec::new();
        for (number, case) in &left {
            text.push_str(case);
            ends.push((text.lines().count(), *number));
        }
        std::fs::write(&path, &text).expect("a header");
        let run = super::analyse(&path);
        let mut wrong = BTreeMap::new();
        for found in run.diagnostics.iter() {
            let (span, _) = found
                .at
                .as_ref()
                .unwrap_or_else(|| panic!("{name}: {}", found.title));
            let line = run.sources.line(*span);
            let (_, number) = ends.iter().find(|(end, _)| line <= *end).expect("a case");
            wrong
                .entry(*number)
                .or_insert_with(|| format!("error: {}", found.title));
        }
        if wrong.is_empty() {
            for (case, _) in &left {
                let of = |left: &&hmm_bindgen::model::LeftOut| number(&left.name) == Some(*case);
                let own = run.api.left_out.iter().filter(of);
                let why = own
                    .clone()
                    .find(|left| left.name == format!("t{case}"))
                    .or(own.clone().next());
                fates.insert(
                    *case,
                    why.map(|left| left.reason.replace(&case.to_string(), "")),
                );
            }
            return run;
        }
        left.retain(|(number, _)| !wrong.contains_key(number));
        for (case, title) in wrong {
            fates.insert(case, Some(title.replace(&case.to_string(), "")));
        }
    }
}
