// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver: what stands for the hardware.
//!
//! A real device has page tables that it walks by itself, memory on its board, and a bus that a
//! registration is tied to. Here these are simulated, and only here is `unsafe` code: each block
//! does what the hardware of a real device would do, or what a subsystem would do for its driver.
//! The driver's own files forbid it.
//!
//! * `board.rs`: the devices that the kernel knows, and the bus between them.
//! * `ram.rs`: the memory on the board, and where it is.
//! * `table.rs`: the page table that the device walks.
//! * `misc.rs`: misc devices whose open files hold the driver's module.
//! * `node.rs`: device nodes with a device behind them.

pub(crate) mod board;
pub(crate) mod misc;
pub(crate) mod node;
pub(crate) mod ram;
pub(crate) mod table;
