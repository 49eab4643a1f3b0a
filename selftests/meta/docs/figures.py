#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""figures.py ROOT: compare the figures of README.md and docs/performance.md with what selftests/bench/check recorded.

A figure has to be the recorded one, rounded to as many decimals as the page shows. In docs/performance.md a row has the
name of its case; a row of README.md must be one of docs/performance.md, rounded further. Lists what differs.
"""

import re
import sys

ROWS = 30       # fewer would mean that the tables were not found


def counts(root, version):
    with open("%s/selftests/bench/counts-%s" % (root, version), encoding="utf-8") as file:
        return {case: float(count) for case, count in (line.split() for line in file if not line.startswith("#"))}


def rows(path):
    """Cells of the rows of a page's tables, without emphasis."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("|"):
                yield [cell.strip(" *") for cell in line.strip().strip("|").split("|")]


def number(text):
    text = text.replace(",", "")
    return text if re.fullmatch(r"\d+(\.\d+)?", text) else None


def rounded(count, shown):
    """The count with as many decimals as @shown has."""
    return "%.*f" % (len(shown.partition(".")[2]), count)


def performance(root, wrong):
    """(kernel, Tandem) of each case in docs/performance.md, after it was compared."""
    recorded, pairs = {version: counts(root, version) for version in ("7.3", "7.2")}, []
    for cells in rows(root + "/docs/performance.md"):
        drivers = re.match(r"(driver-[\w-]+)", cells[0])
        if drivers and len(cells) == 7:
            for version, (c, rust, ratio) in (("7.3", cells[1:4]), ("7.2", cells[4:])):
                case = drivers[1]
                ours, theirs = recorded[version][case], recorded[version][case + "-c"]
                for shown, count in ((c, theirs), (rust, ours), (ratio, ours / theirs)):
                    if rounded(count, shown) != shown:
                        wrong.append("docs/performance.md: %s on %s: %s is %s" % (case, version, shown, rounded(count, shown)))
        elif len(cells) == 6 and cells[1] in recorded["7.3"] and number(cells[3]):
            count = recorded["7.3"][cells[1]]
            if rounded(count, cells[3]) != cells[3]:
                wrong.append("docs/performance.md: %s: %s is %s" % (cells[1], cells[3], rounded(count, cells[3])))
            pairs.append((number(cells[2]), count))
    return pairs


def main():
    root, wrong = sys.argv[1], []
    pairs = performance(root, wrong)
    found = len(pairs)
    for cells in rows(root + "/README.md"):
        if len(cells) != 3 or not number(cells[1]) or not number(cells[2]):
            continue
        found += 1
        if not any(kernel and rounded(float(kernel), cells[1]) == cells[1] and rounded(count, cells[2]) == cells[2]
                   for kernel, count in pairs):
            wrong.append("README.md: %s: no case of docs/performance.md has %s and %s" % tuple(cells))
    if found < ROWS:
        wrong.append("%d figures were found" % found)
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
