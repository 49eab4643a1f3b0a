// SPDX-License-Identifier: GPL-2.0

//! The typed counterpart of a C type, by the contracts.

use crate::model::clauses::first_name;
use crate::model::clauses::JIFFIES;
use crate::model::Api;
use crate::model::Member;
use crate::model::Param;
use crate::model::ParamKind;
use crate::read::CType;

/// The structure of a lock's class, for which the kernel crate has a type.
const LOCK_CLASS: &str = "lock_class_key";

/// Addresses of memory, as the kernel crate has them: behind any of them can be memory of others.
const PHYSICAL: &str = "crate::io::PhysAddr";
const RESOURCE: &str = "crate::io::ResourceSize";
const DMA: &str = "crate::dma::DmaAddress";

/// A type on the typed side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ty {
    /// Nothing.
    Unit,
    /// `bool`.
    Bool,
    /// An integer, by its Rust name.
    Int(&'static str),
    /// A reference to an object, by tag.
    Object(String),
    /// Plain data, by tag; by value.
    Record(String),
    /// Plain data, by tag; by pointer to const.
    RecordRef(String),
    /// A choice, by tag.
    Choice(String),
    /// A flag set, by tag.
    Flags(String),
    /// A tagged integer, by tag.
    Tagged(String),
    /// The state of a section, by tag.
    Section(String),
    /// A table of callbacks, by tag.
    Table(String),
    /// A single callback, by the name of the function that takes it.
    Callback,
    /// An address that is compared and never dereferenced.
    Identity {
        /// Whether an attribute in C makes it non-NULL.
        nonnull: bool,
    },
    /// An array.
    Slice {
        /// The element.
        element: Box<Ty>,
        /// Whether the callee writes to it.
        mutable: bool,
    },
    /// The length of a slice, which the typed side does not have.
    LengthOf(String),
    /// A C string.
    Text,
    /// Allocation flags.
    Gfp,
    /// The class of a lock.
    LockClass,
    /// A pointer to an object that a constructor makes, by tag; C sets it.
    Made {
        /// The structure.
        tag: String,
        /// Whether the pointer is to const.
        constant: bool,
    },
    /// The object's own address, which C gives to its callbacks.
    Closure,
}

/// Why a declaration is left out, and how to change that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// Why.
    pub reason: String,
    /// How to change that.
    pub remedy: String,
}

impl Why {
    /// Make one.
    pub fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Why {
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }
}

/// The typed counterpart of a parameter.
pub fn of_param(api: &Api, param: &Param) -> Result<Ty, Why> {
    match &param.kind {
        ParamKind::Identity => {
            return Ok(Ty::Identity {
                nonnull: param.nonnull,
            })
        }
        ParamKind::Callback => return Ok(Ty::Callback),
        ParamKind::Closure => return closure(param),
        ParamKind::Release => return Ok(Ty::Closure),
        ParamKind::LengthOf(slice) => return Ok(Ty::LengthOf(slice.clone())),
        ParamKind::Slice(_) => return slice(api, param),
        ParamKind::Out => return out(api, param),
        ParamKind::Plain
        | ParamKind::Borrows
        | ParamKind::Keeps
        | ParamKind::Kept(_)
        | ParamKind::Outlives
        | ParamKind::Cookie => {}
    }
    of(api, &param.ty, param.int_type.as_deref()).map_err(|why| {
        Why::new(
            format!("parameter `{}`: {}", param.name, why.reason),
            why.remedy,
        )
    })
}

