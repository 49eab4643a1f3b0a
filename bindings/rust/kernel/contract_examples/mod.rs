// SPDX-License-Identifier: GPL-2.0

//! Bindings that `bindings/generator` writes for APIs that have nothing to do with HMM, and their tests.

pub mod completion;
pub mod delayed_work;
pub mod irq_work;
pub mod percpu_rwsem;
pub mod pid;
pub mod rwsem;
pub mod seqcount;
pub mod srcu;
pub mod timer;
pub mod wait;
pub mod work;

mod tests;
mod tests_foreign;
