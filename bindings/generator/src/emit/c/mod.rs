// SPDX-License-Identifier: GPL-2.0

//! The typed header.

use crate::model::Api;

/// The text of the header.
pub fn write(_api: &Api) -> Result<String, String> {
    Ok(String::new())
}
