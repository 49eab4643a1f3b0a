// SPDX-License-Identifier: GPL-2.0

//! Device addresses as a driver uses them, in a running kernel.

use super::error_of;
use crate::{
    bindings,
    device,
    error::to_result,
    hmm::{
        mirror::{
            Access,
            DmaMap,
            Invalidation,
            Mirror,
            MirrorRange,
            Operations,
            Span, //
        },
        synchronize, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};
use core::ptr::NonNull;

/// Takes note of how many pages have addresses.
#[derive(Default)]
struct Table {
    pages: usize,
}

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        self.pages = 0;
        true
    }
}

/// A device that reaches all memory, if there are such.
pub(super) struct Device(NonNull<bindings::faux_device>);

impl Device {
    pub(super) fn new() -> Result<Self> {
        let (name, none) = (c"hmm_rust_dma".as_char_ptr(), core::ptr::null());
        // SAFETY: The name is copied, and nothing else is given.
        let faux = unsafe { bindings::faux_device_create(name, core::ptr::null_mut(), none) };
        let this = Self(NonNull::new(faux).ok_or(ENODEV)?);
        let dev = this.get().as_raw();
        // SAFETY: The device is there, and nobody else has seen it.
        unsafe { (*dev).dma_mask = &raw mut (*dev).coherent_dma_mask };
        // A device that is not coherent, the default on arm64, cannot share memory.
        const COHERENT: u32 = bindings::struct_device_flags_DEV_FLAG_DMA_COHERENT;
        // SAFETY: As above.
        unsafe { (*dev).flags[0] |= 1 << COHERENT };
        // SAFETY: As above.
        let set = to_result(unsafe { bindings::dma_set_mask_and_coherent(dev, u64::MAX) });
        assert!(set.is_ok() || !cfg!(CONFIG_HAS_DMA));
        Ok(this)
    }

    pub(super) fn get(&self) -> &device::Device<device::Bound> {
        // SAFETY: It is bound from its creation to its end.
        unsafe { device::Device::from_raw(&raw mut (*self.0.as_ptr()).dev) }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // The ends of maps are deferred.
        synchronize();
        // SAFETY: It was created, and is ended once.
        unsafe { bindings::faux_device_destroy(self.0.as_ptr()) };
    }
}

/// Memory of the test's own process, four pages.
fn memory() -> Result<Span> {
    const READ_WRITE: usize = 3;
    const PRIVATE_ANONYMOUS: usize = 0x22;
    if current!().mm().is_none() {
        // SAFETY: A test runs in a thread of its own, and this one has no memory yet.
        to_result(unsafe { bindings::kunit_attach_mm() })?;
    }
    let (size, file) = (4 * PAGE_SIZE, core::ptr::null_mut());
    // SAFETY: No file is mapped, and no fixed address is requested, so no existing mapping changes.
    let start = unsafe { bindings::vm_mmap(file, 0, size, READ_WRITE, PRIVATE_ANONYMOUS, 0) };
    let start: usize = start;
    match start % PAGE_SIZE {
        0 => Ok(Span::new(start, start + size)),
        _ => Err(ENOMEM),
    }
}

fn mirror() -> Result<Arc<Mirror<Table>>> {
    let current = current!();
    let mm = current.mm().ok_or(EINVAL)?;
    let mirror = Mirror::new(mm, core::ptr::null(), Table::default());
    Arc::pin_init(mirror, GFP_KERNEL)
}

/// Of a device whose mirrors share an owner.
fn mirror_of_owner() -> Result<Arc<Mirror<Table>>> {
    static OWNER: u8 = 0;
    let current = current!();
    let mm = current.mm().ok_or(EINVAL)?;
    let mirror = Mirror::new(mm, (&raw const OWNER).cast(), Table::default());
    Arc::pin_init(mirror, GFP_KERNEL)
}

/// A map with room for a span, in which all pages have addresses, if there are such.
fn filled(
    mirror: &Arc<Mirror<Table>>,
    device: &Device,
    span: Span,
) -> Result<Pin<KBox<DmaMap<Table>>>> {
    let map = DmaMap::new(mirror.clone(), device.get(), span);
    let map = KBox::pin_init(map, GFP_KERNEL)?;
    let seen = addresses(mirror, &map, span);
    assert!(seen.is_ok() || !cfg!(CONFIG_HAS_DMA));
    Ok(map)
}

/// How many pages of a span get device addresses.
fn addresses(mirror: &Mirror<Table>, dma: &DmaMap<Table>, span: Span) -> Result<usize> {
    mirror.populate_dma(span, Access::Write, dma, |pages, table| {
        table.pages += pages
            .addresses()
            .map(|run| run.span().pages())
            .sum::<usize>();
        Ok(())
    })?;
    mirror.with_lock(|table| table.pages)
}

