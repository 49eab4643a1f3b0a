// SPDX-License-Identifier: GPL-2.0

//! Records: which members have accessors.

use super::leave_out;
use super::types;
use super::types::Ty;
use super::types::Why;
use crate::model::Api;
use crate::model::Member;
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
            if !record.pointers && !record.confined && record.fields.iter().any(|ty| points(api, ty)) {
                api.records[index].pointers = true;
                more = true;
            }
        }
    }
}

/// Whether a value of this type contains, or may contain, a pointer.
fn points(api: &Api, ty: &CType) -> bool {
    match ty.plain() {
        CType::Void | CType::Bool | CType::Char | CType::Int(_) | CType::Enum(_) => false,
        CType::Record(tag) => api.record(tag).is_none_or(|record| record.pointers),
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
                Some((member.name.clone(), member.span, readable(api, record, member).err()?))
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
    if record.name == member.name {
        return Ok(());
    }
    match types::from_c(api, &ty) {
        Ok(()) if ty != Ty::Unit => Ok(()),
        Ok(()) => Err(Why::new("it has no value", "add `hidden`")),
        Err(why) => Err(why),
    }
}

/// The elements of an array must have the same layout in Rust and C.
fn elements(api: &Api, member: &Member) -> Result<(), Why> {
    let (CType::Pointer { to: element, .. } | CType::Flexible(element)) = member.ty.plain() else {
        return Ok(());
    };
    let ty = types::of(api, element, member.int_type.as_deref())?;
    match matches!(ty, Ty::Int(_) | Ty::Flags(_) | Ty::Tagged(_) | Ty::Record(_)) {
        true => Ok(()),
        false => Err(Why::new(
            format!("an array of `{}` cannot be a slice in Rust", element.spell()),
            "add `hidden`, and put a function that reads an element under contract",
        )),
    }
}
