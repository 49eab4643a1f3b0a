// SPDX-License-Identifier: GPL-2.0

//! Which typed thing a C type is, given the contracts.

use crate::model::clauses::JIFFIES;
use crate::model::Api;
use crate::model::Param;
use crate::model::ParamKind;
use crate::read::CType;

/// A type on the typed side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ty {
    /// Nothing.
    Unit,
    /// A truth value.
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
    /// A flag word, by tag.
    Flags(String),
    /// A tagged word, by tag.
    Tagged(String),
    /// The state of a section, by tag.
    Section(String),
    /// A table of callbacks, by tag.
    Table(String),
    /// A single callback, by the name of the function that takes it.
    Callback,
    /// An address that is compared and never followed.
    Identity {
        /// Whether C says that it is not NULL.
        nonnull: bool,
    },
    /// An array of plain integers.
    Slice {
        /// The element's Rust name.
        elem: &'static str,
        /// Whether the callee writes to it.
        mutable: bool,
    },
    /// The length of a slice, which the typed side does not have.
    LengthOf(String),
    /// A C string.
    Text,
    /// Allocation flags.
    Gfp,
}

/// Why something is left out, and what would change that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// Why.
    pub reason: String,
    /// What would change that.
    pub remedy: String,
}

impl Why {
    /// Makes one.
    pub fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Why { reason: reason.into(), remedy: remedy.into() }
    }
}

/// The typed thing that a parameter is.
pub fn of_param(api: &Api, param: &Param) -> Result<Ty, Why> {
    match &param.kind {
        ParamKind::Identity => return Ok(Ty::Identity { nonnull: param.nonnull }),
        ParamKind::Callback => return Ok(Ty::Callback),
        ParamKind::LengthOf(slice) => return Ok(Ty::LengthOf(slice.clone())),
        ParamKind::Slice(_) => return slice(param),
        ParamKind::Out => return out(api, param),
        ParamKind::Plain
        | ParamKind::Borrows
        | ParamKind::Keeps
        | ParamKind::Outlives
        | ParamKind::Cookie => {}
    }
    of(api, &param.ty, param.word.as_deref())
        .map_err(|why| Why::new(format!("parameter `{}`: {}", param.name, why.reason), why.remedy))
}

/// The typed thing that a callback's parameter is.
pub fn of_callback(api: &Api, param: &crate::read::Parameter) -> Result<Ty, Why> {
    if param.contract.terms.iter().any(|term| term.word() == Some("identity")) {
        return Ok(Ty::Identity { nonnull: false });
    }
    of(api, &param.ty, None)
        .map_err(|why| Why::new(format!("parameter `{}`: {}", param.name, why.reason), why.remedy))
}

/// What is written to must be a value that all zeros are good for, until it is written.
fn out(api: &Api, param: &Param) -> Result<Ty, Why> {
    let refuse = |why: String, remedy: String| Why::new(format!("parameter `{}`: {why}", param.name), remedy);
    let CType::Pointer { to, constant: false } = param.ty.plain() else {
        return Err(refuse("it cannot be written to".into(), "take `out` away".into()));
    };
    let ty = of(api, to, param.word.as_deref()).map_err(|why| refuse(why.reason, why.remedy))?;
    let choice = matches!(&ty, Ty::Choice(tag) if api.choice(tag).is_some_and(|choice| choice.open));
    match ty {
        Ty::Bool | Ty::Int(_) | Ty::Flags(_) | Ty::Tagged(_) => Ok(ty),
        Ty::Record(ref tag) if api.record(tag).is_some_and(|record| !record.confined) => Ok(ty),
        _ if choice => Ok(ty),
        _ => Err(refuse(
            format!("a `{}` is not given out yet", to.spell()),
            "have the function return it, or put another under contract".into(),
        )),
    }
}

fn slice(param: &Param) -> Result<Ty, Why> {
    if let CType::Pointer { to, constant } = param.ty.plain() {
        let elem = match to.plain() {
            CType::Int(elem) => Some(*elem),
            CType::Char => Some("u8"),
            _ => None,
        };
        if let Some(elem) = elem {
            return Ok(Ty::Slice { elem, mutable: !constant });
        }
    }
    Err(Why::new(
        format!("parameter `{}`: only slices of integers can be given", param.name),
        "take the function out of the contract",
    ))
}

