// SPDX-License-Identifier: GPL-2.0

//! Tests of generated objects that belong to a device: blocks for DMA, clocks and files.

use super::{
    clk::Clock,
    completion::Completion,
    dma_pool::DmaPool,
    firmware::Firmware,
    work::{
        Work,
        WorkOperations, //
    },
};
use crate::{
    bindings,
    device,
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Arc, //
    },
    time::Jiffies, //
};
use core::ptr::NonNull;

const LONG: Jiffies = 20 * bindings::HZ as Jiffies;

/// A device without hardware, bound until it is dropped.
struct Device(NonNull<bindings::faux_device>);

impl Device {
    fn new(name: &CStr) -> Result<Self> {
        let (parent, ops) = (core::ptr::null_mut(), core::ptr::null());
        // SAFETY: The name is copied, and nothing else is given.
        let faux = unsafe { bindings::faux_device_create(name.as_char_ptr(), parent, ops) };
        Ok(Self(NonNull::new(faux).ok_or(ENODEV)?))
    }

    fn raw(&self) -> *mut bindings::device {
        // SAFETY: It is there until `self` is dropped.
        unsafe { &raw mut (*self.0.as_ptr()).dev }
    }

    fn bound(&self) -> &device::Device<device::Bound> {
        // SAFETY: It is bound from its creation to its end.
        unsafe { device::Device::from_raw(self.raw()) }
    }

    /// Has the device reach all memory.
    fn reaches_all(&self) -> Result {
        let dev = self.raw();
        // SAFETY: The device is there, and nobody else has seen it.
        unsafe { (*dev).dma_mask = &raw mut (*dev).coherent_dma_mask };
        // SAFETY: As above.
        to_result(unsafe { bindings::dma_set_mask_and_coherent(dev, u64::MAX) })
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: It was created, and is ended once.
        unsafe { bindings::faux_device_destroy(self.0.as_ptr()) };
    }
}

/// A thread that runs a closure.
struct Run<F>(F);

#[vtable]
impl<F: Fn() + Send + Sync + 'static> WorkOperations for Run<F> {
    fn run(&self) {
        (self.0)()
    }
}

fn thread<F: Fn() + Send + Sync + 'static>(run: F) -> Result<Pin<KBox<Work<Run<F>>>>> {
    // SAFETY: The kernel crate is in no module that could be unloaded.
    let work = KBox::pin_init(unsafe { Work::new(Run(run)) }, GFP_KERNEL)?;
    assert!(work.schedule());
    Ok(work)
}

/// A block of a pool.
struct Block<'a> {
    pool: &'a DmaPool,
    bytes: NonNull<u8>,
    address: bindings::dma_addr_t,
}

impl<'a> Block<'a> {
    fn new(pool: &'a DmaPool) -> Result<Self> {
        let mut address = 0;
        let flags = GFP_KERNEL.as_raw();
        // SAFETY: The pool exists, and `address` is storage for the result.
        let bytes = unsafe { bindings::dma_pool_alloc(pool.as_raw(), flags, &mut address) };
        let bytes = NonNull::new(bytes.cast()).ok_or(ENOMEM)?;
        Ok(Block {
            pool,
            bytes,
            address,
        })
    }

    fn write(&self, value: u8, size: usize) {
        // SAFETY: It has `size` bytes, which are ours.
        unsafe { self.bytes.as_ptr().write_bytes(value, size) };
    }

    fn is_all(&self, value: u8, size: usize) -> bool {
        // SAFETY: As above, and `write()` has written them.
        (0..size).all(|at| unsafe { self.bytes.as_ptr().add(at).read() } == value)
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        let (pool, bytes) = (self.pool.as_raw(), self.bytes.as_ptr());
        // SAFETY: It is of this pool, and is given back once.
        unsafe { bindings::dma_pool_free(pool, bytes.cast(), self.address) };
    }
}

