// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver in Rust: a device that shares a process's memory.
//!
//! It is the driver of `samples/c` again: the same files, the same functions, the same commands.
//! The compiler checks what the driver in C has to get right: each lock is released, no pfn
//! outlives its section, no reference leaks.
//!
//! Read it in this order:
//!
//! * `device.rs`: a unit is a device node; an open file is a mirror. Nothing in it is particular to
//!   shared memory.
//! * `fault.rs`: from the CPU's page table to the device's, and back. Every such driver has this
//!   part, and it is short.
//! * `memory.rs`: the device's own memory, and how data is copied there and back.
//! * `attributes.rs`: what programs advise about their memory.
//! * `table.rs`: what the device does when its page table loses entries.
//! * `compute_unit.rs`: the compute unit, in place of the hardware.
//! * `ioctl.rs`: the commands; `uapi.rs`: their numbers.
//! * `sim`: the parts of the hardware that are simulated.
//!
//! The driver has no lock of its own. The update lock is the mirror's and guards the table.
//! The compiler accepts only safe Rust in each file but those of `sim`, which stands for the
//! hardware and is not the driver.

#![deny(unsafe_code)]

mod attributes;
mod compute_unit;
mod device;
mod fault;
mod ioctl;
mod memory;
#[expect(unsafe_code, reason = "stands for the hardware")]
mod sim;
mod table;
mod uapi;

use kernel::prelude::*;

module! {
    type: device::Module,
    name: "hmm_dmirror_rust",
    authors: ["Tandem"],
    description: "Sample driver: a device that mirrors a process's memory",
    license: "GPL",
    params: {
        spm_addr_dev0: u64 {
            default: 0,
            description: "Physical address of 256 MiB of unused memory, for a third unit with coherent memory; only together with spm_addr_dev1",
        },
        spm_addr_dev1: u64 {
            default: 0,
            description: "Physical address of 256 MiB of unused memory, for a fourth unit with coherent memory; only together with spm_addr_dev0",
        },
    },
}
