#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The assembly: what is copied, appended, kept and undone; that the source is never written to.
source "$(dirname "$0")/tap.sh.inc"

mkdir "$TMP/repo"
cp -r "$ROOT/tree" "$TMP/repo/tree"
ours=$TMP/repo source=$TMP/source tree=$TMP/work/tree
mkdir -p "$ours"/{c/{include/linux,mm/hmm},bindings/rust/kernel/hmm,samples/c,selftests/kselftest}
echo "ours" >"$ours/c/include/linux/hmm.h"
echo "obj-y += walk.o" >"$ours/c/mm/hmm/Kbuild"
echo "obj-y += hmm/" >"$ours/c/mm/Makefile.append"
echo "int walk;" >"$ours/c/mm/hmm/walk.c"
echo "pub mod hmm;" >"$ours/bindings/rust/kernel/lib.rs.append"
touch "$ours"/{bindings/rust/kernel/hmm/mod.rs,samples/c/device.c,selftests/kselftest/walk.c}
fake_kernel "$source"
before=$(cd "$source" && find . -type f -exec sha1sum {} + | sort)

assemble() { "$ours/tree/assemble" "$source" "$tree" >"$TMP/out" 2>&1; }

assemble && [[ $(cat "$tree/include/linux/hmm.h") == ours && -e $tree/mm/hmm/walk.c && -e $tree/mm/hmm.c ]]
verdict "a file of ours replaces the kernel's"
[[ -e $tree/rust/kernel/hmm/mod.rs && -e $tree/samples/hmm/c/device.c &&
	-e $tree/tools/testing/selftests/hmm/kselftest/walk.c ]]
verdict "each overlay is copied to its folder"
diff "$tree/mm/Makefile" <(cat "$source/mm/Makefile" "$ours/c/mm/Makefile.append") >"$TMP/out" &&
	diff "$tree/rust/kernel/lib.rs" <(cat "$source/rust/kernel/lib.rs" "$ours/bindings/rust/kernel/lib.rs.append") &&
	[[ ! $(find "$tree" -name '*.append') ]]
verdict "PATH.append is added at the end of the kernel's PATH"
stamps() { find "$tree" -type f ! -name '.tandem*' -printf '%p %T@ %C@\n' | sort; }
first=$(stamps)
assemble && [[ $(stamps) == "$first" ]] && grep -q ' 0 changed' "$TMP/out"
verdict "a second assembly touches nothing"
echo "int walk2;" >"$ours/c/mm/hmm/walk.c"
assemble && grep -q walk2 "$tree/mm/hmm/walk.c" && grep -q ' 1 changed' "$TMP/out"
verdict "one changed file is one file changed"
echo "obj-y += more/" >>"$ours/c/mm/Makefile.append"
assemble && [[ $(tail -n 1 "$tree/mm/Makefile") == "obj-y += more/" ]] && grep -q ' 1 changed' "$TMP/out"
verdict "a changed PATH.append is one file changed"
rm "$ours/c/mm/hmm/walk.c" "$ours/c/include/linux/hmm.h"
assemble && [[ ! -e $tree/mm/hmm/walk.c && $(cat "$tree/include/linux/hmm.h") == "$(cat "$source/include/linux/hmm.h")" ]]
verdict "a file of ours that is gone is the kernel's again, or gone"
rm "$ours/c/mm/Makefile.append"
assemble && cmp -s "$tree/mm/Makefile" "$source/mm/Makefile"
verdict "without its PATH.append a file is the kernel's again"
echo "nothing" >"$ours/c/mm/none.c.append"
! assemble && grep -q 'this kernel has no mm/none.c to append to' "$TMP/out"
verdict "nothing is appended to a file that the kernel does not have"
rm "$ours/c/mm/none.c.append"
mkdir -p "$TMP/work/tree.new/mm"
rm -rf "$tree"
assemble && [[ -e $tree/mm/hmm/Kbuild && ! -e $tree.new ]]
verdict "goes through after one that was interrupted"
[[ $(cd "$source" && find . -type f -exec sha1sum {} + | sort) == "$before" ]]
verdict "the source is as it was"
finish
