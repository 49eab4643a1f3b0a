// SPDX-License-Identifier: GPL-2.0

//! Why a call is sound. The sentences above `unsafe` are printed from these and from nothing else, so that what a
//! sentence claims is what the contract was found to say.

use std::fmt;

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `self` is an object of ours.
    SelfIsObject(String),
    /// `self` is a guard of such an object.
    SelfIsGuard(String),
    /// `self` is what a section shows.
    SelfIsShown,
    /// `self` is a plain value without pointers.
    SelfIsValue,
    /// `self` is a reference to C's record, which has pointers.
    SelfIsRecord(String),
    /// Room for an object, in which fields may have been set.
    Slot {
        /// The structure.
        tag: String,
        /// Whether there are fields that are given.
        given: bool,
    },
    /// `borrows`: a reference, and C uses it for the call only.
    Borrowed(String),
    /// `slice`: an array with its length.
    Counted(String),
    /// `keeps`: the object has a reference of its own.
    Kept(String),
    /// `keeps` of a string: it is there for ever.
    Forever(String),
    /// `outlives`: the object's lifetime is that of the reference.
    Outlives(String),
    /// `requires`: `self` is the guard.
    Holds(String),
    /// A guard exists.
    Held,
    /// `cookie`: the guard has what its lock returned.
    Cookie(String),
    /// `out`: room of ours.
    Room(String),
    /// `borrowed`: what is returned stays.
    Lent(String),
    /// `owned`: the caller has the reference.
    Handed,
    /// C says that it is never NULL.
    NeverNull,
    /// `unsafe`: the caller promises.
    Caller(String),
    /// Nothing is asked.
    Nothing,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::SelfIsObject(tag) => {
                write!(f, "by the type's invariants `self` is a valid `struct {tag}`")
            }
            Reason::SelfIsGuard(tag) => write!(f, "by its invariants `self.owner` is a valid `struct {tag}`"),
            Reason::SelfIsShown => write!(f, "by the type's invariants the section is entered"),
            Reason::SelfIsValue => {
                write!(f, "the function is given a value that has no pointers, and nothing else")
            }
            Reason::SelfIsRecord(tag) => write!(
                f,
                "a reference to a `struct {tag}` comes from C, and its pointers are good for as long as it is"
            ),
            Reason::Slot { tag, given: false } => {
                write!(f, "`slot` is room for a `struct {tag}` that does not move")
            }
            Reason::Slot { tag, given: true } => write!(
                f,
                "`slot` is a `struct {tag}` that does not move, with the fields set that are `given`"
            ),
            Reason::Borrowed(name) => write!(f, "`{name}` is a reference and so valid for the call"),
            Reason::Counted(name) => write!(f, "`{name}` is given with its own length"),
            Reason::Kept(name) => write!(f, "`{name}` is kept alive by the object (`keeps`)"),
            Reason::Forever(name) => write!(f, "`{name}` is there for ever, so it may be kept (`keeps`)"),
            Reason::Outlives(name) => {
                write!(f, "`{name}` outlives the object, whose lifetime is its (`outlives`)")
            }
            Reason::Holds(guard) => write!(f, "`requires({guard})` holds because `self` is that guard"),
            Reason::Held => write!(f, "by the type's invariants this thread holds the lock"),
            Reason::Cookie(name) => write!(f, "`{name}` is what the lock returned (`cookie`)"),
            Reason::Room(name) => write!(f, "`{name}` is room for what is written"),
            Reason::Lent(name) => {
                write!(f, "by the contract (`borrowed({name})`) it stays for as long as `self`")
            }
            Reason::Handed => {
                write!(f, "by the contract (`owned`) the reference is the caller's to give back")
            }
            Reason::NeverNull => write!(f, "by the contract the result is never NULL (`nonnull`)"),
            Reason::Caller(why) => write!(f, "the caller promises that {why}"),
            Reason::Nothing => write!(f, "the contract asks nothing of the caller"),
        }
    }
}

/// The sentence that reasons make.
pub fn sentence(reasons: &[Reason]) -> String {
    let clauses: Vec<String> = match reasons {
        [] => vec![Reason::Nothing.to_string()],
        _ => reasons.iter().map(Reason::to_string).collect(),
    };
    let text = clauses.join("; ");
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => text,
    }
}