/// A clock of fixed rate, and its name for a device.
struct Oscillator {
    clk: NonNull<bindings::clk>,
    lookup: NonNull<bindings::clk_lookup>,
}

const RATE: usize = 32_768;

impl Oscillator {
    fn new(id: &CStr, device: &CStr) -> Result<Self> {
        let (none, parent) = (core::ptr::null_mut(), core::ptr::null());
        let name = c"hmm_contract_osc".as_char_ptr();
        // SAFETY: The name is copied, and there is neither a device nor a parent.
        let clk = from_err_ptr(unsafe {
            bindings::clk_register_fixed_rate(none, name, parent, 0, RATE)
        })?;
        let (id, format, device) = (id.as_char_ptr(), c"%s".as_char_ptr(), device.as_char_ptr());
        // SAFETY: The clock exists, and the strings are copied.
        let lookup = unsafe { bindings::clkdev_create(clk, id, format, device) };
        let Some(lookup) = NonNull::new(lookup) else {
            // SAFETY: It was registered, and nobody has it.
            unsafe { bindings::clk_unregister_fixed_rate(clk) };
            return Err(ENOMEM);
        };
        let clk = NonNull::new(clk).ok_or(ENODEV)?;
        Ok(Oscillator { clk, lookup })
    }

    fn runs(&self) -> bool {
        // SAFETY: It is registered.
        unsafe { bindings::__clk_is_enabled(self.clk.as_ptr()) }
    }
}

impl Drop for Oscillator {
    fn drop(&mut self) {
        // SAFETY: Both were made, and are ended once.
        unsafe {
            bindings::clkdev_drop(self.lookup.as_ptr());
            bindings::clk_unregister_fixed_rate(self.clk.as_ptr());
        }
    }
}

#[macros::kunit_tests(hmm_contract_devices)]
mod devices {
    use super::*;

    #[test]
    fn a_pool_has_blocks_of_its_size_and_alignment() -> Result {
        const SIZE: usize = 48;
        const ALIGN: usize = 64;
        let device = Device::new(c"hmm_contract_pool")?;
        device.reaches_all()?;
        // SAFETY: Below, the pool is dropped before the device.
        let pool = unsafe { DmaPool::new(c"blocks", device.bound(), SIZE, ALIGN, 0) };
        let pool = pool.ok_or(ENOMEM)?;
        let mut blocks = KVec::new();
        let mut addresses = KVec::new();
        for value in 0..100u8 {
            let block = Block::new(&pool)?;
            block.write(value, SIZE);
            assert!(!addresses.contains(&block.address));
            addresses.push(block.address, GFP_KERNEL)?;
            blocks.push(block, GFP_KERNEL)?;
        }
        for (value, block) in blocks.iter().enumerate() {
            assert!(block.is_all(value as u8, SIZE));
            assert_eq!(block.address % ALIGN as bindings::dma_addr_t, 0);
            assert_eq!(block.bytes.as_ptr() as usize % ALIGN, 0);
        }
        drop(blocks);
        // What was given back is given out again.
        assert!(addresses.contains(&Block::new(&pool)?.address));
        drop(pool);
        Ok(())
    }

    #[test]
    fn a_pool_that_cannot_be_is_none() -> Result {
        let device = Device::new(c"hmm_contract_pool")?;
        for (size, align, boundary) in [(0, 64, 0), (64, 3, 0), (64, 64, 32), (usize::MAX, 1, 0)] {
            // SAFETY: There is none.
            let pool = unsafe { DmaPool::new(c"none", device.bound(), size, align, boundary) };
            assert!(pool.is_none());
        }
        Ok(())
    }

