// SPDX-License-Identifier: GPL-2.0

//! Locks: functions that take and release, and the guards between them.

/// The kind of access that a guard gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody else holds one.
    Exclusive,
    /// Others may hold one too.
    Shared,
}
