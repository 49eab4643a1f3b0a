// SPDX-License-Identifier: GPL-2.0

//! Why a call is sound. The `SAFETY` comments are printed from these reasons only, so that each one states what the
//! contract states.

use crate::model::Reached;
use std::fmt;

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// About the receiver of a call, or the storage that a constructor is given.
    This(This),
    /// About an argument of a call.
    Argument(Argument),
    /// About what C returns, or what is read of its memory.
    Value(Value),
    /// About a lock, and the data behind it.
    Lock(Lock),
    /// About how long an object lives.
    Life(Life),
    /// About what C passes to a callback.
    Callback(Callback),
    /// About a section and its items.
    Section(Section),
    /// The contract has no requirement.
    Nothing,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::This(why) => why.fmt(f),
            Reason::Argument(why) => why.fmt(f),
            Reason::Value(why) => why.fmt(f),
            Reason::Lock(why) => why.fmt(f),
            Reason::Life(why) => why.fmt(f),
            Reason::Callback(why) => why.fmt(f),
            Reason::Section(why) => why.fmt(f),
            Reason::Nothing => write!(f, "the contract requires nothing of the caller"),
        }
    }
}

/// A reason about the receiver of a call, or the storage that a constructor is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum This {
    /// `self` is an object of ours.
    Object(String),
    /// `self` is a guard of such an object.
    Guard(String),
    /// `self` is the view that a section gives.
    Shown,
    /// `self` is a plain value without pointers.
    Value,
    /// `self` is a reference to C's record, which has pointers.
    Record(String),
    /// Room for an object, in which fields may have been set.
    Slot {
        /// The structure.
        tag: String,
        /// Whether there are fields that are given.
        given: bool,
    },
    /// Room for an object whose fields are set.
    Given(String),
    /// `zeroed`: room for an object, which is set to zero.
    Zeroed(String),
    /// `zeroed`: room for an object that is zero.
    SlotOfZeros(String),
}

impl From<This> for Reason {
    fn from(why: This) -> Self {
        Reason::This(why)
    }
}

impl fmt::Display for This {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            This::Object(tag) => {
                write!(f, "by the type's invariants `self` is a valid `struct {tag}`")
            }
            This::Guard(tag) => write!(f, "by its invariants `self.owner` is a valid `struct {tag}`"),
            This::Shown => write!(f, "by the type's invariants the section is entered"),
            This::Value => {
                write!(f, "the only argument is a value that has no pointers")
            }
            This::Record(tag) => write!(
                f,
                "a reference to a `struct {tag}` comes from C, and its pointers are valid as long as it is"
            ),
            This::Slot { tag, given: false } => {
                write!(f, "`slot` is storage for a `struct {tag}` that does not move")
            }
            This::Slot { tag, given: true } => write!(
                f,
                "`slot` is a `struct {tag}` that does not move, with the fields set that are `given`"
            ),
            This::Given(tag) => write!(
                f,
                "`slot` is storage for a `struct {tag}`, in which the `given` fields are set and the others are zero"
            ),
            This::Zeroed(tag) => write!(f, "`slot` is storage for a `struct {tag}`, which may be written"),
            This::SlotOfZeros(tag) => {
                write!(f, "`slot` is storage for a `struct {tag}` that does not move, and is zero (`zeroed`)")
            }
        }
    }
}

/// A reason about an argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// `borrows`: a reference, and C uses it for the call only.
    Borrowed(String),
    /// `slice`: an array with its length.
    Counted {
        /// The array.
        name: String,
        /// Whether C has another type for an element.
        cast: bool,
    },
    /// `keeps`: the object has a reference of its own.
    Kept(String),
    /// `kept`: a field of the object.
    InField(String),
    /// `keeps` of the class of a lock: it is there for ever.
    Forever(String),
    /// A string in the text of a module.
    Text(String),
    /// `outlives`: the object's lifetime is that of the reference.
    Outlives(String),
    /// `outlives` of an object that is `scoped`: the object ends before the function returns.
    OutlivesScope(String),
    /// `closure`: the address that the callbacks get.
    Closure,
    /// `out`: a variable for the result.
    Room(String),
    /// `unsafe`: the caller promises.
    Caller(String),
}

