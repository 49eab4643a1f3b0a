# SPDX-License-Identifier: GPL-2.0
"""Turns what unittest prints with -v into TAP, line by line; everything else becomes a comment."""

import re
import sys

BEGIN = re.compile(r"^(test_\w+) \(([\w.]+)\)")
END = re.compile(r"(?:^|\.\.\. )(ok|FAIL|ERROR|skipped .*|expected failure)$")

name = None
for line in sys.stdin:
    line = line.rstrip("\n")
    begin, end = BEGIN.match(line), END.search(line)
    if begin:
        name = begin.group(2) if begin.group(2).endswith(begin.group(1)) else ".".join(begin.group(2, 1))
    if end and name:
        result = end.group(1)
        if result == "ok":
            print(f"ok - {name}", flush=True)
        elif result.startswith("skipped"):
            print(f"ok - {name} # SKIP {result[8:]}", flush=True)
        else:
            print(f"not ok - {name}", flush=True)
        name = None
    elif not begin:
        print("#", line.removeprefix("# "), flush=True)
