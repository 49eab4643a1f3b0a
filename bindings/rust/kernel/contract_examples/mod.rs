// SPDX-License-Identifier: GPL-2.0

//! Bindings that `bindings/generator` writes for APIs that have nothing to do with HMM, and their tests.

#[cfg(CONFIG_COMMON_CLK)]
pub mod clk;
pub mod completion;
pub mod delayed_work;
#[cfg(CONFIG_HAS_DMA)]
pub mod dma_pool;
#[cfg(CONFIG_FW_LOADER = "y")]
#[allow(clippy::unnecessary_cast)]
pub mod firmware;
pub mod irq_work;
pub mod kref;
pub mod notifier;
pub mod percpu_rwsem;
pub mod pid;
pub mod rwsem;
pub mod seqcount;
pub mod srcu;
pub mod timer;
pub mod wait;
pub mod work;

mod tests;
#[cfg(all(CONFIG_COMMON_CLK, CONFIG_HAS_DMA, CONFIG_FW_LOADER = "y"))]
mod tests_devices;
mod tests_foreign;
#[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
mod tests_sleeping;
