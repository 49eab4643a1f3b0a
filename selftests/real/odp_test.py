# SPDX-License-Identifier: GPL-2.0
"""On-demand paging while the process changes its memory. Run in tree/real's guest."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import pyverbs.enums as e
from pyverbs.mr import MR
from pyverbs.pyverbs_error import PyverbsRDMAError

import device
from device import (HUGE, MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_PAGEOUT, MAP_ANONYMOUS, MAP_HUGETLB, MAP_PRIVATE,
                    MAP_SHARED, PAGE, PROT_READ, PROT_RW, Device, Failed, madvise, mmap, mprotect, munmap, peek, poke)

CGROUP = "/sys/fs/cgroup"


def stamp(number):
    """Eight bytes that no other page has."""
    return number.to_bytes(4, "little") * 2


def control(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(text))


class Churn(threading.Thread):
    """Calls a function again and again until the end of a with statement."""

    def __init__(self, function):
        super().__init__(daemon=True)
        self.function, self.going, self.rounds, self.error = function, True, 0, None

    def run(self):
        try:
            while self.going:
                self.function()
                self.rounds += 1
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.join()
        if self.error:
            raise self.error


class OnDemandPaging(unittest.TestCase):
    """Each test has memory of its own and the device of them all."""

    @classmethod
    def setUpClass(cls):
        cls.device = Device()

    def test_absent(self):
        """Pages that were never touched."""
        with self.device.region(16 * PAGE) as (mr, addr):
            self.assertEqual(self.device.read(mr, addr + 3 * PAGE), bytes(8))
            for i in range(16):
                self.device.write(mr, addr + i * PAGE, stamp(i))
            for i in range(16):
                self.assertEqual(peek(addr + i * PAGE), stamp(i))

    def test_rate(self):
        """How many transfers there are in a second with a fault for each, and without: not judged."""
        pages = 2048
        with self.device.region(pages * PAGE) as (mr, addr):
            rates = []
            for _ in "absent", "present":
                start = time.monotonic()
                for i in range(pages):
                    self.device.write(mr, addr + i * PAGE, stamp(i))
                rates.append(int(pages / (time.monotonic() - start)))
            print(f"# {rates[0]} writes a second with a fault, {rates[1]} without", file=sys.stderr)
            self.assertEqual(peek(addr + (pages - 1) * PAGE), stamp(pages - 1))

    def test_across_pages(self):
        """One transfer, many pages. rxe_odp.c has no offset in its copy, so it begins with a page."""
        with self.device.region(40 * PAGE) as (mr, addr):
            data = os.urandom(33 * PAGE)
            self.device.write(mr, addr + PAGE, data)
            self.assertEqual(peek(addr + PAGE, len(data)), data)
            madvise(addr, 40 * PAGE, MADV_PAGEOUT)
            self.assertEqual(self.device.read(mr, addr + PAGE, len(data)), data)

    def test_atomic(self):
        """Compare and swap on a page that is absent, and on one that is shared after fork."""
        with self.device.region(2 * PAGE) as (mr, addr):
            for page in (addr, addr + PAGE):
                self.atomic(mr, page, 7)
                self.assertEqual(int.from_bytes(peek(page), "little"), 7)

    def atomic(self, mr, addr, add):
        from pyverbs.wr import SGE, SendWR  # pylint: disable=import-outside-toplevel
        wr = SendWR(opcode=e.IBV_WR_ATOMIC_FETCH_AND_ADD, num_sge=1, send_flags=e.IBV_SEND_SIGNALED,
                    sg=[SGE(self.device.pinned, 8, self.device.pinned_mr.lkey)])
        wr.set_wr_atomic(mr.rkey, addr, add, 0)
        self.device.qp.post_send(wr)
        self.device.complete()

    def test_read_only(self):
        """mprotect() takes write access from the device, and gives it back."""
        with self.device.region(2 * PAGE) as (mr, addr):
            self.device.write(mr, addr, stamp(1))
            mprotect(addr, PAGE, PROT_READ)
            with self.assertRaises(Failed):
                self.device.write(mr, addr, stamp(2))
            self.assertEqual(peek(addr), stamp(1))
            self.assertEqual(self.device.read(mr, addr), stamp(1))
            self.device.write(mr, addr + PAGE, stamp(3))
            mprotect(addr, PAGE, PROT_RW)
            self.device.write(mr, addr, stamp(4))
            self.assertEqual(peek(addr), stamp(4))

    def test_fork(self):
        """The device writes to the parent's pages, also to those that the two shared."""
        with self.device.region(8 * PAGE) as (mr, addr):
            for i in range(8):
                self.device.write(mr, addr + i * PAGE, stamp(i))
            wait, go = os.pipe()
            child = os.fork()
            if not child:
                os.read(wait, 1)
                same = all(peek(addr + i * PAGE) == stamp(i) for i in range(8))
                os._exit(0 if same else 1)
            for i in range(8):
                self.device.write(mr, addr + i * PAGE, stamp(100 + i))
            os.write(go, b"!")
            self.assertEqual(os.waitpid(child, 0)[1], 0, "the child sees what the device wrote")
            for i in range(8):
                self.assertEqual(peek(addr + i * PAGE), stamp(100 + i))
            os.close(wait)
            os.close(go)

    def test_unmap(self):
        """Nothing is there after munmap(), and other memory after mmap() at the same address."""
        with self.device.region(4 * PAGE) as (mr, addr):
            self.device.write(mr, addr, stamp(1))
            munmap(addr, 4 * PAGE)
            with self.assertRaises(Failed):
                self.device.read(mr, addr)
            with self.assertRaises(Failed):
                self.device.write(mr, addr, stamp(2))
            mmap(4 * PAGE, at=addr)
            self.assertEqual(self.device.read(mr, addr), bytes(8))
            self.device.write(mr, addr, stamp(3))
            self.assertEqual(peek(addr), stamp(3))

    def test_dontneed(self):
        """MADV_DONTNEED gives new pages."""
        with self.device.region(64 * PAGE) as (mr, addr):
            for i in range(64):
                self.device.write(mr, addr + i * PAGE, stamp(i + 1))
            madvise(addr, 32 * PAGE, MADV_DONTNEED)
            for i in range(64):
                self.assertEqual(self.device.read(mr, addr + i * PAGE), stamp(i + 1) if i >= 32 else bytes(8))

    def test_huge_pages(self):
        """Transparent huge pages, split under the device's feet; and hugetlb pages."""
        with self.device.region(4 * HUGE) as (mr, addr):
            start = (addr + HUGE - 1) & ~(HUGE - 1)
            madvise(start, 2 * HUGE, MADV_HUGEPAGE)
            for i in range(0, 1024, 73):
                self.device.write(mr, start + i * PAGE, stamp(i + 1))
            mprotect(start + 73 * PAGE, PAGE, PROT_READ)
            madvise(start + HUGE + 100 * PAGE, PAGE, MADV_DONTNEED)
            for i in range(0, 1024, 73):
                self.assertEqual(self.device.read(mr, start + i * PAGE), stamp(i + 1))
            with self.assertRaises(Failed):
                self.device.write(mr, start + 73 * PAGE, stamp(0))
        control("/proc/sys/vm/nr_hugepages", 4)
        with self.device.region(2 * HUGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB) as (mr, addr):
            for i in range(0, 1024, 73):
                self.device.write(mr, addr + i * PAGE, stamp(i + 1))
                self.assertEqual(peek(addr + i * PAGE), stamp(i + 1))
        control("/proc/sys/vm/nr_hugepages", 0)

    def test_file(self):
        """Shared file memory, and its truncation."""
        fd = os.memfd_create("odp")
        os.ftruncate(fd, 8 * PAGE)
        with self.device.region(8 * PAGE, MAP_SHARED, fd) as (mr, addr):
            for i in range(8):
                self.device.write(mr, addr + i * PAGE, stamp(i + 1))
            self.assertEqual(os.pread(fd, 8, 5 * PAGE), stamp(6))
            os.ftruncate(fd, 4 * PAGE)
            with self.assertRaises(Failed):
                self.device.read(mr, addr + 5 * PAGE)
            os.ftruncate(fd, 8 * PAGE)
            self.assertEqual(self.device.read(mr, addr + 5 * PAGE), bytes(8))
            self.assertEqual(self.device.read(mr, addr + 3 * PAGE), stamp(4))
        os.close(fd)

    def test_churn(self):
        """Others of the process fork, protect, move and drop neighbours of the pages that the device uses."""
        pages = 256
        with self.device.region(pages * PAGE) as (mr, addr):
            def protect():
                mprotect(addr + 64 * PAGE, 32 * PAGE, PROT_READ)
                mprotect(addr + 64 * PAGE, 32 * PAGE, PROT_RW)

            def drop():
                madvise(addr + 128 * PAGE, 32 * PAGE, MADV_DONTNEED)
                # Not munmap() first: another thread's memory may come there.
                mmap(8 * PAGE, at=addr + 160 * PAGE)

            def pageout():
                madvise(addr, pages * PAGE, MADV_PAGEOUT)

            def fork():
                child = os.fork()
                if not child:
                    os._exit(0)
                os.waitpid(child, 0)

            with Churn(protect) as first, Churn(drop), Churn(pageout), Churn(fork) as last:
                end = time.monotonic() + 15
                written = 0
                while time.monotonic() < end:
                    page = written % 32
                    self.device.write(mr, addr + page * PAGE, stamp(written))
                    self.assertEqual(peek(addr + page * PAGE), stamp(written))
                    self.assertEqual(self.device.read(mr, addr + page * PAGE), stamp(written))
                    written += 1
                print(f"# {written} writes, {first.rounds} mprotect, {last.rounds} fork", file=sys.stderr)
            self.assertGreater(written, 10)
            self.assertGreater(first.rounds, 10)
            self.assertGreater(last.rounds, 1)

    def test_protect_race(self):
        """A page that is read-only half of the time is written, or the write fails: never a write to another page."""
        with self.device.region(2 * PAGE) as (mr, addr):
            def protect():
                mprotect(addr, PAGE, PROT_READ)
                time.sleep(0.002)
                mprotect(addr, PAGE, PROT_RW)
                time.sleep(0.002)

            results = {True: 0, False: 0}
            with Churn(protect):
                for i in range(1, 200):
                    before = peek(addr)
                    try:
                        self.device.write(mr, addr, stamp(i))
                        self.assertEqual(peek(addr), stamp(i))
                        results[True] += 1
                    except Failed:
                        self.assertIn(peek(addr), (before, stamp(i)))
                        results[False] += 1
            print(f"# {results[True]} written, {results[False]} refused", file=sys.stderr)

    def test_deregister(self):
        """Two threads end regions while a third invalidates them and new ones begin."""
        addr = mmap(512 * PAGE)
        regions = [self.device.register(addr + i % 32 * 16 * PAGE, 16 * PAGE) for i in range(200)]
        for mr in regions[::7]:
            self.device.write(mr, addr, stamp(1)) if mr is regions[0] else None
        with Churn(lambda: madvise(addr, 512 * PAGE, MADV_DONTNEED)) as churn:
            threads = [threading.Thread(target=lambda: [mr.close() for mr in part])
                       for part in (regions[::2], regions[1::2])]
            for thread in threads:
                thread.start()
            for _ in range(50):
                self.device.register(addr, 512 * PAGE).close()
            for thread in threads:
                thread.join()
            while not churn.rounds:
                time.sleep(0.01)
        munmap(addr, 512 * PAGE)

    def other_process(self, program):
        """Runs Python text in a process with a device of its own; returns how it ended."""
        text = "import device, os, signal, time\nfrom device import *\nhca = device.Device()\n" + program
        return subprocess.run([sys.executable, "-c", text], cwd=os.path.dirname(os.path.abspath(__file__)),
                              check=False).returncode

    def test_exit(self):
        """A process ends with regions: by itself, killed, and killed in the middle of its work."""
        fill = "a = mmap(4096 * PAGE)\nm = hca.register(a, 4096 * PAGE)\nhca.write(m, a, b'12345678')\n"
        self.assertEqual(self.other_process(fill + "os._exit(7)"), 7)
        self.assertEqual(self.other_process(fill + "os.kill(os.getpid(), signal.SIGKILL)"), -signal.SIGKILL)
        self.assertEqual(self.other_process(fill + """
import threading
threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
while True:
    madvise(a, 4096 * PAGE, MADV_DONTNEED)
    for i in range(0, 4096, 8):
        hca.write(m, a + i * PAGE, b'12345678')
"""), -signal.SIGKILL)
        # The child has the file, and its parent the memory.
        self.assertEqual(self.other_process(fill + """
if os.fork():
    os._exit(3)
time.sleep(1)
try:
    hca.read(m, a + 4095 * PAGE)
    print('not ok: memory of a process that is gone')
except Exception:
    pass
os._exit(0)
"""), 3)
        time.sleep(2)

    def limited(self, limit, swap):
        """A memory cgroup."""
        control(f"{CGROUP}/cgroup.subtree_control", "+memory")
        group = f"{CGROUP}/odp"
        os.makedirs(group, exist_ok=True)
        control(f"{group}/memory.max", limit)
        control(f"{group}/memory.swap.max", swap)
        return group

    def test_pressure(self):
        """Pages go to swap all the time: nothing is lost. By reclaim, as a fault of a work item that a cgroup's limit
        stops fails: with -ENOMEM, on either umem_odp."""
        group = self.limited(256 << 20, "max")
        status = self.other_process(f"""
open('{group}/cgroup.procs', 'w').write(str(os.getpid()))
n = 24576
def swap_out(i):
    if i % 500 == 0:
        try:
            open('{group}/memory.reclaim', 'wb', 0).write(b'64M')
        except OSError:
            pass        # less than that was found
a = mmap(n * PAGE)
m = hca.register(a, n * PAGE)
for i in range(0, n, 5):
    hca.write(m, a + i * PAGE, i.to_bytes(8, 'little'))
    swap_out(i)
for i in range(0, n, 5):
    assert peek(a + i * PAGE) == i.to_bytes(8, 'little'), i
for i in range(0, n, 50):
    swap_out(i)
    assert hca.read(m, a + i * PAGE) == i.to_bytes(8, 'little'), i
""")
        with open(f"{group}/memory.stat", encoding="ascii") as file:
            swapped = [int(line.split()[1]) for line in file if line.startswith("pswpin ")]
        self.assertEqual(status, 0)
        self.assertGreater(swapped[0], 0)
        os.rmdir(group)

    def test_out_of_memory(self):
        """The process is killed for its memory: it is reaped with invalidations that must not sleep."""
        group = self.limited(32 << 20, 0)
        status = self.other_process(f"""
open('{group}/cgroup.procs', 'w').write(str(os.getpid()))
a = mmap(65536 * PAGE)
m = hca.register(a, 65536 * PAGE)
for i in range(65536):
    if i % 64 == 0:
        hca.write(m, a + i * PAGE, b'12345678')
    poke(a + i * PAGE, b'12345678')
""")
        self.assertEqual(status, -signal.SIGKILL)
        time.sleep(1)
        os.rmdir(group)

    def test_lazily_freed(self):
        """What the device writes after MADV_FREE is not dropped under pressure."""
        pages = 2048
        with self.device.region(pages * PAGE) as (mr, addr):
            for i in range(pages):
                poke(addr + i * PAGE, stamp(i + 1))
            madvise(addr, pages * PAGE, MADV_FREE)
            for i in range(0, pages, 64):
                self.device.write(mr, addr + i * PAGE, stamp(i + 7))
            madvise(addr, pages * PAGE, MADV_PAGEOUT)
            lost = [i for i in range(0, pages, 64) if peek(addr + i * PAGE) != stamp(i + 7)]
            dropped = sum(peek(addr + i * PAGE) == bytes(8) for i in range(1, pages, 64))
            print(f"# {len(lost)} of {pages // 64} writes lost, {dropped} other pages dropped", file=sys.stderr)
            self.assertFalse(lost)


if __name__ == "__main__":
    unittest.main(verbosity=2)
