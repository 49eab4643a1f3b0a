// SPDX-License-Identifier: GPL-2.0

//! Records: which members have accessors.

use super::leave_out;
use super::types;
use super::types::Ty;
use super::types::Why;
use crate::model::clauses::written;
use crate::model::Api;
use crate::model::Function;
use crate::model::Member;
use crate::model::Object;
use crate::model::Plain;
use crate::read::CType;

/// Settle which records can be copied. A record with pointers is passed by reference, since they are valid only as long
/// as that reference. A confined record may have the pointers of its section, which it cannot leave.
pub(super) fn settle(api: &mut Api) {
    let mut more = true;
    while more {
        more = false;
        for index in 0..api.records.len() {
            let record = &api.records[index];
            if !record.pointers
                && !record.confined
                && record.fields.iter().any(|ty| points(api, ty))
            {
                api.records[index].pointers = true;
                more = true;
            }
        }
    }
}

/// Why a record is passed by reference only.
pub(super) fn not_copied(api: &Api, tag: &str) -> String {
    let fields = api.record(tag).map(|record| record.fields.as_slice());
    let unknown = fields
        .unwrap_or_default()
        .iter()
        .find(|ty| match ty.plain() {
            CType::Other(_) | CType::Flexible(_) => true,
            CType::Record(inner) => api.record(inner).is_none(),
            _ => false,
        });
    match unknown {
        Some(CType::Flexible(_)) => {
            format!("`struct {tag}` has an array of variable length and cannot be copied")
        }
        Some(ty) => format!(
            "`struct {tag}` cannot be copied, as a member of type `{}` may have pointers",
            ty.spell()
        ),
        None => format!("`struct {tag}` has pointers and cannot be copied"),
    }
}

/// Whether a value of this type contains, or may contain, a pointer.
fn points(api: &Api, ty: &CType) -> bool {
    match ty.plain() {
        CType::Void
        | CType::Bool
        | CType::Char
        | CType::Int(_)
        | CType::Enum(_)
        | CType::Bits(_) => false,
        CType::Record(tag) => api.record(tag).is_none_or(|record| record.pointers),
        CType::Array(element, _) => points(api, element),
        _ => true,
    }
}

/// Leave out the members without a typed counterpart.
pub(super) fn check(api: &mut Api) {
    for index in 0..api.records.len() {
        let record = &api.records[index];
        let lost: Vec<(String, crate::source::Span, Why)> = record
            .members
            .iter()
            .filter_map(|member| {
                Some((
                    member.name.clone(),
                    member.span,
                    readable(api, record, member).err()?,
                ))
            })
            .collect();
        let tag = record.tag.clone();
        for (name, span, why) in lost {
            let record = &mut api.records[index];
            record.members.retain(|member| member.name != name);
            record.partial = true;
            leave_out(api, &format!("{tag}.{name}"), span, why);
        }
    }
}

fn readable(api: &Api, record: &Plain, member: &Member) -> Result<(), Why> {
    if member.counted.is_some() {
        return elements(api, member);
    }
    if member.confined.is_some() && matches!(member.ty.plain(), CType::Int(_)) {
        return Ok(());
    }
    let ty = types::of(api, &member.ty, member.int_type.as_deref())?;
    if member.name == "new" && !record.confined && !record.by_reference() {
        return Err(Why::new(
            "the name `new` is taken by the constructor of a record",
            "add `hidden`",
        ));
    }
    match types::from_c(api, &ty) {
        Ok(()) if ty != Ty::Unit => Ok(()),
        Ok(()) => Err(Why::new("it has no value", "add `hidden`")),
        Err(why) => Err(why),
    }
}

/// Leave out the constant members of objects without a typed counterpart.
pub(super) fn constants(api: &mut Api) {
    for index in 0..api.objects.len() {
        let object = &api.objects[index];
        let lost: Vec<(String, crate::source::Span, Why)> = object
            .constants
            .iter()
            .filter_map(|found| {
                let member = &found.member;
                Some((
                    member.name.clone(),
                    member.span,
                    unchanging(api, object, member).err()?,
                ))
            })
            .collect();
        let tag = object.tag.clone();
        for (name, span, why) in lost {
            api.objects[index]
                .constants
                .retain(|found| found.member.name != name);
            leave_out(api, &format!("{tag}.{name}"), span, why);
        }
    }
}

fn unchanging(api: &Api, object: &Object, member: &Member) -> Result<(), Why> {
    let taken = |function: &Function| written(&function.name) == written(&member.name);
    let reserved = [
        "as_raw",
        "from_raw",
        "around",
        "storage",
        "allocate",
        "free",
        "into_stage",
    ];
    let section = api
        .sections
        .iter()
        .any(|section| section.of == object.tag && section.method == member.name);
    let data = member.name == "data" && object.is_generic();
    if api.in_role(&object.tag, |_| true).any(taken)
        || data
        || reserved.contains(&member.name.as_str())
        || section
    {
        return Err(Why::new(
            format!("the name `{}` is taken by a function", member.name),
            "remove `constant`, or give the function another name",
        ));
    }
    if object.foreign.is_some() {
        return Err(Why::new(
            format!("`struct {}` has its methods elsewhere", object.tag),
            "remove `constant`",
        ));
    }
    let Some(length) = &member.counted else {
        let ty = types::of(api, &member.ty, member.int_type.as_deref())?;
        return match types::from_c(api, &ty) {
            Ok(()) if ty != Ty::Unit => Ok(()),
            Ok(()) => Err(Why::new("it has no value", "remove `constant`")),
            Err(why) => Err(why),
        };
    };
    unchanging_array(object, member, length)?;
    elements(api, member)
}

/// An array, and its length, that nobody writes to.
fn unchanging_array(object: &Object, member: &Member, length: &str) -> Result<(), Why> {
    match member.ty.plain() {
        CType::Pointer { constant: true, .. } => {}
        CType::Pointer { constant: false, .. } => return Err(Why::new(
            "C may write to the elements while Rust has a slice of them",
            "make it a pointer to const if nobody writes there, else put a function that reads an element \
                 under contract",
        )),
        _ => {
            return Err(Why::new(
                "the array is part of the structure, whose size is not known here",
                "put a function that reads an element under contract",
            ))
        }
    }
    let fixed = |found: &crate::model::Constant| {
        found.member.name == *length && found.member.counted.is_none()
    };
    match object.constants.iter().any(fixed) {
        true => Ok(()),
        false => Err(Why::new(
            format!("its length, `{length}`, may change"),
            format!("add `constant` to the member `{length}`, too"),
        )),
    }
}

/// The elements of an array must have the same layout in Rust and C.
fn elements(api: &Api, member: &Member) -> Result<(), Why> {
    let (CType::Pointer { to, .. } | CType::Flexible(to)) = member.ty.plain() else {
        return Ok(());
    };
    let tags = (member.int_type.as_deref(), member.element.as_deref());
    types::element(api, to, tags, false).map(|_| ())
}