impl From<Argument> for Reason {
    fn from(why: Argument) -> Self {
        Reason::Argument(why)
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Borrowed(name) => write!(f, "`{name}` is a reference and so valid for the call"),
            Argument::Counted { name, cast: false } => write!(f, "`{name}` is passed with its own length"),
            Argument::Counted { name, cast: true } => write!(
                f,
                "`{name}` is passed with its own length, and an element has one layout in Rust and C"
            ),
            Argument::Kept(name) => write!(f, "`{name}` is kept alive by the object (`keeps`)"),
            Argument::InField(name) => write!(f, "`self.{name}` is what the constructor was given (`kept`)"),
            Argument::Forever(name) => write!(f, "`{name}` is never freed, so C may keep it (`keeps`)"),
            Argument::Text(name) => write!(
                f,
                "`{name}` is freed with its module only, when C does not use the object any more (`keeps`)"
            ),
            Argument::Outlives(name) => {
                write!(f, "`{name}` outlives the object, which has its lifetime (`outlives`)")
            }
            Argument::OutlivesScope(name) => write!(
                f,
                "`{name}` is a reference and so outlives the object, which ends before this returns (`outlives`, `scoped`)"
            ),
            Argument::Closure => {
                write!(f, "the address that C gives to the callbacks is the object's (`closure`)")
            }
            Argument::Room(name) => write!(f, "`{name}` is storage for the result"),
            Argument::Caller(why) => write!(f, "the caller promises that {why}"),
        }
    }
}

/// A reason about what C returns, or what is read of its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `borrowed`: the result stays valid.
    Lent(String),
    /// `owned`: the caller has the reference.
    Handed,
    /// An attribute in C makes it non-NULL.
    NeverNull,
    /// An array of a record: the structure, the length, the array, and whether it is behind a pointer.
    Elements {
        /// The structure.
        tag: String,
        /// The length.
        length: String,
        /// The array.
        name: String,
        /// Whether the contract names the length (`slice`), and not an attribute.
        sliced: bool,
        /// Whether it is behind a pointer.
        pointer: bool,
    },
    /// `constant`: a member of an object, and its length if it is an array.
    Unchanging {
        /// The structure.
        tag: String,
        /// The length, and the array.
        array: Option<(String, String)>,
    },
}

