// SPDX-License-Identifier: GPL-2.0

//! Tests of generated objects for APIs whose contracts are in `bindings/examples/foreign`: each with a second thread, a
//! work item, that waits, holds or runs at the same time.

use super::{
    completion::Completion,
    delayed_work::{
        DelayedOperations,
        DelayedWork, //
    },
    kref::Kref,
    notifier::{
        Chain,
        Notified,
        Notifier, //
    },
    percpu_rwsem::PercpuRwSemaphore,
    srcu::Srcu,
    timer::{
        Timer,
        TimerOperations, //
    },
    wait::WaitQueue,
    work::{
        Work,
        WorkOperations, //
    },
};
use crate::{
    bindings,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc, //
    },
    time::{
        delay::fsleep,
        Delta,
        Jiffies, //
    },
};

/// Longer than anything here takes, and shorter than the time after which KUnit ends a test.
const LONG: Jiffies = 20 * bindings::HZ as Jiffies;

/// Long enough for another thread to do what it must not do.
fn a_while() {
    fsleep(Delta::from_millis(30));
}

fn jiffies() -> Jiffies {
    // SAFETY: It is there from the start, and is read whole.
    unsafe { (&raw const bindings::jiffies).read_volatile() }
}

fn completion() -> Result<Arc<Completion>> {
    Arc::pin_init(Completion::new(), GFP_KERNEL)
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
    let work = work(Run(run))?;
    assert!(work.schedule());
    Ok(work)
}

fn work<T: WorkOperations>(data: T) -> Result<Pin<KBox<Work<T>>>> {
    // SAFETY: The kernel crate is in no module that could be unloaded.
    KBox::pin_init(unsafe { Work::new(data) }, GFP_KERNEL)
}

fn delayed_work<T: DelayedOperations>(data: T) -> Result<Pin<KBox<DelayedWork<T>>>> {
    // SAFETY: As for `work`.
    KBox::pin_init(unsafe { DelayedWork::new(data) }, GFP_KERNEL)
}

fn timer<T: TimerOperations>(data: T) -> Result<Pin<KBox<Timer<T>>>> {
    // SAFETY: As for `work`, and there are no flags.
    KBox::pin_init(unsafe { Timer::new(0, data) }, GFP_KERNEL)
}

