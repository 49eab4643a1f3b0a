// SPDX-License-Identifier: GPL-2.0

//! The pages that a batch is copied from, which may be of a file, are written to.

include!("fixture/devmem_driver.rs");

use kernel::hmm::batch::Batch;

pub fn copy(mut batch: Batch) {
    batch.copy_each(|mut dst, src| {
        let src = src.ok_or(EINVAL)?;
        #[cfg(misuse)]
        src.page_mut(0, |bytes| bytes.clear()); //~ E0596 cannot borrow `*src` as mutable
        src.page(0, |from| dst.page_mut(0, |to| to.copy_from(from)));
        Err(EIO)
    });
}
