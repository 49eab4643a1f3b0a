// SPDX-License-Identifier: GPL-2.0

//! Callbacks in interrupt context that sleep, which a kernel with `CONFIG_DEBUG_ATOMIC_SLEEP` reports:
//! for `selftests/meta/sleeps`, which boots for these and reads the reports.

use super::{
    completion::Completion,
    irq_work,
    irq_work::IrqWork,
    timer::{
        Timer,
        TimerOperations, //
    },
    work::{
        Work,
        WorkOperations, //
    },
};
use crate::{
    bindings,
    prelude::*,
    sync::Arc,
    task::might_sleep,
    time::{
        delay::fsleep,
        Delta,
        Jiffies, //
    }, //
};

const LONG: Jiffies = 20 * bindings::HZ as Jiffies;

/// Sleeps, and then reports that it was called.
struct Sleeper(Arc<Completion>);

impl Sleeper {
    fn new() -> Result<(Self, Arc<Completion>)> {
        // The kernel reports once a second.
        fsleep(Delta::from_millis(1100));
        let called = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
        Ok((Sleeper(called.clone()), called))
    }
}

#[vtable]
impl TimerOperations for Sleeper {
    fn expired(&self) {
        might_sleep();
        self.0.complete();
    }
}

#[vtable]
impl irq_work::Operations for Sleeper {
    fn run(&self) {
        might_sleep();
        self.0.complete();
    }
}

#[vtable]
impl WorkOperations for Sleeper {
    fn run(&self) {
        might_sleep();
        self.0.complete();
    }
}

#[macros::kunit_tests(sleep_in_atomic_contract)]
mod tests {
    use super::*;

    #[test]
    fn timer() -> Result {
        let (data, called) = Sleeper::new()?;
        // SAFETY: The kernel crate is in no module that could be unloaded, and there are no flags.
        let timer = KBox::pin_init(unsafe { Timer::new(0, data) }, GFP_KERNEL)?;
        // SAFETY: It is there from the start, and is read whole.
        timer.modify(unsafe { (&raw const bindings::jiffies).read_volatile() });
        assert!(called.wait_timeout(LONG) > 0);
        Ok(())
    }

    #[test]
    fn irq_work() -> Result {
        let (data, called) = Sleeper::new()?;
        // SAFETY: The kernel crate is in no module that could be unloaded.
        let work = KBox::pin_init(unsafe { IrqWork::new(data) }, GFP_KERNEL)?;
        assert!(work.queue());
        assert!(called.wait_timeout(LONG) > 0);
        Ok(())
    }

    /// A work item may sleep, and is not reported.
    #[test]
    fn work() -> Result {
        let (data, called) = Sleeper::new()?;
        // SAFETY: The kernel crate is in no module that could be unloaded.
        let work = KBox::pin_init(unsafe { Work::new(data) }, GFP_KERNEL)?;
        assert!(work.schedule());
        assert!(called.wait_timeout(LONG) > 0);
        Ok(())
    }
}
