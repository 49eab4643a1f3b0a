#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""insert.py PATH.insert FILE: print the kernel's FILE with our text in it.

PATH.insert has sections; a line that starts with @@ gives the place of the text below it:

    @@ after REGEX              after the line that matches; exactly one line of the kernel's file does
    @@ after REGEX >> REGEX     after the first line, from that one on, that matches the second
    @@ before ...               before such a line
    @@ replace ...              in its place
    @@ unless REGEX             (above one of these) the section is left out if a line of the kernel's file matches

Text above the first section goes to the end of the file. All places are lines of the kernel's file, also where another
section adds some.
"""

import re
import sys


class Section:
    def __init__(self, how=None, where=None, unless=None):
        self.how, self.where, self.unless, self.lines = how, where, unless, []

    def text(self):
        return "".join(self.lines)

    def place(self, name, kernel):
        """Number of the kernel's line, or None if the section is left out."""
        if self.unless and any(re.search(self.unless, line) for line in kernel):
            return None
        if self.how is None:
            return len(kernel)
        first, _, then = self.where.partition(" >> ")
        found = [number for number, line in enumerate(kernel) if re.search(first, line)]
        if len(found) != 1:
            raise ValueError("%s: %d lines of this kernel match '%s', not one" % (name, len(found), first))
        if not then:
            return found[0]
        for number in range(found[0], len(kernel)):
            if re.search(then, kernel[number]):
                return number
        raise ValueError("%s: no line of this kernel after '%s' matches '%s'" % (name, first, then))


def sections(path):
    found, unless = [Section()], None
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"@@ (after|before|replace|unless) (.*)\n", line)
            if not match and line.startswith("@@"):
                raise ValueError("%s: no section begins with '%s'" % (path, line.rstrip("\n")))
            if not match:
                found[-1].lines.append(line)
            elif match[1] == "unless":
                unless = match[2]
            else:
                found.append(Section(match[1], match[2], unless))
                unless = None
    return [section for section in found if section.lines or section.how]


def insert(name, chosen, text):
    """The kernel's @text with the chosen sections of the file @name in it."""
    kernel = text.splitlines(keepends=True)
    before, after, replaced = {}, {}, set()
    for section in chosen:
        at = section.place(name, kernel)
        if at is None:
            continue
        if section.how == "replace":
            replaced.add(at)
        where = after if section.how == "after" else before
        where.setdefault(at, []).append(section.text())
    result = []
    for number, line in enumerate(kernel):
        result += before.get(number, [])
        if number not in replaced:
            result.append(line)
        result += after.get(number, [])
    return "".join(result + before.get(len(kernel), []))


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        text = file.read()
    try:
        sys.stdout.write(insert(sys.argv[1], sections(sys.argv[1]), text))
    except ValueError as error:
        sys.exit("tandem: %s" % error)


if __name__ == "__main__":
    main()
