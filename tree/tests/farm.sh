#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What test farms take: results become KTAP that the kernel's reader would read, and the files that describe jobs are
# valid for the tools that they are for, where those are installed.
source "$(dirname "$0")/tap.sh.inc"
farm=$ROOT/tree/farm.d

# skipped NAME TOOL
skipped() {
	N=$((N + 1))
	echo "ok $N $1 # SKIP no $2"
}

cat >"$TMP/suite" <<'@'
@@begin kunit hmm_walk
    ok 1 first
@@end 0 0.1

@@begin c migrate --all
TAP version 13
not ok 1 moves
@@end 1 2.5
@@begin kernel hmm-tests
@@end 4 0.1
@@begin - leaf_anon
@@kernel BUG: something
@@end 0 0.1
@@begin - leaf_large
@@kernel hmm: hello
@@end 0 0.1
@@begin kernel hmm-tests
not ok 7 big
@@kernel WARNING: known_place
@@end 1 1
@@begin kernel hmm-tests
not ok 7 big
not ok 8 - small # why
@@end 1 1
@@begin kernel hmm-tests
not ok 7 big
@@end 139 1
@@begin c hmm-tests
not ok 7 big
@@end 1 1
@
printf '# PROGRAM...\nkernel hmm-tests.*\tbig\tno room\nkernel hmm-tests.*\t@known_place\tas ever\n' >"$TMP/known"
cat >"$TMP/expected" <<'@'
KTAP version 1
# the tests of hmm begin
      ok 1 first
ok 1 kunit-hmm_walk
# result kunit-hmm_walk pass
  TAP version 13
  not ok 1 moves
not ok 2 c-migrate-all
# result c-migrate-all fail
ok 3 kernel-hmm-tests # SKIP
# result kernel-hmm-tests skip
# BUG: something
not ok 4 leaf_anon
# result leaf_anon fail
# hmm: hello
ok 5 leaf_large
# result leaf_large pass
  ok 7 big # SKIP no room
# WARNING: known_place
ok 6 kernel-hmm-tests
# result kernel-hmm-tests pass
  ok 7 big # SKIP no room
  not ok 8 - small # why
not ok 7 kernel-hmm-tests
# result kernel-hmm-tests fail
  ok 7 big # SKIP no room
not ok 8 kernel-hmm-tests
# result kernel-hmm-tests fail
  not ok 7 big
not ok 9 c-hmm-tests
# result c-hmm-tests fail
1..9
# the tests of hmm end
@
for awk in awk "busybox awk" mawk gawk; do
	type -P "${awk%% *}" >/dev/null || continue
	$awk -v splats='BUG:|WARNING:' -v known="$TMP/known" -f "$farm/ktap.awk" <"$TMP/suite" | diff - "$TMP/expected" >"$TMP/out"
	verdict "results as KTAP, by $awk"
done

sed 's|@AT@|file:///farm|; s|@VERSION@|1|' "$farm/lava.yaml" >"$TMP/lava.yaml"
python=$(type -P /usr/bin/python3 python3 | head -n 1)
if "$python" -c 'import lava_common.schemas' 2>/dev/null; then
	cat >"$TMP/check" <<'@'
import sys
import yaml
from lava_common import schemas
schemas.validate(yaml.safe_load(open(sys.argv[1])), strict=True)
@
	"$python" "$TMP/check" "$TMP/lava.yaml" >"$TMP/out" 2>&1
	verdict "the LAVA job is valid for LAVA"
	sed 's/^    method: qemu/    method: nobody/' "$TMP/lava.yaml" >"$TMP/bad.yaml"
	! "$python" "$TMP/check" "$TMP/bad.yaml" >"$TMP/out" 2>&1
	verdict "and a wrong one is not"
else
	skipped "the LAVA job is valid for LAVA" "lava_common (package lava-common)"
fi
if tuxlava=$(type -P tuxlava); then
	"$tuxlava" --device qemu-lava --job-definition "file://$TMP/lava.yaml" --lava-definition >"$TMP/out" 2>&1 && grep -q 'device_type: qemu' "$TMP/out"
	verdict "and for tuxrun"
else
	skipped "and for tuxrun" "tuxlava"
fi
if check=$(type -P check-jsonschema); then
	"$check" --builtin-schema vendor.github-workflows "$ROOT"/.github/workflows/*.yml >"$TMP/out" 2>&1
	verdict "the workflow for hosted CI is valid"
else
	skipped "the workflow for hosted CI is valid" check-jsonschema
fi
grep -q '\.ci/run' "$ROOT/.github/workflows/check.yml"
verdict "it calls .ci/run"
finish
