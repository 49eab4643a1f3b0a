// SPDX-License-Identifier: GPL-2.0

//! What is written: every item with all that belongs to it.
//!
//! [`crate::check::plan`] makes it and decides everything. [`crate::emit`] prints it: there is nothing in it to look up, and
//! nothing is optional that the text needs.

use crate::check::account::Declared;
use crate::ir::Type;
use crate::model::Choice;
use crate::model::FlagSet;
use crate::model::Function;
use crate::model::Guarded;
use crate::model::LeftOut;
use crate::model::Object;
use crate::model::Plain;
use crate::model::Room;
use crate::model::Section;
use crate::model::Sharing;
use crate::model::Table;
use crate::model::Tagged;
use crate::model::Variant;
use crate::read::Doc;

/// A module for Rust, and the typed header for C.
#[derive(Debug, Default)]
pub struct Module {
    /// Its name, which is also part of the name of the typed header.
    pub name: String,
    /// The headers, as C includes them.
    pub includes: Vec<String>,
    /// Text about the whole, of the C side.
    pub overviews: Vec<Doc>,
    /// Text about the module in its stead.
    pub about: Option<String>,
    /// Items of other modules that may be used: names and paths.
    pub elsewhere: Vec<(String, String)>,
    /// Enumerations of mutually exclusive values.
    pub choices: Vec<Choice>,
    /// Enumerations whose values are combined with `|`.
    pub flags: Vec<FlagSet>,
    /// Integers that contain a value and flags.
    pub tagged: Vec<TaggedInt>,
    /// Plain data.
    pub records: Vec<Record>,
    /// Whether a function can lose a race and be called again.
    pub retries: bool,
    /// Objects.
    pub objects: Vec<Wrapper>,
    /// Structures of callbacks, for C.
    pub tables: Vec<OpsTable>,
    /// Sections, for C.
    pub sections: Vec<Run>,
    /// Prototypes that are stricter than C's own.
    pub prototypes: Vec<Prototype>,
    /// Functions that Rust cannot link to.
    pub shims: Vec<Function>,
    /// What both sides know the layout or value of.
    pub shared: Shared,
    /// The declarations under contract.
    pub declared: Vec<Declared>,
    /// Those that are left out, and why.
    pub left_out: Vec<LeftOut>,
    /// The same without those of other modules.
    pub reported: Vec<LeftOut>,
}

/// The code of the example in the documentation of an item, if it has one.
pub type Example = Option<String>;

/// An integer that contains a value and flags.
#[derive(Debug)]
pub struct TaggedInt {
    /// The integer.
    pub tagged: Tagged,
    /// The functions that extract a part.
    pub parts: Vec<Function>,
    /// Those among them that take nothing else, for C.
    pub plain_parts: Vec<Function>,
}

/// Plain data.
#[derive(Debug)]
pub struct Record {
    /// The structure.
    pub record: Plain,
    /// Its functions, and how each is given the record.
    pub methods: Vec<(Function, Passed)>,
    /// Members whose integers have a type of their own in C: their names, and the tags of the integers.
    pub typed_members: Vec<(String, String)>,
    /// Its example.
    pub example: Example,
}

/// How C is given a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// A copy.
    Value,
    /// A pointer to a copy.
    Copy,
    /// A pointer to C's own record.
    Shown,
}

/// An object.
#[derive(Debug)]
pub struct Wrapper {
    /// The structure, and how it is held.
    pub object: Object,
    /// The trait of its callbacks.
    pub table: Option<Trait>,
    /// Constructors that are functions of the object itself, not of a stage.
    pub constructors: Vec<Function>,
    /// What ends it.
    pub destructor: Option<End>,
    /// `get` and `put`.
    pub counted: Option<Counted>,
    /// Methods that may be called at any time.
    pub methods: Vec<Function>,
    /// Functions that take a lock, with no other held.
    pub locks: Vec<Lock>,
    /// Guards.
    pub guards: Vec<Guard>,
    /// Stages; one without a name if constructors have parameters that the object itself does not show.
    pub stages: Vec<Stage>,
    /// Sections.
    pub sections: Vec<Run>,
    /// Its example.
    pub example: Example,
}

/// The trait of an object's callbacks.
#[derive(Debug)]
pub struct Trait {
    /// The table.
    pub table: Table,
    /// Its example.
    pub example: Example,
}

/// The function that ends an object.
#[derive(Debug)]
pub struct End {
    /// The function.
    pub function: Function,
    /// Whether C needs a cleanup class for it, and one can be written.
    pub class: bool,
}

/// The functions that count references.
#[derive(Debug)]
pub struct Counted {
    /// Takes a reference.
    pub get: Function,
    /// Drops a reference.
    pub put: Function,
    /// Whether C needs a cleanup class for it.
    pub class: bool,
}

/// A function that takes a lock.
#[derive(Clone, Debug)]
pub struct Lock {
    /// The function.
    pub function: Function,
    /// The guard that it gives.
    pub guard: String,
    /// The guard that must be held.
    pub held: Option<String>,
    /// Whether the lock's value is kept in the guard.
    pub cookie: bool,
    /// Whether the guard keeps its task; see [`Guard::task`].
    pub task: bool,
    /// How it fails.
    pub fails: Fails,
}

/// How a function that takes a lock fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fails {
    /// Never.
    Never,
    /// By an error.
    Errno,
    /// By false.
    False,
    /// By zero.
    Zero,
}