/// The typed thing that a C type is; `tag` names the flags or tagged type that an integer holds.
pub fn of(api: &Api, ty: &CType, tag: Option<&str>) -> Result<Ty, Why> {
    if let Some(JIFFIES) = tag {
        return match ty.plain() {
            CType::Int("usize") => Ok(Ty::Int("crate::time::Jiffies")),
            _ => Err(Why::new(
                format!("`{}` is no number of jiffies, which is an `unsigned long`", ty.spell()),
                "take `jiffies` away",
            )),
        };
    }
    if let Some(tag) = tag {
        return word_named(api, tag);
    }
    if let CType::Named(name, is) = ty {
        if api.tagged_word(name).is_some() {
            return Ok(Ty::Tagged(name.clone()));
        }
        // The kernel crate has names for these.
        return match name.as_str() {
            "gfp_t" => Ok(Ty::Gfp),
            "phys_addr_t" => Ok(Ty::Int("crate::io::PhysAddr")),
            "resource_size_t" => Ok(Ty::Int("crate::io::ResourceSize")),
            "dma_addr_t" => Ok(Ty::Int("crate::dma::DmaAddress")),
            _ => of(api, is, None),
        };
    }
    match ty {
        CType::Void => Ok(Ty::Unit),
        CType::Bool => Ok(Ty::Bool),
        CType::Char => Ok(Ty::Int("u8")),
        CType::Int(name) => Ok(Ty::Int(name)),
        CType::Record(tag) if api.record(tag).is_some_and(|record| record.by_reference()) => Err(Why::new(
            format!("`struct {tag}` has pointers and cannot be copied"),
            "pass a pointer to const",
        )),
        CType::Record(tag) if api.record(tag).is_some() => Ok(Ty::Record(tag.clone())),
        CType::Record(tag) => Err(no_contract("struct", tag)),
        CType::Enum(tag) => word_named(api, tag),
        CType::Pointer { to, constant } => pointer(api, to, *constant),
        _ => Err(Why::new(
            format!("`{}` has no typed counterpart", ty.spell()),
            "put a static inline with plain types under contract instead",
        )),
    }
}

fn word_named(api: &Api, tag: &str) -> Result<Ty, Why> {
    if api.choice(tag).is_some() {
        return Ok(Ty::Choice(tag.to_owned()));
    }
    if api.flag_word(tag).is_some() {
        return Ok(Ty::Flags(tag.to_owned()));
    }
    if api.tagged_word(tag).is_some() {
        return Ok(Ty::Tagged(tag.to_owned()));
    }
    Err(no_contract("enum", tag))
}

fn no_contract(kind: &str, tag: &str) -> Why {
    Why::new(
        format!("`{kind} {tag}` is not under contract"),
        format!("say what it is: `{kind} __contract(...) {tag};`"),
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
                        format!("`struct {tag} *` may be written to, and nothing says when"),
                        "make the pointer const, or take the function out of the contract",
                    )),
                }
            } else {
                Err(no_contract("struct", tag))
            }
        }
        CType::Char if constant => Ok(Ty::Text),
        CType::Void => Err(Why::new(
            "a `void *` says nothing of what it points to",
            "say `identity` when it is only compared",
        )),
        other => Err(Why::new(
            format!("a pointer to `{}` does not say how much is behind it", other.spell()),
            "say `slice(len)`, naming the parameter with the number of elements",
        )),
    }
}

/// Whether the typed side can be given a value of this type by C, without more said about it.
pub fn from_c(api: &Api, ty: &Ty) -> Result<(), Why> {
    match ty {
        Ty::Unit | Ty::Bool | Ty::Int(_) | Ty::Flags(_) | Ty::Tagged(_) | Ty::Record(_) => Ok(()),
        Ty::Choice(tag) if api.choice(tag).is_some_and(|choice| choice.open) => Ok(()),
        Ty::Choice(tag) => Err(Why::new(
            format!("C may give a value that `enum {tag}` does not list"),
            format!("say `open` of `enum {tag}`"),
        )),
        Ty::Gfp => Err(Why::new(
            "allocation flags are given to C only",
            "say `plain` of an integer instead, by a static inline",
        )),
        _ => Err(Why::new(
            "for how long what it points to is there is not said",
            "only what is copied can be taken from C; say `hidden` of a member",
        )),
    }
}
