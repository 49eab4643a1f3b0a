// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver: advice of user programs about their memory.
//!
//! A program may advise where its memory is to be and who uses it, as with `cudaMemAdvise()` and
//! `hipMemAdvise()`. [`Attributes`](kernel::hmm::attributes::Attributes) has the advice by address;
//! this file decides what the unit does with it.
//!
//! *Preferred location.* Without advice the unit moves no page when it faults: it accesses pages
//! where they are, and what is in the private memory of another unit comes to system memory. If the
//! unit's own memory is preferred, pages migrate there in the section that handles the fault. If
//! another location is preferred, the unit does not move them to its memory either.
//!
//! *Read mostly.* A read moves no page to the unit's memory, where other units and the CPU could not
//! read it; a write does, if that memory is preferred.
//!
//! *Accessed by.* The unit's mappings are established before a job begins
//! ([`DmMirror::dm_map_in_advance`]) and not by faults. A page that loses its mapping while the job
//! runs is faulted.

#![forbid(unsafe_code)]

use crate::{
    device::DmMirror,
    fault::dm_run_rights,
    table::DmTable,
    uapi, //
};
use kernel::{
    hmm::{
        attributes::{
            Advice,
            Attribute, //
        },
        Access,
        PfnFlags,
        Span, //
    },
    prelude::*, //
};

/// Spans to map before a job. Another thread of the process can have mappings removed as fast as
/// they are established.
const DM_MOST_IN_ADVANCE: usize = 4096;

/// The advice that a program's number stands for.
fn dm_advice(advice: u32) -> Result<Advice> {
    Ok(match advice {
        uapi::SET_READ_MOSTLY => Advice::SetReadMostly,
        uapi::UNSET_READ_MOSTLY => Advice::UnsetReadMostly,
        uapi::SET_PREFERRED_LOCATION => Advice::SetPreferredLocation,
        uapi::UNSET_PREFERRED_LOCATION => Advice::UnsetPreferredLocation,
        uapi::SET_ACCESSED_BY => Advice::SetAccessedBy,
        uapi::UNSET_ACCESSED_BY => Advice::UnsetAccessedBy,
        _ => return Err(EINVAL),
    })
}

impl DmMirror {
    /// Takes a program's advice about `span`. `location` is the number of a unit, or the program's
    /// number for system memory or none, which are those of [`Attribute`].
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if there is no such advice, location or unit, and otherwise as
    /// [`Attributes::advise`](kernel::hmm::attributes::Attributes::advise).
    pub(crate) fn dm_advise(&self, span: Span, advice: u32, location: i32) -> Result {
        if location >= self.unit.units {
            return Err(EINVAL);
        }
        self.attributes.advise(span, dm_advice(advice)?, location)?;
        self.dm_map_in_advance();
        Ok(())
    }

    /// Whether a fault of the device moves pages with these attributes to its memory.
    pub(crate) fn dm_migrates(&self, attribute: &Attribute, access: Access) -> bool {
        attribute.location() == self.unit.nr && !(attribute.read_mostly() && access == Access::Read)
    }

    /// Maps what is present of a span, wherever it is, and faults nothing in.
    fn dm_map_present(&self, span: Span) -> Result {
        self.mirror.populate(span, Access::Present, |pages, table| {
            for run in pages.runs() {
                if run.flags().contains(PfnFlags::VALID) {
                    DmTable::map(table, &run, dm_run_rights(&run))?;
                }
            }
            Ok(())
        })
    }

    /// Maps what the device is going to access, as the process advised. After an error the device
    /// faults on the rest, or on all of it.
    pub(crate) fn dm_map_in_advance(&self) {
        for _ in 0..DM_MOST_IN_ADVANCE {
            let span = self.attributes.take_stale();

            if span.pages() == 0 || self.dm_map_present(span).is_err() {
                return;
            }
        }
    }
}
