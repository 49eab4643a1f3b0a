// SPDX-License-Identifier: GPL-2.0

//! Objects and references: their end when the variable goes out of scope.

use crate::model::Function;
use crate::plan::Wrapper;

/// The cleanup classes of an object.
pub(super) fn classes(wrapper: &Wrapper) -> Vec<String> {
    let tag = &wrapper.object.tag;
    let mut classes = Vec::new();
    if let Some(end) = wrapper.destructor.as_ref().filter(|end| end.class) {
        classes.push(free(tag, &end.function, "ended when @x goes out of scope."));
    }
    if let Some(counted) = &wrapper.counted {
        let (get, put) = (&counted.get, &counted.put);
        if counted.class {
            classes.push(free(
                tag,
                put,
                "its reference is given back when @x goes out of scope.",
            ));
        }
        classes.push(format!(
            "/* CLASS({tag}_ref, x)(y): another reference to the object of @y. */\n\
             DEFINE_CLASS({tag}_ref, struct {tag} *, {}{}(_T), ({{ {}{}(from); from; }}), struct {tag} *from)\n",
            ignored(put),
            put.c,
            ignored(get),
            get.c
        ));
    }
    classes
}

fn free(tag: &str, end: &Function, what: &str) -> String {
    let (ignored, end) = (ignored(end), &end.c);
    format!(
        "/* struct {tag} *x __free({end}): {what} */\n\
         DEFINE_FREE({end}, struct {tag} *, if (!IS_ERR_OR_NULL(_T)) {ignored}{end}(_T))\n"
    )
}

/// What stands before a call whose result must be used, and is not.
pub(super) fn ignored(function: &Function) -> &'static str {
    match function.must_check {
        true => "(void)!",
        false => "",
    }
}
