// SPDX-License-Identifier: GPL-2.0

//! What was left out.

use crate::plan::Module;
use crate::source::Sources;

/// The declarations that were left out, one per line. Without line numbers, which change with every edit above them.
pub fn left_out(module: &Module, sources: &Sources) -> String {
    let mut text = format!("# {}: left out\n\n", module.name);
    if module.reported.is_empty() {
        text.push_str("Nothing.\n");
    }
    for left in &module.reported {
        text.push_str(&format!(
            "* `{}` ({}): {}; {}.\n",
            left.name,
            sources.short_path(left.span.file),
            left.reason,
            left.remedy
        ));
    }
    text
}
