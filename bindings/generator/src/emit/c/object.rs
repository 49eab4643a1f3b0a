// SPDX-License-Identifier: GPL-2.0

//! Objects and references: their end when the variable goes out of scope.

use super::has_class;
use crate::model::Api;
use crate::model::Object;
use crate::model::Role;

/// The cleanup classes of an object.
pub(super) fn classes(api: &Api, object: &Object) -> Vec<String> {
    let tag = &object.tag;
    let mut classes = Vec::new();
    if let Some(destructor) = api.one_in_role(tag, |role| *role == Role::Destructor) {
        // A cleanup class has the object only.
        if !has_class(api, &destructor.c) && destructor.params.len() == 1 {
            let end = &destructor.c;
            classes.push(format!(
                "/* struct {tag} *x __free({end}): ended when @x goes out of scope. */\n\
                 DEFINE_FREE({end}, struct {tag} *, if (!IS_ERR_OR_NULL(_T)) {end}(_T))\n"
            ));
        }
    }
    let get = api.one_in_role(tag, |role| *role == Role::Get);
    let put = api.one_in_role(tag, |role| *role == Role::Put);
    if let (Some(get), Some(put)) = (get, put) {
        let (get, put) = (&get.c, &put.c);
        if !has_class(api, put) {
            classes.push(format!(
                "/* struct {tag} *x __free({put}): its reference is given back when @x goes out of scope. */\n\
                 DEFINE_FREE({put}, struct {tag} *, if (!IS_ERR_OR_NULL(_T)) {put}(_T))\n"
            ));
        }
        classes.push(format!(
            "/* CLASS({tag}_ref, x)(y): another reference to the object of @y. */\n\
             DEFINE_CLASS({tag}_ref, struct {tag} *, {put}(_T), ({{ {get}(from); from; }}), struct {tag} *from)\n"
        ));
    }
    classes
}
