#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a user may give that cannot work gets one clear sentence, and leaves nothing half-made behind.
source "$(dirname "$0")/tap.sh.inc"
# shellcheck disable=SC2209
find_source=$ROOT/tree/source

KERNEL=abc refused 'KERNEL=abc: give a version such as 7.3' "$find_source"
verdict "a KERNEL that is no version"
KERNEL=6.12 refused 'the oldest that works is 7.2' "$find_source"
verdict "a KERNEL that is too old"
J=none refused 'J=none: give a number' "$find_source"
verdict "a J that is no number"
ACCEL=xen refused 'ACCEL=xen: give auto, kvm or tcg' "$find_source"
verdict "an unknown ACCEL"
ARCH=sparc refused 'ARCH=sparc: give x86-64 or arm64' "$find_source"
verdict "an unknown ARCH"
PAGES=64k refused 'PAGES=64k: give 4k or, with ARCH=arm64, 64k' "$find_source"
verdict "pages of 64 KiB on x86-64"
BUILD=/proc/nowhere refused 'cannot be made: give BUILD=' "$find_source"
verdict "a BUILD that cannot be made"
FLAVOUR=odd refused 'there is no flavour odd' "$ROOT/tree/build" odd
verdict "an unknown flavour"
BUILD=$TMP/none refused 'there is no guest for the kernel vm' "$ROOT/tree/run" -f vm true
verdict "a guest that was not built"

printf 'include %s\nprobe:\n\t@env\n' "$ROOT/Makefile" >"$TMP/probe.mk"
env -u DURATION -u LIMIT make -s -f "$TMP/probe.mk" probe LIMIT=7 >"$TMP/out" 2>&1 &&
	grep -qx LIMIT=7 "$TMP/out" && grep -qx FLAVOUR=vm "$TMP/out" && ! grep -q '^DURATION=' "$TMP/out"
verdict "options that are not given are not in the commands' environment, where they would be empty"

KDIR=$TMP/nowhere refused 'there is no such folder' "$find_source"
verdict "KDIR: no such folder"
mkdir "$TMP/empty"
KDIR=$TMP/empty refused 'is not a Linux source tree' "$find_source"
verdict "KDIR: no kernel"
fake_kernel "$TMP/old" 6 12
KDIR=$TMP/old refused 'is Linux 6.12: the oldest that works is 7.2' "$find_source"
verdict "KDIR: too old"
fake_kernel "$TMP/built"
touch "$TMP/built/.config"
KDIR=$TMP/built refused "has been built in: run 'make mrproper' there" "$find_source"
verdict "KDIR: built in"
fake_kernel "$TMP/ours"
mkdir "$TMP/ours/mm/hmm"
KDIR=$TMP/ours refused 'has Tandem in it already' "$find_source"
verdict "KDIR: ours are in it already"
[[ ! -e $TMP/cache/tandem/source ]] || ! compgen -G "$TMP/cache/tandem/source/kdir-*/" >/dev/null
verdict "KDIR: none of these left a copy"

fake_kernel "$TMP/good"
chmod -R a-w "$TMP/good"
copy=$(KDIR=$TMP/good "$find_source" 2>"$TMP/out") && cmp -s "$TMP/good/Makefile" "$copy/Makefile" &&
	[[ $(stat -c %h "$TMP/good/Makefile") == 1 && $copy != "$TMP/good" ]]
verdict "KDIR: a read-only tree is copied, not linked to"
touch_time=$(stat -c %Z "$copy")
[[ $(KDIR=$TMP/good "$find_source" 2>"$TMP/out") == "$copy" && $(stat -c %Z "$copy") == "$touch_time" ]]
verdict "KDIR: an unchanged tree is not copied again"
chmod -R u+w "$TMP/good"
echo changed >>"$TMP/good/mm/Makefile"
copy=$(KDIR=$TMP/good "$find_source" 2>"$TMP/out") && grep -q changed "$copy/mm/Makefile"
verdict "KDIR: a changed tree is"
fake_kernel "$TMP/git"
(cd "$TMP/git" && git init -q . && git add -A && touch .config mm/left.o)
copy=$(KDIR=$TMP/git "$find_source" 2>"$TMP/out") && [[ -e $copy/mm/hmm.c && ! -e $copy/.config && ! -e $copy/mm/left.o ]]
verdict "KDIR: of a git tree that is built in, the tracked files"

KERNEL_TARBALL=$TMP/none.tar.xz refused 'there is no such file' "$find_source"
verdict "KERNEL_TARBALL: no such file"
nobody=127.0.0.1:1
KERNEL_TARBALL=http:"//$nobody/linux-7.3.tar.xz" refused 'could not be fetched: check the address and the network' \
	"$find_source"
verdict "KERNEL_TARBALL: an address that does not answer"
fake_kernel "$TMP/pack/linux-7.3.1"
tar -C "$TMP/pack" -czf "$TMP/good.tar.gz" linux-7.3.1
tar -C "$TMP/pack" -cJf "$TMP/good.tar.xz" linux-7.3.1
head -c 300 "$TMP/good.tar.xz" >"$TMP/short.tar.xz"
KERNEL_TARBALL=$TMP/short.tar.xz refused 'it is not a whole kernel.org tarball' "$find_source"
verdict "KERNEL_TARBALL: cut short"
tar -C "$TMP" -czf "$TMP/other.tar.gz" empty
KERNEL_TARBALL=$TMP/other.tar.gz refused 'is not a Linux source tree' "$find_source"
verdict "KERNEL_TARBALL: not a kernel"
tar -C "$TMP" -czf "$TMP/two.tar.gz" empty old
KERNEL_TARBALL=$TMP/two.tar.gz refused 'does not hold one folder' "$find_source"
verdict "KERNEL_TARBALL: more than one folder"
! compgen -G "$TMP/cache/tandem/source/tarball-*/" >/dev/null
verdict "KERNEL_TARBALL: none of these left a source"
for kind in gz xz; do
	copy=$(KERNEL_TARBALL=$TMP/good.tar.$kind "$find_source" 2>"$TMP/out") && [[ -e $copy/mm/hmm.c ]]
	verdict "KERNEL_TARBALL: .tar.$kind"
done
rm -rf "$copy"
mkdir -p "$copy.new/linux-7.3.1/mm"
[[ $(KERNEL_TARBALL=$TMP/good.tar.xz "$find_source" 2>"$TMP/out") == "$copy" && -e $copy/mm/hmm.c && ! -e $copy.new ]]
verdict "KERNEL_TARBALL: goes through after an unpacking that was interrupted"

mkdir "$TMP/disk"
if mount -t tmpfs -o size=4m tmpfs "$TMP/disk" 2>/dev/null; then
	XDG_CACHE_HOME=$TMP/disk KERNEL_TARBALL=$TMP/good.tar.xz refused 'make room, or give another folder' "$find_source"
	verdict "a disk that is full"
	umount "$TMP/disk"
else
	N=$((N + 1))
	echo "ok $N a disk that is full # SKIP a small file system cannot be mounted here"
fi

exec 9>"$TMP/cache/tandem/source/tarball-$( (stat -c '%n %s %Y' "$TMP/good.tar.xz") | sha1sum | cut -c1-8).lock"
flock 9
KERNEL_TARBALL=$TMP/good.tar.xz timeout 2 "$find_source" >"$TMP/out" 2>&1
grep -q 'waiting for another run' "$TMP/out"
verdict "a second run waits for the first, and reports that"
exec 9>&-

finish