#[macros::kunit_tests(hmm_rust_dma)]
mod tests {
    use super::*;

    #[test]
    fn pages_get_device_addresses() -> Result {
        let span = memory()?;
        let device = Device::new()?;
        let mirror = mirror()?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), span), GFP_KERNEL)?;
        let map = DmaMap::new(mirror.clone(), device.get(), span);
        let map = KBox::pin_init(map, GFP_KERNEL)?;
        let seen = addresses(&mirror, &map, span);
        match cfg!(CONFIG_HAS_DMA) {
            true => assert_eq!(seen?, 4),
            false => assert!(seen == Err(EIO)),
        }
        Ok(())
    }

    #[test]
    fn addresses_are_forgotten_before_they_go() -> Result {
        let span = memory()?;
        let device = Device::new()?;
        let mirror = mirror()?;
        for dropped_first in [false, true] {
            let range = KBox::pin_init(MirrorRange::new(mirror.clone(), span), GFP_KERNEL)?;
            let map = filled(&mirror, &device, span)?;
            mirror.with_lock(|table| table.pages = 4)?;
            let range = (!dropped_first).then_some(range);
            drop(map);
            synchronize();
            assert_eq!(mirror.with_lock(|table| table.pages)?, 0);
            drop(range);
        }
        Ok(())
    }

    /// The device's table has the addresses until the thread has left the lock, or the section.
    #[test]
    fn a_map_dropped_under_the_update_lock_ends_later() -> Result {
        let span = memory()?;
        let device = Device::new()?;
        let mirror = mirror()?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), span), GFP_KERNEL)?;
        for in_section in [false, true] {
            let map = filled(&mirror, &device, span)?;
            let mut last = Some(map);
            let mut drops = |table: &mut Table| {
                table.pages = 4;
                drop(last.take());
                assert_eq!(table.pages, 4);
            };
            match in_section {
                false => mirror.with_lock(|table| drops(table))?,
                true => mirror.populate(span, Access::Snapshot, |_, table| {
                    drops(table);
                    Ok(())
                })?,
            }
            synchronize();
            assert_eq!(mirror.with_lock(|table| table.pages)?, 0);
        }
        Ok(())
    }

    #[test]
    fn a_map_is_of_one_mirror_and_has_its_room() -> Result {
        let span = memory()?;
        let half = Span::new(span.start(), span.start() + 2 * PAGE_SIZE);
        let device = Device::new()?;
        let (one, other) = (mirror()?, mirror()?);
        let _range = KBox::pin_init(MirrorRange::new(one.clone(), span), GFP_KERNEL)?;
        let _other = KBox::pin_init(MirrorRange::new(other.clone(), span), GFP_KERNEL)?;
        let map = DmaMap::new(one.clone(), device.get(), half);
        let map = KBox::pin_init(map, GFP_KERNEL)?;
        assert!(addresses(&other, &map, half) == Err(EINVAL));
        assert!(addresses(&one, &map, span) == Err(EINVAL));
        let empty = Span::new(PAGE_SIZE, PAGE_SIZE);
        let map = KBox::pin_init(DmaMap::new(one, device.get(), empty), GFP_KERNEL);
        assert!(map.is_err());
        Ok(())
    }

    #[test]
    fn a_page_is_exclusive_to_one_mirror_of_its_owner() -> Result {
        let span = memory()?;
        let first = Span::new(span.start(), span.start() + PAGE_SIZE);
        let (one, other) = (mirror_of_owner()?, mirror_of_owner()?);
        let _one = KBox::pin_init(MirrorRange::new(one.clone(), span), GFP_KERNEL)?;
        let _other = KBox::pin_init(MirrorRange::new(other.clone(), span), GFP_KERNEL)?;
        other.populate(first, Access::Write, |pages, table| {
            table.pages += pages.runs().count();
            Ok(())
        })?;
        assert_eq!(other.with_lock(|table| table.pages)?, 1);
        let seen = one.exclusive(first, |pages, table| {
            table.pages += pages.runs().count();
            Ok(())
        });
        if !cfg!(CONFIG_DEVICE_PRIVATE) {
            assert!(seen == Err(error_of(bindings::EOPNOTSUPP)));
            return Ok(());
        }
        seen?;
        assert_eq!(one.with_lock(|table| table.pages)?, 1);
        assert_eq!(other.with_lock(|table| table.pages)?, 0);
        // And back: now the other takes it.
        other.exclusive(first, |_, _| Ok(()))?;
        assert_eq!(one.with_lock(|table| table.pages)?, 0);
        Ok(())
    }

    #[test]
    fn the_longest_timeout_is_not_the_shortest() -> Result {
        let span = memory()?;
        let mirror = mirror()?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), span), GFP_KERNEL)?;
        mirror.populate_with(span, Access::Write, usize::MAX, |_, _| Ok(()))
    }
}
