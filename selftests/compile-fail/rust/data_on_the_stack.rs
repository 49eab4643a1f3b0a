// SPDX-License-Identifier: GPL-2.0

//! Mirror data that borrows from the stack and may dangle when it is invalidated.

include!("fixture/mirror_driver.rs");

pub struct Device<'a> {
    #[cfg(misuse)]
    count: &'a mut usize,
    #[cfg(not(misuse))]
    count: core::marker::PhantomData<&'a ()>,
}

#[cfg(misuse)]
type Mirrored<'a> = Device<'a>;
#[cfg(not(misuse))]
type Mirrored<'a> = Device<'static>;

#[vtable]
impl<'a> Operations for Mirrored<'a> { //~ E0478 lifetime bound not satisfied
    fn invalidate(self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        true
    }
}
