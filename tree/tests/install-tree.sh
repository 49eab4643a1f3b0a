#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make install-tree: our files are in a tree of its own, configured; the user's is as it was, and stays so.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/tandem/tools
source "$(dirname "$0")/tap.sh.inc"
mkdir -p "$TMP/cache/tandem"
ln -s "$tools" "$TMP/cache/tandem/tools"
install_tree=$ROOT/tree/install-tree
fake_kernel "$TMP/mine"
kernels_files "$TMP/mine"
# It stands for the kernel's, which needs a kernel.
printf '#!/bin/sh\nshift 2\ncat "$@" >.config\n' >"$TMP/mine/scripts/kconfig/merge_config.sh"
chmod +x "$TMP/mine/scripts/kconfig/merge_config.sh"
chmod -R a-w "$TMP/mine"
state() { (cd "$TMP/mine" && find . -printf '%p %m %T@ %C@ %s\n' | sort); }
before=$(state)
cd "$TMP" || exit
export KDIR=$TMP/mine

refused 'give the new tree' "$install_tree" ''
verdict "no folder"
refused 'exists: give another DIR=' "$install_tree" "$TMP/mine"
verdict "a folder that exists"
refused 'there is no folder' "$install_tree" "$TMP/none/linux"
verdict "a folder in none"
FLAVOUR=odd refused 'there is no flavour odd' "$install_tree" "$TMP/linux"
verdict "an unknown flavour"
! compgen -G "$TMP/linux*" >"$TMP/out"
verdict "none of these left a tree"
"$install_tree" "$TMP/linux" >"$TMP/out" 2>&1 && [[ -e linux/mm/hmm/Kbuild && -e linux/include/linux/hmm_mirror.h ]] &&
	grep -q '^CONFIG_RUST=y' linux/.config && ! compgen -G 'linux/.tandem*' && ! compgen -G 'linux.*'
verdict "our files are in the new tree, and it is configured"
[[ ! $(find linux -type f \( -links +1 -o ! -writable \)) ]]
verdict "it shares no file, and all can be written"
echo "changed by the test" >>linux/mm/rmap.c
"$install_tree" "$TMP/second" >"$TMP/out" 2>&1 && ! grep -q "changed by the test" second/mm/rmap.c
verdict "a change in it is in no other tree"
[[ $(state) == "$before" ]]
verdict "the user's tree is as it was"
finish
