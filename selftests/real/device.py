# SPDX-License-Identifier: GPL-2.0
"""A queue pair connected to itself on a soft-RoCE device, and memory of this process to give to it."""

import contextlib
import ctypes
import os

import pyverbs.enums as e
from pyverbs.addr import AHAttr, GlobalRoute
from pyverbs.cq import CQ
from pyverbs.device import Context
from pyverbs.mr import MR
from pyverbs.pd import PD
from pyverbs.qp import QP, QPAttr, QPCap, QPInitAttr
from pyverbs.wr import SGE, SendWR

PAGE = os.sysconf("SC_PAGESIZE")
HUGE = 2 << 20
GID_INDEX = 1		# the IPv4 address
ACCESS = (e.IBV_ACCESS_LOCAL_WRITE | e.IBV_ACCESS_REMOTE_WRITE | e.IBV_ACCESS_REMOTE_READ
          | e.IBV_ACCESS_REMOTE_ATOMIC)
ON_DEMAND = ACCESS | e.IBV_ACCESS_ON_DEMAND

PROT_NONE, PROT_READ, PROT_RW = 0, 1, 3
MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MAP_HUGETLB = 1, 2, 0x10, 0x20, 0x40000
MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_PAGEOUT = 4, 8, 14, 21

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
for name in ("munmap", "mprotect", "madvise"):
    getattr(libc, name).argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * (name != "munmap")


def check(result):
    """Raise OSError if a call of libc's has failed."""
    if result in (-1, ctypes.c_void_p(-1).value):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def mmap(size, flags=MAP_PRIVATE | MAP_ANONYMOUS, at=None, fd=-1):
    """Map memory; returns its address. With at, there."""
    return check(libc.mmap(at, size, PROT_RW, flags | (MAP_FIXED if at else 0), fd, 0))


def munmap(addr, size):
    check(libc.munmap(addr, size))


def mprotect(addr, size, prot):
    check(libc.mprotect(addr, size, prot))


def madvise(addr, size, advice):
    check(libc.madvise(addr, size, advice))


def peek(addr, size=8):
    return ctypes.string_at(addr, size)


def poke(addr, data):
    ctypes.memmove(addr, data, len(data))


class Failed(Exception):
    """The device could not do the work; the status is that of the completion."""


class Device:
    """A protection domain and a queue pair; RDMA goes from pinned memory to on-demand memory and back."""

    def __init__(self, name="rxe0", room=64 * PAGE):
        self.context = Context(name=name)
        self.pd = PD(self.context)
        self.cq = CQ(self.context, 64)
        self.pinned = mmap(room)
        self.pinned_mr = MR(self.pd, room, ACCESS, address=self.pinned)
        self.qp = None
        self.connect()

    def connect(self):
        """Make a queue pair; also after an error, which ends one."""
        if self.qp:
            self.qp.close()
        init = QPInitAttr(qp_type=e.IBV_QPT_RC, scq=self.cq, rcq=self.cq, cap=QPCap(max_send_wr=16, max_recv_wr=1))
        attr = QPAttr(port_num=1)
        attr.qp_access_flags = ACCESS
        self.qp = QP(self.pd, init, attr)
        attr.path_mtu = e.IBV_MTU_4096
        attr.max_dest_rd_atomic = attr.max_rd_atomic = 1
        attr.min_rnr_timer, attr.timeout, attr.retry_cnt, attr.rnr_retry = 12, 18, 7, 7
        attr.dest_qp_num, attr.rq_psn, attr.sq_psn = self.qp.qp_num, 0, 0
        route = GlobalRoute(dgid=self.context.query_gid(1, GID_INDEX), sgid_index=GID_INDEX)
        attr.ah_attr = AHAttr(port_num=1, is_global=1, gr=route)
        self.qp.to_rts(attr)

    def register(self, addr, size, access=ON_DEMAND):
        """An on-demand region."""
        return MR(self.pd, size, access, address=addr)

    def work(self, opcode, mr, addr, size):
        """Have the device work on memory at addr of mr, with pinned memory as the other side."""
        wr = SendWR(opcode=opcode, num_sge=1, sg=[SGE(self.pinned, size, self.pinned_mr.lkey)],
                    send_flags=e.IBV_SEND_SIGNALED)
        wr.set_wr_rdma(mr.rkey, addr)
        self.qp.post_send(wr)
        self.complete()

    def complete(self):
        number, completions = 0, []
        while not number:
            number, completions = self.cq.poll(1)
        if completions[0].status != e.IBV_WC_SUCCESS:
            self.connect()
            raise Failed(completions[0].status)

    def write(self, mr, addr, data):
        """The device writes data to addr."""
        poke(self.pinned, data)
        self.work(e.IBV_WR_RDMA_WRITE, mr, addr, len(data))

    def read(self, mr, addr, size=8):
        """What the device reads at addr."""
        self.work(e.IBV_WR_RDMA_READ, mr, addr, size)
        return peek(self.pinned, size)

    def advise(self, advice, mr, spans):
        """Prefetch; returns when it is done."""
        self.pd.advise_mr(advice, e._IBV_ADVISE_MR_FLAG_FLUSH, [SGE(addr, size, mr.lkey) for addr, size in spans])

    @contextlib.contextmanager
    def region(self, size, flags=MAP_PRIVATE | MAP_ANONYMOUS, fd=-1):
        """New memory and an on-demand region for it."""
        addr = mmap(size, flags, fd=fd)
        mr = self.register(addr, size)
        try:
            yield mr, addr
        finally:
            mr.close()
            libc.munmap(addr, size)