/// Data that counts how often it was dropped.
struct Dropped(Arc<Atomic<i32>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Writes its digit behind those that were notified before it.
struct Digit {
    digit: i32,
    heard: Arc<Atomic<i32>>,
    stops: bool,
}

#[vtable]
impl Notified for Digit {
    fn notified(&self, event: usize, _about: *const crate::ffi::c_void) -> i32 {
        if event == 0 {
            return bindings::NOTIFY_DONE as i32;
        }
        let heard = self.heard.load(Relaxed);
        self.heard.store(heard * 10 + self.digit, Relaxed);
        match self.stops {
            true => bindings::NOTIFY_STOP as i32,
            false => bindings::NOTIFY_OK as i32,
        }
    }
}

/// Counts how often it was called, and reports each call.
struct Count {
    calls: Arc<Atomic<i32>>,
    called: Arc<Completion>,
}

impl Count {
    fn new() -> Result<(Self, Arc<Atomic<i32>>, Arc<Completion>)> {
        let (calls, called) = (Arc::new(Atomic::new(0), GFP_KERNEL)?, completion()?);
        let count = Count {
            calls: calls.clone(),
            called: called.clone(),
        };
        Ok((count, calls, called))
    }

    fn call(&self) {
        self.calls.fetch_add(1, Relaxed);
        self.called.complete();
    }
}

#[vtable]
impl WorkOperations for Count {
    fn run(&self) {
        self.call();
    }
}

#[vtable]
impl DelayedOperations for Count {
    fn run(&self) {
        self.call();
    }
}

#[vtable]
impl TimerOperations for Count {
    fn expired(&self) {
        self.call();
    }
}

#[macros::kunit_tests(hmm_contract_foreign)]
mod foreign {
    use super::*;

    #[test]
    fn a_completion_counts_its_events() -> Result {
        let event = completion()?;
        assert!(!event.is_done());
        assert!(!event.try_wait());
        assert_eq!(event.wait_timeout(1), 0);
        assert_eq!(event.wait_killable_timeout(1)?, 0);
        event.complete();
        event.complete();
        assert!(event.is_done());
        assert!(event.try_wait());
        event.wait_killable()?;
        assert!(!event.try_wait());
        event.complete_all();
        event.wait();
        event.wait();
        // A time that fits no int is no error.
        assert!(event.wait_killable_timeout(1 << 40)? > 0);
        Ok(())
    }

    #[test]
    fn a_completion_is_waited_for_by_another_thread() -> Result {
        let (event, done) = (completion()?, completion()?);
        let (theirs, signal) = (event.clone(), done.clone());
        let work = thread(move || {
            theirs.wait();
            signal.complete();
        })?;
        a_while();
        assert!(!done.is_done());
        event.complete();
        assert!(done.wait_timeout(LONG) > 0);
        drop(work);
        Ok(())
    }

    #[test]
    fn srcu_waits_for_a_reader_and_not_for_later_ones() -> Result {
        // SAFETY: No reader is leaked below.
        let srcu = Arc::pin_init(unsafe { Srcu::new() }, GFP_KERNEL)?;
        let done = completion()?;
        let reader = srcu.read();
        let nested = srcu.read();
        let (theirs, signal) = (srcu.clone(), done.clone());
        let work = thread(move || {
            theirs.synchronize();
            signal.complete();
        })?;
        a_while();
        drop(nested);
        a_while();
        assert!(!done.is_done());
        drop(reader);
        assert!(done.wait_timeout(LONG) > 0);
        drop(work);
        srcu.synchronize_expedited();
        srcu.barrier();
        Ok(())
    }

    #[test]
    fn work_is_done_once_for_each_time_it_is_queued() -> Result {
        let (count, calls, called) = Count::new()?;
        let work = work(count)?;
        assert!(!work.is_pending());
        for round in 1..=3 {
            assert!(work.schedule());
            assert!(called.wait_timeout(LONG) > 0);
            assert_eq!(calls.load(Relaxed), round);
        }
        work.flush();
        assert!(!work.flush());
        Ok(())
    }

    #[test]
    fn work_that_runs_is_waited_for_by_its_end() -> Result {
        let (started, ended) = (completion()?, Arc::new(Atomic::new(0), GFP_KERNEL)?);
        let (signal, end) = (started.clone(), ended.clone());
        let work = thread(move || {
            signal.complete();
            a_while();
            end.store(1, Release);
        })?;
        assert!(started.wait_timeout(LONG) > 0);
        drop(work);
        assert_eq!(ended.load(Acquire), 1);
        Ok(())
    }

    #[test]
    fn delayed_work_waits_for_its_time_or_a_flush() -> Result {
        let (count, calls, called) = Count::new()?;
        let work = delayed_work(count)?;
        let start = jiffies();
        assert!(work.schedule(3));
        assert!(!work.schedule(LONG));
        assert!(called.wait_timeout(LONG) > 0);
        assert!(jiffies().wrapping_sub(start) >= 3);
        assert!(work.schedule(LONG));
        assert_eq!(calls.load(Relaxed), 1);
        assert!(work.flush());
        assert_eq!(calls.load(Relaxed), 2);
        Ok(())
    }

    #[test]
    fn delayed_work_that_ends_is_not_done() -> Result {
        let (count, calls, _) = Count::new()?;
        let work = delayed_work(count)?;
        assert!(work.schedule(2));
        drop(work);
        a_while();
        assert!(calls.load(Relaxed) <= 1);
        let (count, calls, _) = Count::new()?;
        let work = delayed_work(count)?;
        assert!(work.schedule(LONG));
        drop(work);
        assert_eq!(calls.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn a_percpu_writer_waits_for_readers() -> Result {
        // SAFETY: Each guard is dropped, here and in the thread.
        let sem = Arc::pin_init(unsafe { PercpuRwSemaphore::new(40) }, GFP_KERNEL)?;
        let done = completion()?;
        *sem.write().as_pin() += 1;
        let reader = sem.read();
        let (theirs, signal) = (sem.clone(), done.clone());
        let work = thread(move || {
            *theirs.write() += 1;
            signal.complete();
        })?;
        a_while();
        assert!(!done.is_done());
        assert_eq!(*reader, 41);
        drop(reader);
        assert!(done.wait_timeout(LONG) > 0);
        assert_eq!(*sem.read(), 42);
        let writer = sem.write();
        assert!(sem.try_read().is_none());
        drop(writer);
        assert_eq!(sem.try_read().map(|data| *data), Some(42));
        drop(work);
        Ok(())
    }

    #[test]
    fn a_timer_expires_once_and_in_time() -> Result {
        let (count, calls, called) = Count::new()?;
        let timer = timer(count)?;
        assert_eq!(timer.is_pending(), 0);
        let expires = jiffies() + 3;
        assert_eq!(timer.modify(expires), 0);
        assert!(called.wait_timeout(LONG) > 0);
        assert!(jiffies().wrapping_sub(expires) < LONG);
        assert_eq!(timer.modify(jiffies() + LONG), 0);
        assert_eq!(timer.modify(jiffies() + 2 * LONG), 1);
        assert_eq!(timer.is_pending(), 1);
        assert_eq!(timer.delete(), 1);
        assert_eq!(timer.delete(), 0);
        assert_eq!(calls.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn a_timer_that_ends_does_not_expire() -> Result {
        // Those that have just expired may run while they are ended; what they refer to must be there.
        for delay in 0..4 {
            let (count, calls, _) = Count::new()?;
            let timer = timer(count)?;
            timer.modify(jiffies() + delay);
            if delay == 1 {
                a_while();
            }
            drop(timer);
            let seen = calls.load(Relaxed);
            a_while();
            assert_eq!(calls.load(Relaxed), seen);
        }
        Ok(())
    }

    #[test]
    fn sleepers_in_a_wait_queue_are_woken() -> Result {
        let queue = Arc::pin_init(WaitQueue::new(), GFP_KERNEL)?;
        let (ready, done) = (completion()?, completion()?);
        let left = Arc::new(Atomic::new(0i64), GFP_KERNEL)?;
        assert!(!queue.has_sleeper());
        queue.wake_up();
        let (theirs, signal, end, slept) =
            (queue.clone(), ready.clone(), done.clone(), left.clone());
        let work = thread(move || {
            // The side that sleeps has no binding.
            let mut entry = bindings::wait_queue_entry::default();
            // SAFETY: `entry` does not move, and is in the queue until `finish_wait()` only.
            let rest = unsafe {
                bindings::init_wait_entry(&mut entry, 0);
                bindings::prepare_to_wait(
                    theirs.as_raw(),
                    &mut entry,
                    bindings::TASK_UNINTERRUPTIBLE as crate::ffi::c_int,
                );
                signal.complete();
                let rest = bindings::schedule_timeout(LONG as crate::ffi::c_long);
                bindings::finish_wait(theirs.as_raw(), &mut entry);
                rest
            };
            slept.store(rest as i64, Release);
            end.complete();
        })?;
        assert!(ready.wait_timeout(LONG) > 0);
        assert!(queue.has_sleeper());
        assert!(!done.is_done());
        queue.wake_up_all();
        assert!(done.wait_timeout(LONG) > 0);
        assert!(left.load(Acquire) > 0);
        assert!(!queue.has_sleeper());
        drop(work);
        Ok(())
    }
    #[test]
    fn a_kref_drops_its_data_with_the_last_reference() -> Result {
        let drops = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let first = KBox::pin_init(Kref::new(Dropped(drops.clone())), GFP_KERNEL)?;
        assert_eq!(first.references(), 1);
        let second = (*first).clone();
        assert_eq!(first.references(), 2);
        let done = completion()?;
        let end = done.clone();
        // Another thread takes and drops references, and has one until it is gone.
        let work = thread(move || {
            for _ in 0..1000 {
                let third = second.clone();
                assert_eq!(third.data().0.load(Relaxed), 0);
            }
            end.complete();
        })?;
        for _ in 0..1000 {
            drop((*first).clone());
        }
        assert!(done.wait_timeout(LONG) > 0);
        assert_eq!(first.references(), 2);
        drop(first);
        assert_eq!(drops.load(Relaxed), 0);
        drop(work);
        assert_eq!(drops.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn notifiers_are_called_by_priority_until_one_stops_it_and_not_after_their_end() -> Result {
        let heard = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let chain = Arc::pin_init(Chain::new(), GFP_KERNEL)?;
        let add = |digit, priority, stops| {
            let heard = heard.clone();
            let data = Digit {
                digit,
                heard,
                stops,
            };
            // SAFETY: The kernel crate is in no module that could be unloaded, and `Digit` drops no notifier.
            KBox::pin_init(
                unsafe { Notifier::new(priority, chain.clone(), data) },
                GFP_KERNEL,
            )
        };
        let low = add(1, -1, false)?;
        let _high = add(3, 7, false)?;
        let middle = add(2, 0, false)?;
        assert_eq!(
            chain.call(0, core::ptr::null()),
            bindings::NOTIFY_DONE as i32
        );
        assert_eq!(chain.call(1, core::ptr::null()), bindings::NOTIFY_OK as i32);
        assert_eq!(heard.load(Relaxed), 321);
        drop(middle);
        heard.store(0, Relaxed);
        let _stop = add(4, 5, true)?;
        assert_eq!(
            chain.call(1, core::ptr::null()),
            bindings::NOTIFY_STOP as i32
        );
        assert_eq!(heard.load(Relaxed), 34);
        drop(low);
        Ok(())
    }
}
