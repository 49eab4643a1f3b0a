// SPDX-License-Identifier: GPL-2.0

//! The result of the check phase, as Rust types: emit prints it, and decides nothing.

use crate::check::reason::Reason;
use crate::read::CType;

/// A type on the typed side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// Nothing.
    #[default]
    Unit,
    /// A truth value.
    Bool,
    /// An integer, by its name in Rust.
    Int(&'static str),
    /// A reference to an object.
    Object {
        /// Its structure.
        tag: String,
        /// Its type, with its parameters; a path when it is foreign.
        rust: String,
    },
    /// A copy of a record.
    Record(Record),
    /// A reference to a record.
    RecordRef(Record),
    /// A choice.
    Choice {
        /// Its enumeration.
        tag: String,
        /// Its type.
        name: String,
        /// Whether it is a newtype.
        open: bool,
    },
    /// A flag set or a tagged integer: a newtype of an integer.
    Newtype {
        /// Its type.
        name: String,
        /// The integer.
        int: &'static str,
    },
    /// An address that nobody follows.
    Identity {
        /// Whether it is never NULL.
        nonnull: bool,
        /// Whether C has it as a pointer to something.
        typed: bool,
        /// Whether C has it as a pointer to const.
        constant: bool,
    },
    /// A slice.
    Slice {
        /// The element.
        element: Box<Type>,
        /// Whether it is written to.
        mutable: bool,
        /// Whether the bindings have another type for an element.
        cast: bool,
    },
    /// A string.
    Text,
    /// Allocation flags.
    Gfp,
    /// The class of a lock, which is never freed.
    LockClass,
}

impl Type {
    /// Whether it is a reference in Rust and a pointer in C.
    pub fn is_reference(&self) -> bool {
        matches!(
            self,
            Type::Object { .. } | Type::RecordRef(_) | Type::Text | Type::Slice { .. }
        )
    }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its structure.
    pub tag: String,
    /// Its type.
    pub name: String,
    /// Whether it carries the lifetime of a section.
    pub confined: bool,
}

/// A value that an object holds a reference to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The field, and the parameter of the constructor.
    pub name: String,
    /// The field's type.
    pub rust: String,
    /// The parameter's type, when the field is made of it.
    pub given: Option<String>,
    /// Whether the kernel crate has its type, of which no contract states where it may be used.
    pub foreign: bool,
}

/// The argument passed to C for a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// The object itself.
    This,
    /// The table of callbacks, a constant.
    Table,
    /// A callback, the function of that name.
    Callback(String),
    /// The address of the object, for its callbacks.
    Closure,
    /// The length of a slice; it may be too long when that is so.
    Length {
        /// The slice.
        slice: String,
        /// The parameter in C.
        name: String,
        /// Whether C's integer is narrower than `usize`.
        narrow: bool,
    },
    /// Room for a value that C writes, and the function returns.
    Out {
        /// Its name.
        name: String,
        /// Its type.
        ty: Type,
    },
    /// Something of which the object has a reference from then on.
    Kept(Kept),
    /// Something that the object keeps: the field.
    Field(String),
    /// A pointer to an object, which C sets: its name, the structure, and whether that is const.
    Made {
        /// Its name.
        name: String,
        /// The structure.
        tag: String,
        /// Whether the pointer is to const.
        constant: bool,
    },
    /// A parameter on the typed side too.
    Value(Value),
}

/// A parameter on the typed side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it may be left out.
    pub nullable: bool,
    /// The lifetime that it must have, when that is not its own.
    pub lifetime: Option<&'static str>,
    /// Why C may use it, when it is a pointer.
    pub reason: Option<Reason>,
}

/// The parameter that the type of an object has for the user's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generic {
    /// The trait that bounds it.
    pub bound: Option<String>,
}

/// The result of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gives {
    /// A value, or nothing.
    Value(Type),
    /// A string, which is valid as long as that parameter.
    Text(String),
    /// An object.
    Object(Returned),
}

impl Default for Gives {
    fn default() -> Self {
        Gives::Value(Type::Unit)
    }
}

/// An object that a function returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Its type.
    pub rust: String,
    /// How it is held.
    pub held: Held,
}

/// How an object that a function returns is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// By the pointer that a value of its type has.
    Own {
        /// The name of its type.
        name: String,
        /// Its other fields, which are parameters of the function.
        keeps: Vec<String>,
        /// Whether its type has a marker, and is known from the `impl` only.
        marker: bool,
    },
    /// By a closure's parameter, until that returns.
    Scoped {
        /// The name of its type.
        name: String,
        /// The function in C that ends it.
        end: String,
        /// What that returns.
        ret: CType,
    },
    /// By a reference that is counted.
    Counted,
    /// By a reference that is valid as long as that parameter.
    Lent(String),
}
