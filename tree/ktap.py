#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""ktap.py [KNOWN]: merge the output of many test programs into one KTAP stream and count its results.

The input is the output of the programs, each between two marker lines of the runner:

    @@begin NAME              a program starts
    @@kernel TEXT             a line of the kernel's log, if it has a splat
    @@died TEXT               the program did not end
    @@skip TEXT               the program was not run, with the reason
    @@end STATUS SECONDS      it ended with this exit status

A result with subtests is their sum and is not counted; all others are. Besides the results that a program reports,
these count as failures: a splat in the kernel's log, fewer tests than planned, an exit status without a reported
failure, and a program that dies.

KNOWN is a file of failures that are not caused by us: lines of NAME, a tab, the test or '@' and a part of the splat, a
tab, the reason. They are shown as skipped, with the reason.
"""

import os
import re
import sys

RESULT = re.compile(r"^(\s*)(ok|not ok)\b\s*(\d+)?\s*-?\s*(.*)$")
PLAN = re.compile(r"^(\s*)1\.\.(\d+)")
SKIP = re.compile(r"#\s*(SKIP|XFAIL)\b\s*(.*)", re.I)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "splats"), encoding="utf-8") as splats:
    SPLAT = re.compile("|".join(line.rstrip("\n") for line in splats if not line.startswith("#")))


class Block:
    """One program: its results so far, by depth."""

    def __init__(self, name):
        self.name = name
        self.leaves = []          # (verdict, text)
        self.below = {}           # indent -> whether deeper results came since its last result
        self.failed_below = {}
        self.plans = {}           # indent -> [planned, seen]
        self.seen = {}            # indent -> number of results; a plan may follow them
        self.kernel = []
        self.died = self.skipped = None


class Merger:
    def __init__(self, known):
        self.known = known
        self.blocks = self.passed = self.failed = self.skipped = 0
        self.block = None

    def write(self, text):
        print(text, flush=True)

    def reason(self, test):
        for name, what, why in self.known:
            if re.fullmatch(name, self.block.name) and (what == test or what[:1] == "@" and test[:1] == "@"
                                                        and what[1:] in test):
                return why
        return None

    def leaf(self, verdict):
        setattr(self, verdict, getattr(self, verdict) + 1)
        self.block.leaves.append(verdict)

    def line(self, text):
        block = self.block
        plan = PLAN.match(text)
        if plan:
            indent = len(plan[1])
            block.plans[indent] = [int(plan[2]), 0 if indent in block.plans else block.seen.get(indent, 0)]
        result = RESULT.match(text)
        if not result:
            self.write("  " + text)
            return
        indent, good, rest = len(result[1]), result[2] == "ok", result[4]
        block.seen[indent] = block.seen.get(indent, 0) + 1
        if indent in block.plans:
            block.plans[indent][1] += 1
        deeper = [i for i in block.below if i > indent]
        is_sum = bool(deeper)
        explained = any(block.failed_below[i] for i in deeper)
        for i in deeper:
            del block.below[i], block.failed_below[i]
        for i in [i for i in block.seen if i > indent]:
            del block.seen[i]
        for i in [i for i in block.plans if i > indent]:
            planned, seen = block.plans.pop(i)
            if seen < planned:
                good, explained = False, False
        name = rest.split("#")[0].strip()
        if SKIP.search(text):
            verdict = "skipped"
        elif good:
            verdict = "passed"
        else:
            verdict = "failed"
            why = self.reason(name)
            if why:
                verdict = "skipped"
                text = "%sok %s %s # SKIP known: %s" % (result[1], result[3] or "", name, why)
        block.below[indent] = True
        block.failed_below[indent] = block.failed_below.get(indent, False) or verdict == "failed" or explained
        if not is_sum or (verdict == "failed" and not explained):
            self.leaf(verdict)
        self.write("  " + text)

    def extra(self, text, verdict="failed"):
        self.write("  %s - %s" % ("not ok" if verdict == "failed" else "ok", text))
        self.leaf(verdict)

    def splats(self):
        """The kernel's splats: the first line of each, and the reason if one of its lines, to the end of its stack, is
        in the list of known failures."""
        found, inside = [], False
        for line in self.block.kernel:
            if SPLAT.search(line):
                found.append([line, None])
                inside = True
            if inside:
                found[-1][1] = found[-1][1] or self.reason("@" + line)
                inside = "</TASK>" not in line
        return found

    def judge_kernel(self):
        if not self.block.kernel:
            return
        splats = self.splats()
        unknown = [head for head, why in splats if not why]
        if splats and not unknown:
            for head, _ in splats:
                self.write("  # kernel: " + head)
            self.extra("kernel log # SKIP known: " + splats[0][1], "skipped")
        else:
            for line in self.block.kernel:
                self.write("  # kernel: " + line)
            self.extra("kernel log: " + (unknown or self.block.kernel)[0])

    def end(self, status, seconds=None):
        block = self.block
        if block.skipped is None:
            self.judge_kernel()
            for planned, seen in block.plans.values():
                if seen < planned and not block.died:
                    self.extra("planned %d tests, %d ran" % (planned, seen))
            if block.died:
                self.extra("died: " + block.died)
            elif status == 4 and not block.leaves:
                block.skipped = "by the program's exit status"
            elif status in (124, 137, 143):
                self.extra("stopped: timeout")
            elif status > 128:
                self.extra("killed by signal %d" % (status - 128))
            elif status and "failed" not in block.leaves and "skipped" not in block.leaves:
                self.extra("exit status %d" % status)
        self.blocks += 1
        good = "failed" not in block.leaves
        tail = ""
        if block.skipped is not None:
            tail = " # SKIP " + block.skipped
            self.skipped += 1
        elif not block.leaves:
            self.passed += 1
        elif seconds:
            tail = " # %d passed, %d failed, %d skipped in %s s" % (
                *(block.leaves.count(v) for v in ("passed", "failed", "skipped")), seconds)
        self.write("%s %d %s%s" % ("ok" if good else "not ok", self.blocks, block.name.replace("#", ""), tail))
        self.block = None

    def feed(self, text):
        marker = re.match(r"@@(\w+) ?(.*)", text)
        if not marker:
            if text.strip() and self.block:
                self.line(text)
            elif text.strip():
                self.write("# " + text)
            return
        kind, rest = marker.groups()
        if kind == "begin":
            if self.block:
                self.block.died = "no end was reported"
                self.end(1)
            self.block = Block(rest)
            self.write("# " + rest)
        elif self.block is None:
            self.write("# " + text)
        elif kind == "kernel":
            self.block.kernel.append(rest)
        elif kind == "died":
            self.block.died = rest
            self.end(1)
        elif kind == "skip":
            self.block.skipped = rest
            self.end(0)
        elif kind == "end":
            status, _, seconds = rest.partition(" ")
            self.end(int(status), seconds)

    def finish(self):
        if self.block:
            self.block.died = "the output stops here"
            self.end(1)
        self.write("1..%d" % self.blocks)
        print("%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped))
        return 1 if self.failed or not self.passed else 0


def read_known(path):
    with open(path, encoding="utf-8") as file:
        return [tuple(line.rstrip("\n").split("\t", 2)) for line in file
                if line.strip() and not line.startswith("#")]


def main():
    merger = Merger(read_known(sys.argv[1]) if len(sys.argv) > 1 else [])
    print("KTAP version 1", flush=True)
    for line in sys.stdin.buffer:
        merger.feed(line.decode(errors="replace").rstrip("\r\n"))
    return merger.finish()


if __name__ == "__main__":
    sys.exit(main())
