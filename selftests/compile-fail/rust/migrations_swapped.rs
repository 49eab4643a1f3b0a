// SPDX-License-Identifier: GPL-2.0

//! Swap two migrations, so that the one that ends first is used after its end.

include!("fixture/migration.rs");

#[cfg(misuse)]
fn swapped<T>(first: T, second: T) -> (T, T) {
    (second, first)
}

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<usize> {
    Migration::collect(memory, mm, span, |outer| {
        Migration::collect(memory, mm, span, |inner| {
            #[cfg(misuse)]
            let (outer, inner) = swapped(outer, inner); //~ E0521 borrowed data escapes outside of closure
            outer.span().pages() + inner.copy().commit().moved()
        })
    })?
}
