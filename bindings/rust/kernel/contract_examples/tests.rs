// SPDX-License-Identifier: GPL-2.0

//! Tests of the generated objects in a running kernel.

use crate::prelude::*;

#[macros::kunit_tests(hmm_contract_examples)]
mod examples {
    use super::*;
    use crate::contract_examples::{
        irq_work,
        irq_work::IrqWork,
        pid::Pid,
        rwsem::RwSemaphore,
        seqcount::SeqCount, //
    };
    use crate::sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    };

    #[test]
    fn pid_is_found_and_counted() -> Result {
        let pid = Pid::find_get_pid(1).ok_or(ESRCH)?;
        let other: ARef<Pid> = pid.clone();
        drop(pid);
        assert_eq!(other.number(), 1);
        assert!(Pid::find_get_pid(i32::MAX).is_none());
        Ok(())
    }

    #[test]
    fn readers_share_and_writers_exclude() -> Result {
        let sem = Arc::pin_init(RwSemaphore::new(41), GFP_KERNEL)?;
        *sem.write().as_pin() += 1;
        {
            let first = sem.read();
            let second = sem.try_read().ok_or(EBUSY)?;
            assert_eq!(*first + *second, 84);
            assert!(sem.try_write().is_none());
        }
        *sem.write_killable()? = 7;
        let last = sem.try_write().ok_or(EBUSY)?;
        assert_eq!(*last, 7);
        assert!(sem.try_read().is_none());
        Ok(())
    }

    #[test]
    fn reading_begins_anew_until_nothing_changes() -> Result {
        let count = KBox::pin_init(SeqCount::new(), GFP_KERNEL)?;
        let mut turns = 0;
        let seen = count.read(|count| {
            turns += 1;
            if turns < 3 {
                count.invalidate();
            }
            turns
        });
        assert_eq!(seen, 3);
        assert_eq!(count.read(|_| 7), 7);
        Ok(())
    }

    struct Count(Arc<Atomic<i32>>);

    #[vtable]
    impl irq_work::Operations for Count {
        fn run(&self) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn queued_work_is_done_before_it_ends() -> Result {
        let count = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        // SAFETY: The kernel crate is in no module that could be unloaded.
        let init = unsafe { IrqWork::new(Count(count.clone())) };
        let work = KBox::pin_init(init, GFP_KERNEL)?;
        assert!(!work.is_busy());
        assert!(work.queue());
        drop(work);
        assert_eq!(count.load(Relaxed), 1);
        Ok(())
    }
}
