// SPDX-License-Identifier: GPL-2.0

//! Use a flag of one type where a flag of another type is expected.

include!("fixture/mirror_driver.rs");

pub fn writable(run: &Run<'_>) -> bool {
    #[cfg(misuse)]
    let wanted = Access::Write;
    #[cfg(not(misuse))]
    let wanted = PfnFlags::WRITE;
    run.flags().contains(wanted) //~ E0308 mismatched types
}
