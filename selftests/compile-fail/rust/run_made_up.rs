// SPDX-License-Identifier: GPL-2.0

//! Create a run from numbers instead of taking it from a section.

include!("fixture/mirror_driver.rs");

pub fn pages<'s>(run: &Run<'s>) -> usize {
    #[cfg(misuse)]
    let run: &Run<'s> = &Run(Default::default(), core::marker::PhantomData); //~ E0423 cannot initialize a tuple struct which contains private fields
    run.span().pages()
}
