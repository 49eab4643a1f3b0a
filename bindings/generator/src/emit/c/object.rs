// SPDX-License-Identifier: GPL-2.0

//! Objects and references: their end when the variable goes out of scope.

use crate::plan::Wrapper;

/// The cleanup classes of an object.
pub(super) fn classes(wrapper: &Wrapper) -> Vec<String> {
    let tag = &wrapper.object.tag;
    let mut classes = Vec::new();
    if let Some(end) = wrapper.destructor.as_ref().filter(|end| end.class) {
        classes.push(free(
            tag,
            &end.function.c,
            "ended when @x goes out of scope.",
        ));
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
             DEFINE_CLASS({tag}_ref, struct {tag} *, {put}(_T), ({{ {get}(from); from; }}), struct {tag} *from)\n"
        ));
    }
    classes
}

fn free(tag: &str, end: &str, what: &str) -> String {
    format!(
        "/* struct {tag} *x __free({end}): {what} */\n\
         DEFINE_FREE({end}, struct {tag} *, if (!IS_ERR_OR_NULL(_T)) {end}(_T))\n"
    )
}
