// SPDX-License-Identifier: GPL-2.0

//! Make one without the promise that it ends before the module of its callback does.

use crate::golden::{Chain, Notified, Notifier};
use kernel::{prelude::*, sync::Arc};

pub fn make<T: Notified>(chain: Arc<Chain>, data: T) -> Result<Pin<KBox<Notifier<T>>>> {
    #[cfg(misuse)]
    return KBox::pin_init(Notifier::new(0, chain, data), GFP_KERNEL); //~ E0133 is unsafe and requires unsafe
    #[cfg(not(misuse))]
    // SAFETY: The caller drops it.
    return KBox::pin_init(unsafe { Notifier::new(0, chain, data) }, GFP_KERNEL);
}
