#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The runner's counting: results, failures that no program reports, known failures.
cache=${XDG_CACHE_HOME:-$HOME/.cache}
given=("${KERNEL:-7.3}" "${KDIR:-}" "${KERNEL_TARBALL:-}")
source "$(dirname "$0")/tap.sh.inc"

# counts EXPECTED STATUS <INPUT
counts() {
	local status=0
	"$ROOT/tree/ktap.py" ${KNOWN:+"$KNOWN"} >"$TMP/out" || status=$?
	[[ $(tail -n 1 "$TMP/out") == "$1" && $status == "$2" ]]
}
lines() { printf '%s\n' "$@"; }

lines '@@begin - a' 'TAP version 13' '1..3' 'ok 1 x' 'ok 2 y # SKIP no such thing' 'ok 3 z' '@@end 0 1' | counts '2 passed, 0 failed, 1 skipped' 0
verdict "passed and skipped"
lines '@@begin - a' '1..2' 'ok 1 x' 'not ok 2 y' '@@end 1 1' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "a failure, counted once"
lines '@@begin - a' 'KTAP version 1' '1..1' '    1..2' '    ok 1 x' '    not ok 2 y' 'not ok 1 suite' '@@end 0 1' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "a suite is the sum of its tests"
lines '@@begin - a' '1..1' '    1..1' '    ok 1 x' 'not ok 1 suite' '@@end 0 1' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "a suite that fails by itself"
lines '@@begin - a' '1..3' 'ok 1 x' '@@end 0 1' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "fewer tests than planned"
lines '@@begin - a' '1..1' '    1..3' '    ok 1 x' 'ok 1 suite' '@@end 0 1' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "fewer tests than planned in a suite"
lines '@@begin - a' 'ok 1 x' 'ok 2 y' '1..2' '@@end 0 1' | counts '2 passed, 0 failed, 0 skipped' 0
verdict "a plan that comes last"
lines '@@begin - a' 'ok 1 x' '1..2' '@@end 0 1' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "fewer tests than a plan that comes last"
lines '@@begin - a' 'ok 1 x' '@@end 139 1' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "a program that is killed"
lines '@@begin - a' 'ok 1 x' '@@end 124 1' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "a program that takes too long"
lines '@@begin - a' 'ok 1 x' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "an output that stops"
lines '@@begin - a' 'ok 1 x' '@@died the guest' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "a guest that goes down"
lines '@@begin - a' 'ok 1 x' '@@kernel WARNING: at x.c:1' '@@end 0 1' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "a splat"
for text in 'kernel BUG at mm/x.c:1!' 'BUG: sleeping function called' 'INFO: task x:1 blocked for more than 122 seconds.' \
	'WARNING: possible recursive locking detected' 'unreferenced object 0x1 (size 8):' 'Kernel panic - not syncing: x'; do
	lines '@@begin - a' 'ok 1 x' "@@kernel $text" '@@kernel a line of its stack' '@@end 0 1' |
		counts '1 passed, 1 failed, 0 skipped' 1 && grep -q "not ok - kernel log: $text" "$TMP/out" &&
		grep -qEf <(grep -v '^#' "$ROOT/tree/splats") <<<"[ 1.0] $text"
	verdict "a splat, to both sides: $text"
done
! grep -qEf <(grep -v '^#' "$ROOT/tree/splats") <<<'[ 1.0] hmm_probe: loaded' && ! grep -q '^$' "$ROOT/tree/splats"
verdict "an ordinary message is none"
lines '@@begin - a' '@@end 0 1' | counts '1 passed, 0 failed, 0 skipped' 0
verdict "a program that only has an exit status"
lines '@@begin - a' '@@end 1 1' | counts '0 passed, 1 failed, 0 skipped' 1
verdict "the same, failing"
lines '@@begin - a' '@@end 4 1' | counts '0 passed, 0 failed, 1 skipped' 1
verdict "the same, skipping: nothing passed, which is no success"
: | counts '0 passed, 0 failed, 0 skipped' 1
verdict "nothing at all"

KNOWN=$TMP/known
printf '# comment\n- a\ty\tnot ours\n- a\t@x.c:1\tneither\n' >"$KNOWN"
lines '@@begin - a' '1..2' 'ok 1 x' 'not ok 2 y' '@@kernel WARNING: at x.c:1' '@@end 1 1' | counts '1 passed, 0 failed, 2 skipped' 0
verdict "known failures are skipped"
grep -q 'SKIP known: not ours' "$TMP/out" && grep -q 'SKIP known: neither' "$TMP/out"
verdict "with the reason"
lines '@@begin - b' 'ok 1 x' 'not ok 2 y' '@@kernel WARNING: at x.c:2' '@@end 1 1' | counts '1 passed, 2 failed, 0 skipped' 1
verdict "of that program only"
lines '@@begin - a' 'ok 1 x' '@@kernel WARNING: a circle' '@@kernel  y.c:1' '@@kernel  x.c:1' '@@end 0 1' | counts '1 passed, 0 failed, 1 skipped' 0
verdict "a splat is known by any of its lines"
lines '@@begin - a' 'ok 1 x' '@@kernel WARNING: a circle' '@@kernel  x.c:1' '@@kernel WARNING: at y.c:1' '@@end 0 1' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "and another one by its own"
lines '@@begin - a' 'ok 1 x' '@@kernel WARNING: a circle' '@@kernel  </TASK>' '@@kernel  x.c:1' '@@end 0 1' | counts '1 passed, 1 failed, 0 skipped' 1
verdict "and not by what comes after its stack"

# The kernel's own parser counts the same of what KUnit and kselftest print.
parser=$(XDG_CACHE_HOME=$cache KERNEL=${given[0]} KDIR=${given[1]} KERNEL_TARBALL=${given[2]} \
	"$ROOT/tree/source" 2>"$TMP/out")/tools/testing/kunit
theirs() {
	python3 -c 'import sys
sys.path.insert(0, sys.argv[1])
import kunit_parser
counts = kunit_parser.parse_run_tests(sys.stdin, kunit_parser.Printer(False)).counts
print("%d passed, %d failed, %d skipped" % (counts.passed, counts.failed + counts.crashed, counts.skipped))' "$parser"
}
alike() {
	cat >"$TMP/ktap"
	theirs <"$TMP/ktap" >"$TMP/theirs" 2>"$TMP/out" || return
	{ echo '@@begin - a'; cat "$TMP/ktap"; echo '@@end 0 1'; } | "$ROOT/tree/ktap.py" >"$TMP/ours"
	diff "$TMP/theirs" <(tail -n 1 "$TMP/ours") >"$TMP/out"
}
lines 'KTAP version 1' '1..2' '    KTAP version 1' '    # Subtest: walk' '    1..3' '    ok 1 hole' \
	'    ok 2 swap # SKIP no swap' '    not ok 3 huge' 'not ok 1 walk' '    KTAP version 1' '    # Subtest: fault' \
	'    1..1' '        KTAP version 1' '        # Subtest: orders' '        ok 1 0' '        ok 2 9' '    ok 1 orders' \
	'ok 2 fault' | alike
verdict "suites of KUnit, with parameters, are counted as kunit_parser.py does"
lines 'TAP version 13' '1..4' '# Starting 4 tests from 1 test cases.' '#  RUN           hmm.anon ...' 'ok 1 hmm.anon' \
	'#            OK  hmm.anon' 'not ok 2 hmm.file' 'ok 3 hmm.swap # SKIP no swap' 'ok 4 hmm.fork' \
	'# Totals: pass:2 fail:1 xfail:0 xpass:0 skip:1 error:0' | alike
verdict "and programs of kselftest"
finish
