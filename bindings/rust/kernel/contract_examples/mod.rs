// SPDX-License-Identifier: GPL-2.0

//! Bindings that `bindings/generator` writes for APIs that have nothing to do with HMM, and their tests.

pub mod irq_work;
pub mod pid;
pub mod rwsem;
pub mod seqcount;

mod tests;
