# SPDX-License-Identifier: GPL-2.0
"""On-demand paging of pages that are in a sample unit's memory: the device accesses them there. Run in tree/real's guest.

With the kernel's umem_odp.c (CORE=kernel) they migrate to system memory, and all else is the same."""

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import sys
import time
import unittest

import pyverbs.enums as e
from pyverbs.wr import SGE, RecvWR, SendWR

from device import (HUGE, MADV_DONTNEED, MADV_HUGEPAGE, PAGE, PROT_READ, PROT_RW, Device, Failed, madvise, mmap, mprotect,
                    munmap, peek, poke)
from odp_test import Churn, stamp

STAYS = os.environ.get("CORE") != "kernel"
PAGES = 16		# that a CPU's access of one of them brings to system memory

# Of samples/hmm/uapi/hmm_dmirror.h.
MIGRATE_TO_DEV, MIGRATE_TO_SYS, SNAPSHOT, RELEASE, REFUSE_PEERS = 2, 3, 4, 7, 0x48
DEV_PRIVATE_LOCAL, MEMORY_MASK = 0x20, 0x70
COMMAND = "QQQQQ"


class Unit:
    """A sample unit, which has memory of its own."""

    def __init__(self, number=0):
        self.file = os.open(f"/dev/hmm_dmirror{number}", os.O_RDWR)
        self.buffer = mmap(HUGE)

    def close(self):
        os.close(self.file)
        munmap(self.buffer, HUGE)

    def command(self, number, addr=0, pages=1, ptr=None):
        """Run a command; returns the number of pages that it has handled."""
        arg = struct.pack(COMMAND, addr, self.buffer if ptr is None else ptr, pages, 0, 0)
        request = 3 << 30 | len(arg) << 16 | ord("H") << 8 | number
        return struct.unpack(COMMAND, fcntl.ioctl(self.file, request, arg))[3]

    def take(self, addr, pages):
        """Migrate pages to the unit's memory."""
        return self.command(MIGRATE_TO_DEV, addr, pages)

    def take_some(self, addr, pages):
        """The same, of pages that may be on the way elsewhere."""
        try:
            self.take(addr, pages)
        except FileNotFoundError:
            pass

    def has(self, addr, pages):
        """How many pages are in the unit's memory."""
        self.command(SNAPSHOT, addr, pages)
        return sum(byte & MEMORY_MASK == DEV_PRIVATE_LOCAL for byte in peek(self.buffer, pages))

    def given(self, refuse=False):
        """How many pages of the unit others can access where they are; from here on it gives them more, or not."""
        return self.command(REFUSE_PEERS, ptr=int(refuse))

    def given_back(self):
        """Whether others cannot access any page: the end of a process may take a moment."""
        for _ in range(1000):
            if not self.given():
                return True
            time.sleep(0.01)
        return False