/// The typed counterpart of a callback's parameter.
pub fn of_callback(api: &Api, param: &crate::read::Parameter) -> Result<Ty, Why> {
    if param
        .contract
        .terms
        .iter()
        .any(|term| term.name() == Some("identity"))
    {
        return match param.ty.plain() {
            CType::Pointer { to, .. } if matches!(to.plain(), CType::Void | CType::Record(_)) => {
                Ok(Ty::Identity { nonnull: false })
            }
            other => Err(Why::new(
                format!(
                    "`identity` is for a pointer to a structure or to `void`, and this is `{}`",
                    other.spell()
                ),
                "remove `identity`",
            )),
        };
    }
    let tags = ["tagged", "flags", "choice"];
    let term = param
        .contract
        .terms
        .iter()
        .find(|term| term.name().is_some_and(|name| tags.contains(&name)));
    let jiffies = param
        .contract
        .terms
        .iter()
        .any(|term| term.name() == Some("jiffies"));
    let tag = term
        .and_then(first_name)
        .or(jiffies.then(|| JIFFIES.to_owned()));
    of(api, &param.ty, tag.as_deref())
}

/// The type of an `out` parameter must have all zeros as a valid value.
fn out(api: &Api, param: &Param) -> Result<Ty, Why> {
    let refuse = |why: String, remedy: String| {
        Why::new(format!("parameter `{}`: {why}", param.name), remedy)
    };
    let CType::Pointer {
        to,
        constant: false,
    } = param.ty.plain()
    else {
        return Err(refuse(
            "it cannot be written to".into(),
            "remove `out`".into(),
        ));
    };
    if let (Some(tag), constant) = (to.pointee_record(), to.is_const_pointer()) {
        return match api.object(tag).is_some() {
            true => Ok(Ty::Made {
                tag: tag.to_owned(),
                constant,
            }),
            false => Err(no_contract(api, "struct", tag)),
        };
    }
    let ty =
        of(api, to, param.int_type.as_deref()).map_err(|why| refuse(why.reason, why.remedy))?;
    let byte = matches!(to.plain(), CType::Char | CType::Int("u8" | "i8")) && is_byte(&ty);
    if byte && !param.one {
        return Err(refuse(
            "C may write more than the byte that it points to".into(),
            "add `out(one)` if C writes one byte, or `slice(len)` if it writes as many as another parameter states".into(),
        ));
    }
    let choice =
        matches!(&ty, Ty::Choice(tag) if api.choice(tag).is_some_and(|choice| choice.open));
    match ty {
        Ty::Bool | Ty::Int(_) | Ty::Flags(_) | Ty::Tagged(_) => Ok(ty),
        Ty::Record(ref tag) if has_bits(api, tag) => Err(refuse(
            format!("`struct {tag}` has bit-fields, and cannot be made of zeros in Rust"),
            "put a function under contract that returns the structure".into(),
        )),
        Ty::Record(ref tag) if api.record(tag).is_some_and(|record| !record.confined) => Ok(ty),
        _ if choice => Ok(ty),
        _ => Err(refuse(
            format!("a `{}` is not given out yet", to.spell()),
            "have the function return it, or put another under contract".into(),
        )),
    }
}

/// Whether it is a byte, and no flags or the like that are one.
fn is_byte(ty: &Ty) -> bool {
    matches!(ty, Ty::Int("u8" | "i8"))
}

/// Whether a record has bit-fields, for which bindgen has a type that zeros are not known to be valid for.
pub fn has_bits(api: &Api, tag: &str) -> bool {
    let bits = |ty: &CType| match ty.plain() {
        CType::Bits(_) => true,
        CType::Record(inner) => has_bits(api, inner),
        _ => false,
    };
    api.record(tag)
        .is_some_and(|record| record.fields.iter().any(bits))
}

fn closure(param: &Param) -> Result<Ty, Why> {
    match param.ty.plain() {
        CType::Pointer { to, .. } if *to.plain() == CType::Void => Ok(Ty::Closure),
        _ => Err(Why::new(
            format!(
                "parameter `{}`: what C gives to a callback is a `void *`",
                param.name
            ),
            "remove `closure`",
        )),
    }
}

