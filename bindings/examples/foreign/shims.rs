// SPDX-License-Identifier: GPL-2.0
// The shims that the kernel crate would have, with their signatures in C. For bindings/foreign.
use kernel::ffi::*;
type F<T> = Option<unsafe extern "C" fn(*mut T)>;
unsafe extern "C" {
    pub fn init_srcu_struct(p: *mut srcu_struct) -> c_int;
    pub fn INIT_WORK(p: *mut work_struct, f: F<work_struct>);
    pub fn schedule_work(p: *mut work_struct) -> bool;
    pub fn work_pending(p: *mut work_struct) -> bool;
    pub fn INIT_DELAYED_WORK(p: *mut delayed_work, f: F<work_struct>);
    pub fn schedule_delayed_work(p: *mut delayed_work, d: c_ulong) -> bool;
    pub fn percpu_init_rwsem(p: *mut percpu_rw_semaphore) -> c_int;
    pub fn percpu_down_read(p: *mut percpu_rw_semaphore);
    pub fn percpu_up_read(p: *mut percpu_rw_semaphore);
    pub fn percpu_down_read_trylock(p: *mut percpu_rw_semaphore) -> bool;
    pub fn timer_setup(p: *mut timer_list, f: F<timer_list>, flags: c_uint);
    pub fn timer_pending(p: *const timer_list) -> c_int;
    pub fn init_waitqueue_head(p: *mut wait_queue_head);
    pub fn wake_up(p: *mut wait_queue_head);
    pub fn wake_up_all(p: *mut wait_queue_head);
    pub fn wq_has_sleeper(p: *mut wait_queue_head) -> bool;
    pub fn kref_init(p: *mut kref);
    pub fn kref_get(p: *mut kref);
    pub fn kref_put(p: *mut kref, f: F<kref>) -> c_int;
    pub fn kref_read(p: *const kref) -> c_uint;
    pub fn BLOCKING_INIT_NOTIFIER_HEAD(p: *mut blocking_notifier_head);
}
