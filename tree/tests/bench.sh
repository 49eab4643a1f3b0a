#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How selftests/bench/check judges counts: by those recorded, and by the targets.
source "$(dirname "$0")/tap.sh.inc"

export COUNTS=$TMP/recorded TARGETS=$TMP/targets
printf '%s\n' '# case, ours' 'walk 10.00' 'move 100.00' >"$COUNTS"
printf '%s\n' '# case at most' 'walk 11' 'move 0.5x' 'fault 0.8x missed' >"$TARGETS"

# judged STATUS FAILED...: the counts on the standard input; FAILED: the results that are not ok.
judged() {
	local expected=$1 status=0
	shift
	"$ROOT/selftests/bench/check" --judge >"$TMP/out" || status=$?
	[[ $status == "$expected" && $(sed -n 's/^not ok [0-9]* //p' "$TMP/out") == "$(printf '%s\n' "$@")" ]]
}
lines() { printf '%s\n' "$@"; }

lines 'walk 10.20 20 x' 'move 101 205 x' 'fault 90 100 x' | judged 0
verdict "counts as recorded, and a target that is recorded as missed"
lines 'walk 10.40 20 x' 'move 100 205 x' 'fault 90 100 x' | judged 1 walk
verdict "more than recorded"
lines 'walk 10 20 x' 'move 100 190 x' 'fault 90 100 x' | judged 1 'target of move'
verdict "a target that is relative to the reference"
sed -i 's/^walk .*/walk 9.9/' "$TARGETS"
lines 'walk 10 20 x' 'move 100 205 x' 'fault 90 100 x' | judged 1 'target of walk'
verdict "a target in units"
sed -i 's/^walk .*/walk 11/' "$TARGETS"
lines 'walk 10 20 x' 'move 100 - x' 'fault 90 100 x' | judged 1 'target of move'
verdict "a reference that was not counted"
lines 'walk 10 20 x' 'move 100 205 x' | judged 1 'target of fault'
verdict "a target whose case was not counted"
lines 'walk 10 20 x' 'fault 90 100 x' | judged 1 move 'target of move'
verdict "a recorded case that was not counted"
lines 'walk 10 20 x' 'move 100 205 x' 'fault 70 100 x' | judged 0
verdict "a target recorded as missed that is met"
: >"$TARGETS"
lines 'walk 10 20 x' | judged 1
verdict "no targets"

finish