class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.device = Device()

    def setUp(self):
        self.unit = Unit()

    def tearDown(self):
        self.unit.given(False)
        self.unit.close()

    def fill(self, addr, pages=PAGES, base=1):
        """Numbers that all differ, in the unit's memory."""
        for i in range(pages):
            poke(addr + i * PAGE, stamp(base + i))
        self.assertEqual(self.unit.take(addr, pages), pages)
        self.assertEqual(self.unit.has(addr, pages), pages)

    def check(self, mr, addr, pages=PAGES, base=1):
        """The device reads these numbers."""
        for i in range(pages):
            self.assertEqual(self.device.read(mr, addr + i * PAGE), stamp(base + i))

    def stayed(self, addr, pages=PAGES):
        """The device has accessed all pages: where they were."""
        self.assertEqual(self.unit.has(addr, pages), pages if STAYS else 0)
        self.assertEqual(self.unit.given(), pages if STAYS else 0)

    def left(self, addr, pages=PAGES):
        """No page is in the unit's memory, and nothing can access one there."""
        self.assertEqual(self.unit.has(addr, pages), 0)
        self.assertEqual(self.unit.given(), 0)

    def test_read(self):
        """RDMA READ of single pages and of all of them; then the CPU reads them, and the device again."""
        with self.device.region(PAGES * PAGE) as (mr, addr):
            for base in (1, 1001):
                self.fill(addr, base=base)
                self.check(mr, addr, base=base)
                data = self.device.read(mr, addr, PAGES * PAGE)
                for i in range(PAGES):
                    self.assertEqual(data[i * PAGE:i * PAGE + 8], stamp(base + i))
                    self.assertFalse(any(data[i * PAGE + 8:(i + 1) * PAGE]))
                self.stayed(addr)
                for i in range(PAGES):
                    self.assertEqual(peek(addr + i * PAGE), stamp(base + i))
                self.left(addr)
                self.check(mr, addr, base=base)

    def test_write(self):
        """RDMA WRITE, of which the CPU sees what was written, and the unit, too."""
        with self.device.region(PAGES * PAGE) as (mr, addr):
            self.fill(addr)
            for i in range(PAGES):
                self.device.write(mr, addr + i * PAGE, stamp(100 + i))
            self.stayed(addr)
            self.assertEqual(self.device.read(mr, addr + 3 * PAGE), stamp(103))
            for i in range(PAGES):
                self.assertEqual(peek(addr + i * PAGE), stamp(100 + i))
            self.left(addr)

    def test_send(self):
        """SEND of pages that are in the unit's memory, and receive into such pages."""
        qp = self.device.qp
        size = PAGES // 2 * PAGE
        with self.device.region(PAGES * PAGE) as (mr, addr):
            self.fill(addr)
            second = addr + size
            qp.post_recv(RecvWR(num_sge=1, sg=[SGE(second, size, mr.lkey)]))
            qp.post_send(SendWR(opcode=e.IBV_WR_SEND, num_sge=1, sg=[SGE(addr, size, mr.lkey)],
                                send_flags=e.IBV_SEND_SIGNALED))
            self.device.complete()
            self.device.complete()
            self.stayed(addr)
            for i in range(PAGES):
                self.assertEqual(peek(addr + i * PAGE), stamp(1 + i % (PAGES // 2)))
            self.left(addr)

    def test_atomic(self):
        """An atomic operation needs the page in system memory."""
        with self.device.region(PAGES * PAGE) as (mr, addr):
            self.fill(addr)
            self.check(mr, addr)
            self.stayed(addr)
            wr = SendWR(opcode=e.IBV_WR_ATOMIC_FETCH_AND_ADD, num_sge=1, send_flags=e.IBV_SEND_SIGNALED,
                        sg=[SGE(self.device.pinned, 8, self.device.pinned_mr.lkey)])
            wr.set_wr_atomic(mr.rkey, addr, 7, 0)
            self.device.qp.post_send(wr)
            self.device.complete()
            self.assertEqual(self.unit.has(addr, 1), 0)
            self.assertEqual(int.from_bytes(peek(addr), "little"), int.from_bytes(stamp(1), "little") + 7)
            self.check(mr, addr + PAGE, PAGES - 1, 2)

    def test_refused(self):
        """The unit's driver gives no access: the pages migrate to system memory. What was given before, stays."""
        with self.device.region(3 * PAGES * PAGE) as (mr, region):
            # A fault migrates an aligned group of pages.
            addr = (region + PAGES * PAGE - 1) & ~(PAGES * PAGE - 1)
            self.fill(addr, 2 * PAGES)
            self.check(mr, addr)
            self.unit.given(True)
            self.check(mr, addr, 2 * PAGES)
            self.assertEqual(self.unit.has(addr, 2 * PAGES), PAGES if STAYS else 0)
            self.assertEqual(self.unit.given(), PAGES if STAYS else 0)
            self.fill(addr, 2 * PAGES)
            self.check(mr, addr, 2 * PAGES)
            self.stayed(addr, 2 * PAGES)

    def test_mapping_changes(self):
        """mprotect(), MADV_DONTNEED and munmap() of pages that the device accesses in the unit's memory."""
        with self.device.region(PAGES * PAGE) as (mr, addr):
            self.fill(addr)
            self.device.write(mr, addr, stamp(1))
            self.check(mr, addr)
            mprotect(addr, PAGE, PROT_READ)
            with self.assertRaises(Failed):
                self.device.write(mr, addr, stamp(2))
            self.check(mr, addr)
            mprotect(addr, PAGE, PROT_RW)
            self.device.write(mr, addr, stamp(1))
            self.check(mr, addr)
            madvise(addr + 4 * PAGE, PAGE, MADV_DONTNEED)
            self.assertEqual(self.device.read(mr, addr + 4 * PAGE), bytes(8))
            munmap(addr + 5 * PAGE, PAGE)
            with self.assertRaises(Failed):
                self.device.read(mr, addr + 5 * PAGE)
            munmap(addr, PAGES * PAGE)
            self.assertEqual(self.unit.given(), 0)

    def test_fork(self):
        """Parent and child share the pages; the device writes to the parent's."""
        with self.device.region(PAGES * PAGE) as (mr, addr):
            self.fill(addr)
            self.check(mr, addr)
            wait, go = os.pipe()
            child = os.fork()
            if not child:
                os.read(wait, 1)
                os._exit(0 if all(peek(addr + i * PAGE) == stamp(1 + i) for i in range(PAGES)) else 1)
            self.check(mr, addr)
            for i in range(PAGES):
                self.device.write(mr, addr + i * PAGE, stamp(100 + i))
            os.write(go, b"!")
            self.assertEqual(os.waitpid(child, 0)[1], 0, "the child sees what the device wrote")
            for i in range(PAGES):
                self.assertEqual(peek(addr + i * PAGE), stamp(100 + i))
            self.assertTrue(self.unit.given_back())
            os.close(wait)
            os.close(go)

    def test_huge(self):
        """A huge page in the unit's memory."""
        with self.device.region(2 * HUGE) as (mr, region):
            addr = (region + HUGE - 1) & ~(HUGE - 1)
            madvise(addr, HUGE, MADV_HUGEPAGE)
            self.fill(addr, HUGE // PAGE)
            for i in range(0, HUGE // PAGE, 61):
                self.assertEqual(self.device.read(mr, addr + i * PAGE), stamp(1 + i))
            self.assertEqual(self.unit.has(addr, HUGE // PAGE), HUGE // PAGE if STAYS else 0)
            for i in range(HUGE // PAGE):
                self.assertEqual(peek(addr + i * PAGE), stamp(1 + i))
            self.left(addr, HUGE // PAGE)

    def test_memory_ends(self):
        """The unit's memory is removed, and then its driver, while the device has regions with such pages."""
        with self.device.region(PAGES * PAGE) as (mr, addr):
            self.fill(addr)
            self.check(mr, addr)
            self.stayed(addr)
            self.unit.command(RELEASE)
            self.left(addr)
            self.check(mr, addr)
            self.fill(addr, base=50)
            self.check(mr, addr, base=50)
            self.stayed(addr)
            self.unit.close()
            subprocess.run(["rmmod", "hmm_dmirror"], check=True)
            self.check(mr, addr, base=50)
            for i in range(PAGES):
                self.assertEqual(peek(addr + i * PAGE), stamp(50 + i))
            subprocess.run(["insmod", "/modules/hmm_dmirror.ko"], check=True)
            self.unit = Unit()
            self.fill(addr, base=70)
            self.check(mr, addr, base=70)
            self.stayed(addr)

    def test_exit(self):
        """A process ends with regions, by itself or killed in the middle of its work."""
        program = """
import os, sys
from peers_test import *
test = Peers()
Peers.setUpClass()
test.setUp()
a = mmap(PAGES * PAGE)
m = test.device.register(a, PAGES * PAGE)
test.fill(a)
test.check(m, a)
"""
        for end, status in (("os._exit(7)", 7), ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL), ("""
import threading
threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
while True:
    test.unit.take_some(a, PAGES)
    test.check(m, a)
""", -signal.SIGKILL)):
            result = subprocess.run([sys.executable, "-c", program + end], check=False,
                                    cwd=os.path.dirname(os.path.abspath(__file__)))
            self.assertEqual(result.returncode, status)
            self.assertTrue(self.unit.given_back())

    def race(self, *changes):
        """The device writes and reads pages while others change where they are; returns how often they were given."""
        given = writes = 0
        with self.device.region(PAGES * PAGE) as (mr, addr):
            self.fill(addr)
            with contextlib.ExitStack() as stack:
                churns = [stack.enter_context(Churn(lambda change=change: change(addr))) for change in changes]
                end = time.monotonic() + 10
                while time.monotonic() < end:
                    page = addr + writes % PAGES * PAGE
                    self.device.write(mr, page, stamp(writes))
                    self.assertEqual(self.device.read(mr, page), stamp(writes))
                    given += self.unit.given()
                    if writes % 5 == 0:
                        self.assertEqual(peek(page), stamp(writes))
                    writes += 1
            print(f"# {writes} writes, {[churn.rounds for churn in churns]} changes, {given} pages given", file=sys.stderr)
            for i in range(max(0, writes - PAGES), writes):
                self.assertEqual(peek(addr + i % PAGES * PAGE), stamp(i))
        self.assertGreater(writes, 20)
        self.assertTrue(self.unit.given_back())
        self.assertGreater(given, 0) if STAYS else self.assertEqual(given, 0)

    def test_race(self):
        """Pages migrate back and forth."""
        other = Unit()
        self.race(lambda addr: other.take_some(addr, PAGES),
                  lambda addr: (time.sleep(0.003), other.command(MIGRATE_TO_SYS, addr, PAGES)))
        other.close()

    def test_race_of_the_end(self):
        """The unit's memory is removed and added again."""
        other = Unit()
        self.race(lambda addr: other.take_some(addr, PAGES),
                  lambda addr: (time.sleep(0.01), self.unit.command(RELEASE)))
        other.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
