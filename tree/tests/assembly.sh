#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The assembly: what is laid, hooked, kept and taken back; that the source is never written to.
source "$(dirname "$0")/tap.sh.inc"

mkdir "$TMP/repo"
cp -r "$ROOT/tree" "$TMP/repo/tree"
ours=$TMP/repo source=$TMP/source tree=$TMP/work/tree
mkdir -p "$ours"/c/{include/linux,mm/hmm}
echo "ours" >"$ours/c/include/linux/hmm.h"
echo "obj-y += walk.o" >"$ours/c/mm/hmm/Kbuild"
echo "config HMM_X" >"$ours/c/mm/hmm/Kconfig"
echo "int walk;" >"$ours/c/mm/hmm/walk.c"
fake_kernel "$source"
before=$(cd "$source" && find . -type f -exec sha1sum {} + | sort)

assemble() { "$ours/tree/assemble" "$source" "$tree" >"$TMP/out" 2>&1; }

assemble && [[ $(cat "$tree/include/linux/hmm.h") == ours && -e $tree/mm/hmm/walk.c && -e $tree/mm/hmm.c ]]
verdict "ours are laid over the kernel's"
grep -qF "filter-out hmm.o," "$tree/mm/Makefile" && head -n 1 "$tree/mm/Makefile" | grep -q 'mm/Makefile'
verdict "hook lines are appended"
! grep -q 'pub mod hmm' "$tree/rust/kernel/lib.rs"
verdict "hooks are left out while what they need is not there"
stamps() { find "$tree" -type f ! -name '.tandem*' -printf '%p %T@ %C@\n' | sort; }
first=$(stamps)
assemble && [[ $(stamps) == "$first" ]] && grep -q ' 0 changed' "$TMP/out"
verdict "a second assembly touches nothing"
echo "int walk2;" >"$ours/c/mm/hmm/walk.c"
assemble && grep -q walk2 "$tree/mm/hmm/walk.c" && grep -q ' 1 changed' "$TMP/out"
verdict "one changed file is one file changed"
rm "$ours/c/mm/hmm/walk.c" "$ours/c/include/linux/hmm.h"
assemble && [[ ! -e $tree/mm/hmm/walk.c && $(cat "$tree/include/linux/hmm.h") == "$(cat "$source/include/linux/hmm.h")" ]]
verdict "a file of ours that is gone is the kernel's again, or gone"
rm "$ours/c/mm/hmm/Kbuild"
assemble && cmp -s "$tree/mm/Makefile" "$source/mm/Makefile"
verdict "a hook that nothing needs any more is taken back"
mkdir -p "$TMP/work/tree.new/mm"
rm -rf "$tree"
assemble && [[ -e $tree/mm/hmm/Kconfig && ! -e $tree.new ]]
verdict "goes through after one that was interrupted"
[[ $(cd "$source" && find . -type f -exec sha1sum {} + | sort) == "$before" ]]
verdict "the source is as it was"
finish