fn slice(api: &Api, param: &Param) -> Result<Ty, Why> {
    let refuse = |why: Why| {
        Why::new(
            format!("parameter `{}`: {}", param.name, why.reason),
            why.remedy,
        )
    };
    let CType::Pointer { to, constant } = param.ty.plain() else {
        return Err(refuse(Why::new(
            "an array is given by a pointer",
            "remove `slice`",
        )));
    };
    let tags = (param.int_type.as_deref(), param.element.as_deref());
    let element = element(api, to, tags, *constant).map_err(refuse)?;
    Ok(Ty::Slice {
        element: Box::new(element),
        mutable: !constant,
    })
}

/// The typed counterpart of an array's element, which must have the same layout in Rust and C. Unless the array is
/// `read_only` for C, each value that C may write there must be one in Rust. What a `void *` points to is bytes.
pub fn element(
    api: &Api,
    c: &CType,
    (tag, stated): (Option<&str>, Option<&str>),
    read_only: bool,
) -> Result<Ty, Why> {
    let void = matches!(c.plain(), CType::Void);
    let ty = match stated {
        None if void && tag.is_none() => return Ok(Ty::Int("u8")),
        None => of(api, c, tag)?,
        Some(name) if void && tag.is_none() => behind_void(api, name)?,
        Some(_) => {
            return Err(Why::new(
                format!("the type of an element is `{}`, as C states", c.spell()),
                "write `slice(len)`",
            ))
        }
    };
    let same = match &ty {
        Ty::Int(_) | Ty::Bool | Ty::Flags(_) | Ty::Tagged(_) => true,
        Ty::Record(tag) => api.record(tag).is_some_and(|record| !record.confined),
        // An enumeration in Rust has the integer of C's.
        Ty::Choice(tag) => match api.choice(tag).is_some_and(|choice| choice.open) || read_only {
            true => true,
            false => return from_c(api, &ty).map(|()| ty),
        },
        _ => false,
    };
    match same {
        true => Ok(ty),
        false => Err(Why::new(
            format!("an array of `{}` cannot be a slice in Rust", c.spell()),
            "put a function under contract that takes or returns one element",
        )),
    }
}

/// The type of the elements behind a `void *`, by its name in C.
fn behind_void(api: &Api, name: &str) -> Result<Ty, Why> {
    const INTEGERS: &[(&str, &str)] = &[
        ("u8", "u8"),
        ("u16", "u16"),
        ("u32", "u32"),
        ("u64", "u64"),
        ("s8", "i8"),
        ("s16", "i16"),
        ("s32", "i32"),
        ("s64", "i64"),
        ("size_t", "usize"),
    ];
    if let Some((_, int)) = INTEGERS.iter().find(|(c, _)| *c == name) {
        return Ok(Ty::Int(int));
    }
    match api.record(name) {
        Some(_) => of(api, &CType::Record(name.to_owned()), None),
        None => by_tag(api, name).map_err(|_| {
            Why::new(
                format!("`{name}` is no type that the elements of a slice can have"),
                "name an integer (u8 to u64, s8 to s64, size_t), or the tag of a record, a choice, flags or a tagged integer \
                 under contract",
            )
        }),
    }
}