/// A guard.
#[derive(Debug)]
pub struct Guard {
    /// Its name.
    pub name: String,
    /// The function that releases it.
    pub unlock: Function,
    /// The type of the value that its lock returned, if it is kept.
    pub cookie: Option<Type>,
    /// Whether it belongs to no thread.
    pub unbound: bool,
    /// Whether it exists only while a closure runs, which does not own it.
    pub scoped: bool,
    /// Whether it keeps its task. A lock may point to the task that holds it, and those who wait for it then look at that task:
    /// it must exist after it has leaked the guard and exited.
    pub task: bool,
    /// Methods that require it.
    pub methods: Vec<Required>,
    /// Functions that take another lock while it is held.
    pub locks: Vec<Lock>,
    /// Members that it guards.
    pub members: Vec<Guarded>,
    /// Access to the user's data, if it gives any.
    pub data: Option<Sharing>,
    /// The guards of cleanup.h.
    pub classes: Vec<GuardClass>,
}

/// A method of a guard.
#[derive(Debug)]
pub struct Required {
    /// The function.
    pub function: Function,
    /// Whether there must be no reference to the data behind the guard: C may release the lock meanwhile.
    pub alone: bool,
}

/// A guard of cleanup.h.
#[derive(Debug)]
pub struct GuardClass {
    /// The function that takes the lock.
    pub lock: Function,
    /// The name of the class, if C has it already.
    pub known: Option<String>,
    /// Whether the lock takes the object only; there is no class otherwise.
    pub writable: bool,
    /// The functions that try to take it and need a class.
    pub tries: Vec<Function>,
}

/// A stage of an object.
#[derive(Debug)]
pub struct Stage {
    /// Its name and the function that leads to it; none for an object that has a lifetime and no stages.
    pub name: Option<Marker>,
    /// The functions of that stage.
    pub steps: Vec<(Function, Step)>,
    /// The functions that lead to it, with the stage before, for C.
    pub entries: Vec<(Function, Option<String>)>,
    /// The functions that stay in it, for C.
    pub methods: Vec<Function>,
}

/// The type that stands for a stage.
#[derive(Debug)]
pub struct Marker {
    /// Its name.
    pub stage: String,
    /// The function that leads to it.
    pub by: String,
}

/// What a function does in a stage.
#[derive(Debug)]
pub enum Step {
    /// It makes the object; with the type parameters of what outlives it, and of the result of a closure.
    Makes {
        /// In Rust; may be empty.
        generics: String,
    },
    /// It leads to another stage.
    Leads(String),
    /// It stays.
    Stays,
}

/// A section, and who runs its protocol.
#[derive(Clone, Debug)]
pub enum Run {
    /// C.
    Entered(Box<Entered>),
    /// The caller.
    Sequence(Box<Sequence>),
}

/// A section whose protocol C runs.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The section.
    pub section: Section,
    /// The name of its object.
    pub object: String,
    /// Whether the object is a pointer to its storage.
    pub stored: bool,
    /// Enters the next round.
    pub enter: Function,
    /// Whether `enter` returns a `bool`.
    pub bool: bool,
    /// Ends it.
    pub leave: Function,
    /// Returns how it ended.
    pub outcome: Function,
    /// The type of its state, which sections of one structure share.
    pub state: String,
    /// Whether it is the first of these, with which the state is written.
    pub first: bool,
    /// Fields that always have the same value.
    pub set: Vec<Constant>,
    /// What is stated about the parameters: names, and texts.
    pub params: Vec<(String, String)>,
    /// Storage that Rust provides.
    pub room: Option<(Room, Elements)>,
    /// The guard under which the closure is given the user's data.
    pub data: Option<String>,
    /// The functions of its view.
    pub methods: Vec<Function>,
    /// Its iterators.
    pub iterators: Vec<Iterator>,
    /// Its example.
    pub example: Example,
}

/// The array of a section.
#[derive(Clone, Debug)]
pub struct Elements {
    /// The integer that an element is.
    pub int: &'static str,
    /// Whether the length is a `u32`, as the constant is.
    pub exact: bool,
}

/// A field that always has the same value.
#[derive(Clone, Debug)]
pub struct Constant {
    /// The field.
    pub field: String,
    /// The constant in C.
    pub c: String,
    /// The constant in the bindings.
    pub bound: String,
    /// What is stated about it.
    pub doc: Option<String>,
}

/// A function that steps through the items of a section.
#[derive(Clone, Debug)]
pub struct Iterator {
    /// The function.
    pub function: Function,
    /// The name of the iterator.
    pub name: String,
    /// Members of the item that are set before the first step, and what of the state they are set from.
    pub start: Vec<(String, String)>,
    /// An item.
    pub item: Plain,
    /// Whether the function returns a `bool`.
    pub bool: bool,
    /// Whether this section is the first that has it, with which its type is written.
    pub first: bool,
}

/// A section whose protocol the caller runs.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// The section.
    pub section: Section,
    /// Its object.
    pub object: Object,
    /// Returns a sequence number.
    pub begin: Function,
    /// Returns whether it has changed.
    pub check: Function,
    /// Whether `check` returns a `bool`.
    pub bool: bool,
    /// The guard that is held when the number is checked, and the function that takes the lock.
    pub lock: Option<(String, String)>,
}

/// A structure of callbacks.
#[derive(Debug)]
pub struct OpsTable {
    /// The table.
    pub table: Table,
    /// The tag of the object that they are called for.
    pub of: String,
}

/// A prototype.
#[derive(Debug)]
pub struct Prototype {
    /// The function.
    pub function: Function,
    /// Whether its result must be checked, and C does not state that.
    pub check: bool,
    /// The lock that must be held, as an expression, and how.
    pub held: Option<(String, &'static str)>,
}

/// What both sides know.
#[derive(Debug, Default)]
pub struct Shared {
    /// Structures.
    pub structs: Vec<String>,
    /// Enumerations and their constants.
    pub constants: Vec<(String, Vec<Variant>)>,
}