impl From<Value> for Reason {
    fn from(why: Value) -> Self {
        Reason::Value(why)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Lent(name) => {
                write!(
                    f,
                    "by the contract (`borrowed({name})`) it is valid as long as `self`"
                )
            }
            Value::Handed => {
                write!(f, "by the contract (`owned`) the caller owns the reference")
            }
            Value::NeverNull => write!(f, "by the contract the result is never NULL (`nonnull`)"),
            Value::Elements {
                tag,
                length,
                name,
                sliced,
                pointer,
            } => {
                let term = if *sliced { "slice" } else { "__counted_by" };
                write!(
                    f,
                    "C passes a `struct {tag}` with `{length}` elements in `{name}` (`{term}`), and they \
                     live as long as it does, which cannot be copied. "
                )?;
                match pointer {
                    true => write!(f, "The pointer was not NULL"),
                    false => write!(
                        f,
                        "They follow the structure, outside the memory that a reference to it covers"
                    ),
                }
            }
            Value::Unchanging { tag, array } => {
                write!(
                    f,
                    "by the type's invariants `self` is a valid `struct {tag}`, and by the contract (`constant`) \
                     nobody writes to the member, or to what it points to, while it exists"
                )?;
                match array {
                    Some((length, name)) => {
                        write!(
                            f,
                            "; `{name}` has `{length}` elements (`slice`), and is not NULL here"
                        )
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

/// A reason about a lock, and the data behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// `requires`: `self` is the guard.
    Holds(String),
    /// A guard exists.
    Held,
    /// A guard that belongs to no thread exists.
    Taken,
    /// `cookie`: the guard has the value that its lock returned.
    Cookie(String),
    /// `__guarded_by`: `self` is the guard of that lock.
    Guarded {
        /// The structure.
        tag: String,
        /// The lock.
        lock: String,
    },
    /// `data(Guard = shared)`: a guard that reads.
    SharedData(String),
    /// `data(Guard = exclusive)`: a guard that writes.
    ExclusiveData(String),
    /// `requires` on a callback: the lock is held.
    Locked(String),
    /// `enter` and `holds`: the lock is held.
    Entered(String),
    /// A pinned value does not move.
    Pinned,
    /// The data has no lock.
    OnlyShared,
    /// `send`.
    Send,
    /// `sync`; the data is behind guards when that is so.
    Sync(bool),
}

impl From<Lock> for Reason {
    fn from(why: Lock) -> Self {
        Reason::Lock(why)
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lock::Holds(guard) => write!(f, "`requires({guard})` holds because `self` is that guard"),
            Lock::Held => write!(f, "by the type's invariants this thread holds the lock"),
            Lock::Taken => write!(f, "by the type's invariants it was taken, and is released once, here"),
            Lock::Cookie(name) => write!(f, "`{name}` is the value that the lock returned (`cookie`)"),
            Lock::Guarded { tag, lock } => write!(
                f,
                "by its invariants `self.owner` is a valid `struct {tag}`; `__guarded_by({lock})` holds because \
                 `self` is the guard of that lock"
            ),
            Lock::SharedData(guard) => write!(
                f,
                "the guard is held, and by the contract (`data`) no `&mut` to the data exists while a `{guard}` is \
                 shared"
            ),
            Lock::ExclusiveData(guard) => write!(
                f,
                "the guard is held, and by the contract (`data({guard} = exclusive)`) no other one is"
            ),
            Lock::Locked(guard) => write!(
                f,
                "by the contract (`requires({guard})`) the lock is held, so no other thread accesses the data"
            ),
            Lock::Entered(guard) => write!(
                f,
                "by the contract (`enter`, `holds({guard})`) the lock is held, so no other thread accesses the data"
            ),
            Lock::Pinned => write!(f, "the data is pinned with its object, and does not move"),
            Lock::OnlyShared => write!(f, "the data is only ever shared"),
            Lock::Send => {
                write!(f, "by the contract (`send`) it may be ended on another thread than it was made on")
            }
            Lock::Sync(guarded) => {
                write!(f, "by the contract (`sync`) its functions may run on several threads at once")?;
                match guarded {
                    true => write!(f, ", and the data is reached through guards only"),
                    false => Ok(()),
                }
            }
        }
    }
}

/// A reason about how long an object lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Life {
    /// `from_raw`: the caller knows how long.
    Lives,
    /// `around`: the caller knows what it is.
    Inside,
    /// `around`: the caller knows how long.
    Alive,
    /// `deferred`: the storage of an object.
    Stored,
    /// `deferred`: the storage is allocated, and may be pinned.
    Allocated,
    /// `deferred`: the function calls back once, when it is done.
    Done(String),
    /// `put` with a release: of that name.
    Dropped(String),
    /// `get` of an object in storage of ours.
    Another,
    /// `deferred`: C calls back when the object has ended.
    Freed,
    /// `destructor`: of that name.
    Ended(String),
    /// `scoped`: the closure has returned; the destructor of that name.
    Left(String),
    /// `waits`: the object has callbacks, and the destructor of that name returns only when none runs.
    Waited(String),
    /// `get` and `put`.
    Counting(String),
    /// A reference shows that there is one.
    Count,
    /// The caller has a reference.
    GivenUp,
}

impl From<Life> for Reason {
    fn from(why: Life) -> Self {
        Reason::Life(why)
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Life::Lives => write!(
                f,
                "the caller promises that the object lives for all of `'a`; the layouts are the same by \
                 `repr(transparent)`"
            ),
            Life::Inside => {
                write!(f, "the caller promises that `ptr` is the `inner` of an object of this type")
            }
            Life::Alive => write!(f, "the caller promises that the object lives for all of `'a`"),
            Life::Stored => {
                write!(f, "by the type's invariants the storage lives as long as the object")
            }
            Life::Allocated => write!(f, "the storage does not move until it is freed"),
            Life::Done(function) => write!(
                f,
                "the object was initialised by its constructor, is ended once, here, and then only its callbacks \
                 can reach it, until `{function}` calls `free`"
            ),
            Life::Dropped(put) => write!(
                f,
                "the object was initialised by its constructor; `self` is one of its references, and is dropped once, here. \
                 `{put}` calls `free` if it was the last"
            ),
            Life::Another => write!(
                f,
                "`self` is a reference, so the count is not zero, and the new one has a count of its own"
            ),
            Life::Freed => write!(
                f,
                "C calls this once, when the object has ended, so nothing refers to the storage, which the \
                 constructor allocated"
            ),
            Life::Ended(destructor) => write!(
                f,
                "the object was initialised by its constructor, is ended once, here, and nothing can reach it after \
                 (`destructor` of `{destructor}`)"
            ),
            Life::Left(destructor) => write!(
                f,
                "the object was made above, and is ended once, here, after `body` has returned (`destructor` of \
                 `{destructor}`); what `body` was given has a lifetime of its own (`scoped`), so nothing can reach the object after"
            ),
            Life::Waited(destructor) => write!(
                f,
                "the object was initialised by its constructor, is ended once, here, and by the contract (`waits`) \
                 `{destructor}` returns only when none of its callbacks runs or will run, so nothing can reach it after"
            ),
            Life::Counting(tag) => write!(
                f,
                "by the contract (`get`, `put`) every `struct {tag}` has a count, and lives while it is not zero"
            ),
            Life::Count => write!(f, "`self` is a reference, so the count is not zero"),
            Life::GivenUp => write!(f, "the caller passes on the reference that it owns"),
        }
    }
}

/// A reason about what C passes to a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callback {
    /// A callback is given its object.
    Called {
        /// The structure.
        tag: String,
        /// What it is given of the object.
        reached: Reached,
        /// `deferred`: the function that calls back last.
        deferred: Option<String>,
    },
    /// `block`: the pages that a callback is given.
    Block {
        /// The parameter with the pointer.
        pointer: String,
        /// The parameter with the order.
        order: String,
        /// Whether the callback only reads it.
        reads: bool,
    },
    /// `owned` on a parameter: the callback is given an object.
    Yielded(String),
    /// `nonnull`: a callback is given a record.
    Passed(String),
    /// `borrows`, `nonnull`: a callback is given an object.
    Lent(String),
    /// `borrows`, `nonnull`: a callback is given a string.
    Text(String),
}