/// The typed counterpart of a C type; `tag` is the tag of the flag set or tagged integer, if it is one.
pub fn of(api: &Api, ty: &CType, tag: Option<&str>) -> Result<Ty, Why> {
    if let Some(JIFFIES) = tag {
        return match ty.plain() {
            CType::Int("usize") => Ok(Ty::Int("crate::time::Jiffies")),
            _ => Err(Why::new(
                format!(
                    "`{}` is not `unsigned long`, the type of a time in jiffies",
                    ty.spell()
                ),
                "remove `jiffies`",
            )),
        };
    }
    if let Some(tag) = tag {
        return by_tag(api, tag).and_then(|found| same_integer(api, ty, found));
    }
    if let CType::Named(name, is) = ty {
        if api.tagged_int(name).is_some() {
            return Ok(Ty::Tagged(name.clone()));
        }
        // The kernel crate has names for these.
        return match name.as_str() {
            "gfp_t" => Ok(Ty::Gfp),
            "phys_addr_t" => Ok(Ty::Int(PHYSICAL)),
            "resource_size_t" => Ok(Ty::Int(RESOURCE)),
            "dma_addr_t" => Ok(Ty::Int(DMA)),
            "__le16" | "__le32" | "__le64" | "__be16" | "__be32" | "__be64" => Err(Why::new(
                format!("`{name}` has a byte order of its own, which no integer of Rust has"),
                "put a static inline that converts it under contract",
            )),
            _ => of(api, is, None),
        };
    }
    match ty {
        CType::Void => Ok(Ty::Unit),
        CType::Bool => Ok(Ty::Bool),
        CType::Char => Ok(Ty::Int("u8")),
        CType::Int(name) => Ok(Ty::Int(name)),
        CType::Record(tag) if api.record(tag).is_some_and(|record| record.by_reference()) => {
            Err(Why::new(
                super::record::not_copied(api, tag),
                "pass a pointer to const",
            ))
        }
        CType::Record(tag) if api.record(tag).is_some() => Ok(Ty::Record(tag.clone())),
        CType::Record(tag) => Err(no_contract(api, "struct", tag)),
        CType::Enum(tag) => by_tag(api, tag),
        CType::Pointer { to, constant } => pointer(api, to, *constant),
        CType::Space(space, _) => Err(elsewhere(space)),
        _ => Err(Why::new(
            format!("`{}` has no typed counterpart", ty.spell()),
            "put a static inline with plain types under contract instead",
        )),
    }
}

fn by_tag(api: &Api, tag: &str) -> Result<Ty, Why> {
    if api.choice(tag).is_some() {
        return Ok(Ty::Choice(tag.to_owned()));
    }
    if api.flag_set(tag).is_some() {
        return Ok(Ty::Flags(tag.to_owned()));
    }
    if api.tagged_int(tag).is_some() {
        return Ok(Ty::Tagged(tag.to_owned()));
    }
    Err(no_contract(api, "enum", tag))
}

/// A choice, a set of flags or a tagged integer is the integer that C has there, or its own enumeration.
fn same_integer(api: &Api, ty: &CType, found: Ty) -> Result<Ty, Why> {
    let (tag, int) = match &found {
        Ty::Choice(tag) => (tag, api.choice(tag).map(|choice| choice.int)),
        Ty::Flags(tag) => (tag, api.flag_set(tag).map(|flags| flags.int)),
        Ty::Tagged(tag) => (tag, api.tagged_int(tag).map(|tagged| tagged.int)),
        _ => return Ok(found),
    };
    let own = matches!(ty.plain(), CType::Enum(own) if own == tag);
    match own || matches!((ty.plain(), int), (CType::Int(has), Some(int)) if *has == int) {
        true => Ok(found),
        false => Err(Why::new(
            format!("`{}` is not the integer type of `{tag}`", ty.spell()),
            format!(
                "declare it as `{}`",
                CType::Int(int.unwrap_or("u32")).spell()
            ),
        )),
    }
}

/// Rust reads and writes ordinary memory of the kernel.
fn elsewhere(space: &str) -> Why {
    let (what, remedy) = match space {
        "__user" => (
            "memory of a process",
            "copies the bytes to or from memory of the kernel",
        ),
        "__iomem" => ("memory of a device", "reads or writes a value there"),
        "__percpu" => ("a variable of each CPU", "reads or writes that of one CPU"),
        _ => (
            "what RCU protects",
            "returns a reference that the caller owns",
        ),
    };
    Why::new(
        format!("a `{space}` pointer leads to {what}"),
        format!("put a function under contract that {remedy}"),
    )
}

fn no_contract(api: &Api, kind: &str, tag: &str) -> Why {
    let name = format!("{kind} {tag}");
    if api.left_out.iter().any(|left| left.name == name) {
        return Why::new(format!("`{name}` is left out"), "complete its contract");
    }
    Why::new(
        format!("`{kind} {tag}` is not under contract"),
        format!("declare it: `{kind} __contract(...) {tag};`"),
    )
}

