// SPDX-License-Identifier: GPL-2.0

//! Callbacks that sleep where they must not. A kernel with `CONFIG_DEBUG_ATOMIC_SLEEP` reports each, and so
//! no run of the other suites has these: `selftests/meta/sleeps` boots for them, and reads the reports.

use super::{
    memory::*,
    SPAN, //
};
use crate::{
    bindings,
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations,
            MemoryType,
            Peer, //
        },
        mirror::{
            Invalidation,
            Mirror,
            MirrorRange,
            Operations, //
        },
        page::Block, //
    },
    prelude::*,
    sizes::SZ_4M,
    sync::Arc,
    task::might_sleep,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// The kernel reports once a second.
fn a_second() {
    fsleep(Delta::from_millis(1100));
}

/// Sleeps in each of its callbacks.
struct Sleeper(Pin<KBox<Buffer>>);

#[vtable]
impl MemoryOperations for Sleeper {
    fn copy(memory: &DeviceMemory<Self>, dst: Block<'_>, src: &Block<'_>) -> Result {
        let (to, from) = (memory.position(&dst), memory.position(src));
        let to = to.found().then(|| to.offset());
        memory.data().0.copy(to, from.offset(), dst, src)
    }

    fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
        let offset = memory.position(&page).offset();
        memory.data().0.clear(offset, page)
    }

    fn can_copy_from(_memory: &DeviceMemory<Self>, _peer: &Peer) -> bool {
        might_sleep();
        false
    }
}

fn memory() -> Result<Pin<KBox<DeviceMemory<Sleeper>>>> {
    let data = Sleeper(KBox::pin_init(Buffer::new(SZ_4M), GFP_KERNEL)?);
    let memory = DeviceMemory::new(MemoryType::PRIVATE, 1, c"hmm_rust_sleeper", data);
    let memory = KBox::pin_init(memory, GFP_KERNEL)?;
    memory.add(SZ_4M, core::ptr::null())?;
    Ok(memory)
}

struct Table {
    /// What it was notified of, and how often.
    blocking: usize,
    others: usize,
}

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
        match inv.may_block() {
            true => self.blocking += 1,
            false => self.others += 1,
        }
        might_sleep();
        true
    }
}

#[macros::kunit_tests(sleep_in_atomic_hmm)]
mod tests {
    use super::*;

    #[test]
    fn can_copy_from() -> Result {
        a_second();
        let (first, second) = (memory()?, memory()?);
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        assert_eq!(first.migrate(mm, span)?, PAGES);
        assert_eq!(second.migrate(mm, span)?, PAGES);
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    /// Of two invalidations one must not block, as that of an OOM kill; the other may sleep and is not reported.
    #[test]
    fn invalidate() -> Result {
        a_second();
        let mm = super::super::address_space()?;
        let table = Table {
            blocking: 0,
            others: 0,
        };
        let mirror = Arc::pin_init(Mirror::new(&mm, core::ptr::null(), table), GFP_KERNEL)?;
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        for flags in [0, bindings::MMU_NOTIFIER_RANGE_BLOCKABLE] {
            let mut cleared = bindings::mmu_notifier_range {
                mm: mm.as_raw(),
                start: SPAN.start(),
                end: SPAN.end(),
                flags,
                event: bindings::mmu_notifier_event_MMU_NOTIFY_CLEAR,
                owner: core::ptr::null_mut(),
            };
            // SAFETY: The process is alive, and has no pages that could be unmapped meanwhile.
            unsafe {
                assert_eq!(
                    bindings::__mmu_notifier_invalidate_range_start(&mut cleared),
                    0
                );
                bindings::__mmu_notifier_invalidate_range_end(&mut cleared);
            }
        }
        let seen = mirror.with_lock(|table| (table.blocking, table.others))?;
        assert_eq!(seen, (1, 1));
        drop(range);
        Ok(())
    }
}
