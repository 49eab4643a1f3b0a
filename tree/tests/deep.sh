#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How tree/deep runs a list, and what it makes of the results. Programs on the host stand in for the tests.
source "$(dirname "$0")/tap.sh.inc"

export DEEP_LIST=$TMP/list BUILD=$TMP/build
unset DURATION
results=$BUILD/deep/results.json

# row PART SECONDS COMMAND
row() { printf '%s\t%s\thost\t%s\n' "$@" >>"$DEEP_LIST"; }

# runs STATUS [PART...]: the exit status of a run.
runs() {
	local expected=$1 status=0
	shift
	"$ROOT/tree/deep" "$@" >"$TMP/out" 2>"$TMP/err" || status=$?
	[[ $status == "$expected" ]]
}

row walks 40 'env echo "# figures: operations={} faults=2"'
row walks 20 'env echo "# figures: operations={/4}"'
row moves 30 'env echo "# figures: comparisons=12345"'
runs 0 && grep -q '"operations": 45$\|"operations": 45,' "$results"
verdict "figures of a part are summed, with the seconds of each program"
grep -qE '^# walks +[0-9]+ +45 +- +2 ' "$TMP/out" && grep -q '^# moves .* 12,345 ' "$TMP/out"
verdict "the table has a line for each part"
[[ $(tail -n 1 "$TMP/out") == '3 passed, 0 failed, 0 skipped' ]]
verdict "the sum closes the run"
DURATION=6 runs 0 walks && grep -q '"operations": 5,\|"operations": 5$' "$results" && ! grep -q moves "$results"
verdict "one part, for as long as DURATION has it"
runs 1 steps && grep -q 'there is no part steps; there are: walks moves' "$TMP/err"
verdict "an unknown part"
DURATION=long runs 1 && grep -q 'DURATION=long: give the seconds' "$TMP/err"
verdict "a DURATION that is no number"
runs 1 -x && grep -q 'no option' "$TMP/err"
verdict "an unknown option"
row silent 1 'env true'
runs 1 silent && grep -q '^not ok silent gave no figures' "$TMP/out"
verdict "a part without figures has failed"
row broken 1 'env sh -c "echo \"# figures: operations=1\"; exit 3"'
runs 1 broken && [[ $(tail -n 1 "$TMP/out") == '0 passed, 1 failed, 0 skipped' ]]
verdict "a program that fails"
[[ $("$ROOT/tree/deep" -l | wc -l) == 4 ]]
verdict "the parts are listed"
python3 - "$ROOT/tree/deep" <<'@@'
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType

deep = ModuleType("deep")
deep.__file__ = sys.argv[1]
SourceFileLoader("deep", sys.argv[1]).exec_module(deep)
for where, cpus in (("vm:8", "8"), ("vm", "2")):
    argv = deep.Stage("timing", where, [["timing", 5, where, "- races"]], "log").argv()
    assert argv[argv.index("-f") + 1] == "vm" and deep.cpus_of(where) == cpus, argv
@@
verdict "a kernel with so many CPUs"

finish