impl From<Callback> for Reason {
    fn from(why: Callback) -> Self {
        Reason::Callback(why)
    }
}

impl fmt::Display for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Callback::Called { tag, reached, deferred } => {
                let given = match reached {
                    Reached::Object => String::new(),
                    Reached::Member { path, .. } => format!("`{path}` (`member`) of "),
                    Reached::Closure => "the address (`closure`) of ".to_owned(),
                };
                let end = match deferred {
                    Some(function) => format!("`{function}` has called `free`"),
                    None => "the destructor has returned, which waits for this (`waits`)".to_owned(),
                };
                write!(
                    f,
                    "C calls back with {given}the `struct {tag}` that the constructor was given, and not after {end}"
                )
            }
            Callback::Block { pointer, order, reads: false } => write!(
                f,
                "by the contract (`block({pointer}, {order})`) C passes the first of `1 << {order}` in a row, valid \
                 for the call, and not used elsewhere meanwhile"
            ),
            Callback::Block { pointer, order, reads: true } => write!(
                f,
                "by the contract (`block({pointer}, {order}, reads)`) C passes the first of `1 << {order}` in a row, \
                 valid for the call, of which the callback gets a shared reference"
            ),
            Callback::Yielded(name) => write!(
                f,
                "by the contract (`owned`) C passes a valid `{name}`, which is the callback's from then on"
            ),
            Callback::Passed(tag) => write!(
                f,
                "by the contract (`nonnull`) C passes a valid `struct {tag}` for the call, and the layouts are the same by \
                 `repr(transparent)`"
            ),
            Callback::Lent(name) => {
                write!(f, "by the contract (`borrows`, `nonnull`) C passes a valid object as `{name}`, for the call")
            }
            Callback::Text(name) => {
                write!(f, "by the contract (`borrows`, `nonnull`) C passes a string as `{name}`, valid for the call")
            }
        }
    }
}

/// A reason about a section and its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Section {
    /// A section goes on.
    Entering(String),
    /// A section is over.
    Over,
    /// `begin`: the sequence number is of that function.
    Sequence(String),
    /// `leave`: of that name.
    Left(String),
    /// An iterator steps.
    Step,
}

impl From<Section> for Reason {
    fn from(why: Section) -> Self {
        Reason::Section(why)
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Section::Entering(tag) => write!(
                f,
                "the state is set up as `struct {tag}` requires, for the object `self`; no view of an earlier batch \
                 exists"
            ),
            Section::Over => write!(f, "the state is valid, and no view of it exists any more"),
            Section::Sequence(begin) => write!(
                f,
                "by the type's invariants `self` is valid; `sequence` is what `{begin}` returned for it"
            ),
            Section::Left(leave) => write!(
                f,
                "by the contract (`leave`) `{leave}` may be called inside the section and after it"
            ),
            Section::Step => {
                write!(f, "the section is entered for all of `'s`, and `item` is as the previous step left it")
            }
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