fn pointer(api: &Api, to: &CType, constant: bool) -> Result<Ty, Why> {
    match to.plain() {
        CType::Record(tag) => {
            if api.object(tag).is_some() {
                Ok(Ty::Object(tag.clone()))
            } else if api.table(tag).is_some() {
                Ok(Ty::Table(tag.clone()))
            } else if api.section(tag).is_some() {
                Ok(Ty::Section(tag.clone()))
            } else if api.record(tag).is_some() {
                match constant {
                    true => Ok(Ty::RecordRef(tag.clone())),
                    false => Err(Why::new(
                        format!("the function may write to `struct {tag} *`, and nothing states when"),
                        "make the pointer const, or remove the function from the contract",
                    )),
                }
            } else if tag == LOCK_CLASS && !constant {
                Ok(Ty::LockClass)
            } else {
                Err(no_contract(api, "struct", tag))
            }
        }
        CType::Char if constant => Ok(Ty::Text),
        CType::Space(space, _) => Err(elsewhere(space)),
        CType::Void => Err(Why::new(
            "the pointee of a `void *` is not known",
            "add `slice(len)` if it is an array of bytes, `slice(len, type)` if its elements are of another type, or `identity` if C compares the address and does not access or \
             free the memory",
        )),
        CType::Function { .. } => Err(Why::new(
            "what the function does that it points to is not known",
            "add `callback(\"Trait\", method)` if it is the parameter of a constructor, else put a function without it \
             under contract",
        )),
        other => Err(Why::new(
            format!("the length of the array behind a pointer to `{}` is not known", other.spell()),
            match constant {
                true => "add `slice(len)`, with the name of the parameter for the number of elements",
                false => "add `slice(len)`, with the name of the parameter for the number of elements, or `out` if C writes one value there",
            },
        )),
    }
}

/// Whether safe code can make up a value of this type that is, or contains, an address of memory which C or a device then
/// accesses. A record that Rust cannot make comes from C, with C's addresses.
pub fn is_address(api: &Api, ty: &Ty) -> bool {
    match ty {
        Ty::Int(name) => [PHYSICAL, RESOURCE, DMA].contains(name),
        Ty::Slice { element, .. } => is_address(api, element),
        Ty::Record(tag) | Ty::RecordRef(tag) => api.record(tag).is_some_and(|record| {
            let address = |member: &Member| {
                of(api, &member.ty, member.int_type.as_deref()).is_ok_and(|ty| is_address(api, &ty))
            };
            record.is_made_in_rust() && record.members.iter().any(address)
        }),
        _ => false,
    }
}

/// Check that C can pass a value of this type to the typed side without further clauses.
pub fn from_c(api: &Api, ty: &Ty) -> Result<(), Why> {
    match ty {
        Ty::Record(tag) if api.record(tag).is_some_and(|record| record.confined) => Err(Why::new(
            format!(
                "only an iterator of its section gives out a `struct {tag}`, which is `confined`"
            ),
            format!("remove `confined` from `struct {tag}`; a member can be `hidden`"),
        )),
        Ty::Unit | Ty::Bool | Ty::Int(_) | Ty::Flags(_) | Ty::Tagged(_) | Ty::Record(_) => Ok(()),
        Ty::Choice(tag) if api.choice(tag).is_some_and(|choice| choice.open) => Ok(()),
        Ty::Choice(tag) => Err(Why::new(
            format!("C may return a value that `enum {tag}` does not list"),
            format!("add `open` to `enum {tag}`"),
        )),
        Ty::Gfp => Err(Why::new(
            "allocation flags are only passed to C",
            "return an integer with `plain` from a static inline instead",
        )),
        _ => Err(Why::new(
            "the contract does not state how long its pointee is valid",
            "only copies can be taken from C; put `hidden` on a member",
        )),
    }
}
