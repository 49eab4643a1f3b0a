#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make report: the page has what the results have, and needs no other file.
source "$(dirname "$0")/tap.sh.inc"
export BUILD=$TMP/build
results=$TMP/cache/tandem/results
report() { "$ROOT/tree/report" "$TMP/report.html" >"$TMP/out" 2>&1; }
# The text of a table's row that begins with NAME, cells separated by one space.
row() { grep -A20 "^<tr><td>$1" "$TMP/report.html" | tr -d '\n' | sed 's|</tr>.*||; s/<[^>]*>/ /g; s/  */ /g; s/^ //; s/ $//'; }

report && grep -q 'No make check has run' "$TMP/report.html"
verdict "without results"
mkdir -p "$results"
cat >"$results/7.3-x86-64-vm-20260101-101010.tap" <<'@'
KTAP version 1
# c migrate
  not ok 1 a
not ok 1 c migrate # 1 passed, 2 failed, 0 skipped in 2.5 s
ok 2 rust driver # 7 passed, 0 failed, 0 skipped in 2.5 s
1..2
@
sed 's/^not ok 1 c.*/ok 1 c migrate # 3 passed, 0 failed, 0 skipped in 2 s/' "$results"/*.tap >"$results/7.3-x86-64-vm-20260102-101010.tap"
echo 'ok 1 c <migrate> # 0 passed, 0 failed, 4 skipped in 1 s' >"$results/7.2-arm64-debug-20260101-111111.tap"
echo 'ok 1 half' >"$results/7.3-x86-64-vm-20260103-101010.tap.new"
report
verdict "with results"
[[ $(row 'c migrate') == 'c migrate ✓ 3 2 1' && $(row 'rust driver') == 'rust driver ✓ 7 2 0' ]]
verdict "the latest run is shown, and all are counted"
[[ $(row 'c &lt;migrate') == 'c &lt;migrate&gt; – 1 0' ]]
verdict "a test that was skipped; names are escaped"
grep -q '<b>3</b>runs of make check' "$TMP/report.html" && grep -q '<b>2</b>of them without a failure' "$TMP/report.html" &&
	grep -q '<b>2</b>that failed' "$TMP/report.html"
verdict "the figures of reliability"
count=$(awk '$1 == "out-4k" { print $2 * 1 }' "$ROOT/selftests/bench/counts-7.3")
[[ $(grep -A1 'class=soft>out-4k<' "$TMP/report.html") == *"<td class=n>${count:?}"* ]]
verdict "the recorded costs"
mkdir -p "$BUILD/bench"
echo '{"results": [{"case": "out-4k", "reference": 100.0, "ours": 25.0}]}' >"$BUILD/bench/results.json"
report && grep 'class=soft>out-4k<' "$TMP/report.html" | grep -q 'width:25.0%.*>25<'
verdict "what make bench measured here goes before them"
mkdir -p "$BUILD/deep"
cat >"$BUILD/deep/results.json" <<'@'
{"kernel": "7.3", "commit": "0-1", "time": "2026-01-03 10:10", "parts": [
 {"part": "walks", "seconds": 60, "passed": 3, "failed": 1, "skipped": 0, "splats": 2, "leaks": 0, "figures": {"inputs": 1234567}},
 {"part": "moves", "seconds": 30, "passed": 3, "failed": 0, "skipped": 4, "splats": 0, "leaks": 0, "figures": {"faults": 5}}]}
@
report && [[ $(grep '>walks<' "$TMP/report.html" | sed 's/<[^>]*>/ /g' | xargs) == 'walks 60 1,234,567 – 1 0 2 0' ]] &&
	[[ $(grep '>moves<' "$TMP/report.html" | sed 's/<[^>]*>/ /g' | xargs) == 'moves 30 – 5 0 4 0 0' ]] && grep -q 'class=no>walks' "$TMP/report.html"
verdict "the table of make check-deep"
cat >"$BUILD/coverage.json" <<'@'
{"kernel": "7.3", "commit": "0-1", "time": "2026-01-03 10:10", "files": [
 {"file": "walk.c", "lines": 200, "reached": 150, "explained": 10}, {"file": "fault.c", "lines": 100, "reached": 90, "explained": 0}]}
@
report && [[ $(row 'walk.c') == 'walk.c 200 150 75.0 10' && $(row all) == 'all 300 240 80.0 10' ]]
verdict "the table of make coverage"
! grep -oE '(src|href|url)[=(][^ >)]*|https?:[^ "<]*|@import' "$TMP/report.html" >"$TMP/out"
verdict "the page needs no other file"
python3 - "$TMP/report.html" >"$TMP/out" 2>&1 <<'@'
import html.parser, sys
class Nesting(html.parser.HTMLParser):
    stack = []
    def handle_starttag(self, tag, attrs):
        if tag in ("table", "thead", "tr", "td", "th", "ul", "p", "div", "span", "i", "h2"):
            self.stack.append(tag)
    def handle_endtag(self, tag):
        if tag in ("table", "thead", "tr", "td", "th", "ul", "p", "div", "span", "i", "h2"):
            assert self.stack and self.stack.pop() == tag, (tag, self.getpos())
parser = Nesting()
parser.feed(open(sys.argv[1]).read())
assert not parser.stack, parser.stack
@
verdict "its elements are closed"
finish