    /// Nobody drops the device's last reference while a pool refers to it.
    #[test]
    fn a_pool_keeps_its_device() -> Result {
        let device = Device::new(c"hmm_contract_pool")?;
        let count = || {
            // SAFETY: The device is there, and the count is read whole.
            unsafe { (&raw const (*device.raw()).kobj.kref.refcount.refs.counter).read_volatile() }
        };
        let before = count();
        // SAFETY: Below, the pool is dropped before the device.
        let pool = unsafe { DmaPool::new(c"blocks", device.bound(), 64, 64, 0) };
        assert!(pool.is_some());
        assert_eq!(count(), before + 1);
        drop(pool);
        assert_eq!(count(), before);
        Ok(())
    }

    #[test]
    fn a_clock_runs_as_long_as_somebody_has_it_enabled() -> Result {
        let device = Device::new(c"hmm_contract_clk")?;
        let osc = Oscillator::new(c"core", c"hmm_contract_clk")?;
        let clock = Clock::new(device.bound(), Some(c"core"))?.ok_or(ENODEV)?;
        let second = Clock::new(device.bound(), Some(c"core"))?.ok_or(ENODEV)?;
        assert_eq!(clock.rate(), RATE);
        assert!(!osc.runs());
        {
            let prepared = clock.prepare()?;
            assert!(!osc.runs());
            let enabled = prepared.enable()?;
            assert!(osc.runs());
            {
                let other = second.prepare()?;
                let _twice = other.enable()?;
                drop(enabled);
                assert!(osc.runs());
            }
            assert!(!osc.runs());
        }
        // A clock of fixed rate keeps it.
        let _ = clock.set_rate(2 * RATE);
        assert_eq!(clock.rate(), RATE);
        Ok(())
    }

    #[test]
    fn a_clock_is_enabled_and_stopped_by_another_thread() -> Result {
        let device = Device::new(c"hmm_contract_clk")?;
        let osc = Oscillator::new(c"core", c"hmm_contract_clk")?;
        let clock = Clock::new(device.bound(), Some(c"core"))?.ok_or(ENODEV)?;
        let clock = Arc::new(clock, GFP_KERNEL)?;
        let ran = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let done = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
        let (theirs, seen, signal) = (clock.clone(), ran.clone(), done.clone());
        let work = thread(move || {
            if let Ok(prepared) = theirs.prepare() {
                seen.store(i32::from(prepared.enable().is_ok()), Release);
            }
            signal.complete();
        })?;
        assert!(done.wait_timeout(LONG) > 0);
        assert_eq!(ran.load(Acquire), 1);
        drop(work);
        assert!(!osc.runs());
        Ok(())
    }

    #[test]
    fn a_clock_that_is_not_there_is_an_error() -> Result {
        let device = Device::new(c"hmm_contract_clk")?;
        let _osc = Oscillator::new(c"core", c"hmm_contract_other")?;
        assert_eq!(
            Clock::new(device.bound(), Some(c"core")).err(),
            Some(ENOENT)
        );
        assert_eq!(Clock::new(device.bound(), None).err(), Some(ENOENT));
        Ok(())
    }

    const CODE: &[u8] = b"tandem: not code for any device\n";

    #[test]
    fn a_file_is_loaded_whole() -> Result {
        let device = Device::new(c"hmm_contract_file")?;
        let file = Firmware::new(c"hmm_contract.bin", device.bound())?;
        assert_eq!(file.size(), CODE.len());
        assert_eq!(file.data(), CODE);
        // It is there without its device, and another thread can read and free it.
        drop(device);
        let same = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let file = Arc::new(file, GFP_KERNEL)?;
        let (theirs, seen) = (file.clone(), same.clone());
        drop(file);
        let work = thread(move || seen.store(i32::from(theirs.data() == CODE), Release))?;
        work.flush();
        assert_eq!(same.load(Acquire), 1);
        drop(work);
        Ok(())
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() -> Result {
        let device = Device::new(c"hmm_contract_file")?;
        let missing = Firmware::new(c"hmm_nothing.bin", device.bound());
        assert_eq!(missing.err(), Some(ENOENT));
        Ok(())
    }
}
