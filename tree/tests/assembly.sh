#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The assembly: what is copied, inserted, kept and undone; that the source is never written to.
source "$(dirname "$0")/tap.sh.inc"

mkdir "$TMP/repo"
cp -r "$ROOT/tree" "$TMP/repo/tree"
ours=$TMP/repo source=$TMP/source tree=$TMP/work/tree
mkdir -p "$ours"/{c/{include/linux,mm/hmm},bindings/rust/kernel/hmm,samples/c,selftests/kselftest}
echo "ours" >"$ours/c/include/linux/hmm.h"
echo "obj-y += walk.o" >"$ours/c/mm/hmm/Kbuild"
echo "obj-y += hmm/" >"$ours/c/mm/Makefile.insert"
echo "int walk;" >"$ours/c/mm/hmm/walk.c"
cat >"$ours/bindings/rust/kernel/lib.rs.insert" <<'@'
@@ after ^pub mod gpu
pub mod hmm;
@@ unless nothing like this
@@ replace ^pub mod i2c >> ^$
pub mod i3c;
@@ unless pub mod g
@@ before ^pub mod gpu
not this
@@ before ^pub mod i2c
pub mod i1c;
@
# places LINE...: what is wrong with a lib.rs of these lines
places() {
	printf '%s\n' "$@" >"$TMP/lib.rs"
	! "$ours/tree/insert.py" "$ours/bindings/rust/kernel/lib.rs.insert" "$TMP/lib.rs" 2>&1
}
touch "$ours"/{bindings/rust/kernel/hmm/mod.rs,samples/c/device.c,selftests/kselftest/walk.c}
fake_kernel "$source"
printf '%s\n' 'pub mod gpu;' 'pub mod i2c;' '' 'pub mod io;' >"$source/rust/kernel/lib.rs"
before=$(cd "$source" && find . -type f -exec sha1sum {} + | sort)

assemble() { "$ours/tree/assemble" "$source" "$tree" >"$TMP/out" 2>&1; }

assemble && [[ $(cat "$tree/include/linux/hmm.h") == ours && -e $tree/mm/hmm/walk.c && -e $tree/mm/hmm.c ]]
verdict "a file of ours replaces the kernel's"
[[ -e $tree/rust/kernel/hmm/mod.rs && -e $tree/samples/hmm/c/device.c &&
	-e $tree/tools/testing/selftests/hmm/kselftest/walk.c ]]
verdict "each overlay is copied to its folder"
diff "$tree/mm/Makefile" <(cat "$source/mm/Makefile" "$ours/c/mm/Makefile.insert") >"$TMP/out" &&
	diff "$tree/rust/kernel/lib.rs" <(printf '%s\n' 'pub mod gpu;' 'pub mod hmm;' 'pub mod i1c;' 'pub mod i2c;' \
		'pub mod i3c;' 'pub mod io;') >"$TMP/out" && [[ ! $(find "$tree" -name '*.insert') ]]
verdict "the text of PATH.insert is put at its place, or at the end"
stamps() { find "$tree" -type f ! -name '.tandem*' -printf '%p %T@ %C@\n' | sort; }
first=$(stamps)
assemble && [[ $(stamps) == "$first" ]] && grep -q ' 0 changed' "$TMP/out"
verdict "a second assembly touches nothing"
echo "int walk2;" >"$ours/c/mm/hmm/walk.c"
assemble && grep -q walk2 "$tree/mm/hmm/walk.c" && grep -q ' 1 changed' "$TMP/out"
verdict "one changed file is one file changed"
echo "obj-y += more/" >>"$ours/c/mm/Makefile.insert"
assemble && [[ $(tail -n 1 "$tree/mm/Makefile") == "obj-y += more/" ]] && grep -q ' 1 changed' "$TMP/out"
verdict "a changed PATH.insert is one file changed"
rm "$ours/c/mm/hmm/walk.c" "$ours/c/include/linux/hmm.h"
assemble && [[ ! -e $tree/mm/hmm/walk.c && $(cat "$tree/include/linux/hmm.h") == "$(cat "$source/include/linux/hmm.h")" ]]
verdict "a file of ours that is gone is the kernel's again, or gone"
rm "$ours/c/mm/Makefile.insert"
assemble && cmp -s "$tree/mm/Makefile" "$source/mm/Makefile"
verdict "without its PATH.insert a file is the kernel's again"
echo "nothing" >"$ours/c/mm/none.c.insert"
! assemble && grep -q 'this kernel has no mm/none.c to insert into' "$TMP/out"
verdict "nothing is inserted into a file that the kernel does not have"
rm "$ours/c/mm/none.c.insert"
places 'pub mod i2c;' '' | grep -q "0 lines of this kernel match '^pub mod gpu', not one" &&
	places 'pub mod gpu;' 'pub mod gpu_buddy;' 'pub mod i2c;' '' | grep -q "2 lines of this kernel match" &&
	places 'pub mod gpu;' 'pub mod i2c;' | grep -q "no line of this kernel after '^pub mod i2c' matches '^$'"
verdict "a place that is not there, or is there twice, is an error"
mkdir -p "$TMP/work/tree.new/mm"
rm -rf "$tree"
assemble && [[ -e $tree/mm/hmm/Kbuild && ! -e $tree.new ]]
verdict "goes through after one that was interrupted"
[[ $(cd "$source" && find . -type f -exec sha1sum {} + | sort) == "$before" ]]
verdict "the source is as it was"
finish
