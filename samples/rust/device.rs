// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver: units and open files.

#![forbid(unsafe_code)]

use crate::{
    fault::DmWindow,
    memory::{
        DmChunks,
        DmMemory,
        DM_COHERENT_CHUNK, //
    },
    module_parameters,
    sim::{
        board::{
            Board,
            Bus, //
        },
        node::{
            Node,
            NodeOperations,
            OpenFile, //
        },
        ram::Reserved, //
    },
    table::{
        DmTable,
        DmTlb, //
    }, //
};
use core::{
    borrow::Borrow,
    ffi::c_void, //
};
use kernel::{
    hmm::{
        attributes::Attributes,
        cond_resched_killable,
        devmem::DeviceMemory,
        Mirror,
        MirrorRange,
        Span, //
    },
    io::PhysAddr,
    mm::{
        virt::VmaNew,
        Mm, //
    },
    page::{
        Page,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        atomic::Atomic,
        Arc,
        SetOnce, //
    }, //
};

/// How many units there may be.
const DM_MAX_UNITS: usize = 4;
/// Their nodes; the names are those of the kernel's test driver.
const DM_NAMES: [&CStr; DM_MAX_UNITS] = [
    c"hmm_dmirror0",
    c"hmm_dmirror1",
    c"hmm_dmirror2",
    c"hmm_dmirror3",
];
/// How many of them have private memory.
const DM_PRIVATE_UNITS: usize = 2;

/// One device.
#[pin_data]
pub(crate) struct DmUnit {
    /// Its memory.
    #[pin]
    pub(crate) memory: DeviceMemory<DmMemory>,
    /// Its number, which names it as a location of memory.
    pub(crate) nr: i32,
    /// How many units there are.
    pub(crate) units: i32,
    /// The device that messages name, and that has addresses of the memory of other units.
    pub(crate) board: Board,
}

impl DmUnit {
    fn new(nr: usize, units: usize, base: PhysAddr, chunks: Arc<DmChunks>) -> Result<Arc<Self>> {
        let board = Board::new(DM_NAMES[nr], chunks.bus.clone())?;
        let reserved = match base {
            0 => None,
            _ => Some(Reserved::new(DM_NAMES[nr], base, DM_COHERENT_CHUNK)?),
        };
        let unit = Arc::pin_init(
            try_pin_init!(Self {
                memory <- DmMemory::init(reserved, chunks),
                nr: nr as i32,
                units: units as i32,
                board,
            }),
            GFP_KERNEL,
        )?;

        unit.memory.set_device(unit.board.device())?;
        unit.memory.account(unit.memory.data().capacity())?;
        Ok(unit)
    }

    /// The owner that the kernel records for the pages of this memory.
    pub(crate) fn owner(&self) -> *const c_void {
        self.memory.as_raw().cast_const().cast()
    }
}

/// An open file: one process as one unit sees it.
#[pin_data]
pub(crate) struct DmMirror {
    /// The addresses that are mirrored: all of them.
    #[pin]
    everything: MirrorRange<DmTable>,
    /// The addresses at which the unit accesses the memory of other units, once it does.
    pub(crate) window: SetOnce<DmWindow>,
    /// The mirror, whose data is the device's page table.
    pub(crate) mirror: Arc<Mirror<DmTable>>,
    /// What the process has advised about its memory.
    pub(crate) attributes: Arc<Attributes>,
    /// The process.
    pub(crate) mm: ARef<Mm>,
    /// The device.
    pub(crate) unit: Arc<DmUnit>,
    /// The first large folio of the next migration fails.
    pub(crate) fail_alloc: Atomic<bool>,
}

impl OpenFile for DmMirror {
    type Device = DmUnit;

    fn open(unit: &Arc<DmUnit>) -> Result<Pin<KBox<Self>>> {
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let attributes = Arc::pin_init(Attributes::new(), GFP_KERNEL)?;
        let tlb = DmTlb {
            attributes: attributes.clone(),
        };
        let mirror = Arc::pin_init(Mirror::new(mm, unit.owner(), DmTable::new(tlb)), GFP_KERNEL)?;
        KBox::try_pin_init(
            try_pin_init!(Self {
                everything <- MirrorRange::new(mirror.clone(), Span::ALL),
                window: SetOnce::new(),
                mirror,
                attributes,
                mm: (&**mm).into(),
                unit: unit.clone(),
                fail_alloc: Atomic::new(false),
            }),
            GFP_KERNEL,
        )
    }

    fn ioctl(&self, cmd: u32, arg: usize) -> Result<isize> {
        self.dm_ioctl(cmd, arg)
    }

    /// Maps new zeroed pages, all of them present from the start. The device can access them like
    /// any other memory of the process.
    fn mmap(&self, vma: &VmaNew) -> Result {
        let vma = vma.set_mixedmap();
        for addr in (vma.start()..vma.end()).step_by(PAGE_SIZE) {
            // A program chooses the length, and a task that is killed for memory has to end.
            cond_resched_killable()?;
            let page = Page::alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO)?;
            vma.vm_insert_page(addr, &page)?;
        }
        Ok(())
    }
}

/// The operations of open files.
static DM_OPERATIONS: NodeOperations<DmMirror> = NodeOperations::new();

/// The value of a parameter, which is at hand as a value or as a reference.
fn param(value: impl Borrow<u64>) -> u64 {
    *value.borrow()
}

/// The driver, with its units.
pub(crate) struct Module {
    _nodes: KVec<Node<DmMirror>>,
}

impl kernel::Module for Module {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let bases = [
            0,
            0,
            param(module_parameters::spm_addr_dev0.value()),
            param(module_parameters::spm_addr_dev1.value()),
        ];
        let coherent = bases[DM_PRIVATE_UNITS] != 0 && bases[DM_MAX_UNITS - 1] != 0;
        let units = if coherent {
            DM_MAX_UNITS
        } else {
            DM_PRIVATE_UNITS
        };
        let mut made = KVec::with_capacity(units, GFP_KERNEL)?;
        let mut nodes = KVec::with_capacity(units, GFP_KERNEL)?;
        let bus = Arc::new(Bus::new(c"hmm_dmirror_bus")?, GFP_KERNEL)?;
        let chunks = DmChunks::new(bus)?;

        for (nr, base) in bases.into_iter().enumerate().take(units) {
            made.push(DmUnit::new(nr, units, base, chunks.clone())?, GFP_KERNEL)?;
        }
        // A node can be opened as soon as it exists, so nothing that can fail for other reasons comes
        // after the first one.
        for (unit, name) in made.into_iter().zip(DM_NAMES) {
            nodes.push(Node::new(name, unit, module, &DM_OPERATIONS)?, GFP_KERNEL)?;
        }
        Ok(Self { _nodes: nodes })
    }
}
