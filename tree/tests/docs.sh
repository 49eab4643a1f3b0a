#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Our pages of the kernel's documentation are built by the kernel's htmldocs, without a warning.
cache=${XDG_CACHE_HOME:-$HOME/.cache}
given=("${KERNEL:-7.3}" "${KDIR:-}" "${KERNEL_TARBALL:-}")
source "$(dirname "$0")/tap.sh.inc"
export XDG_CACHE_HOME=$cache KERNEL=${given[0]} KDIR=${given[1]} KERNEL_TARBALL=${given[2]} BUILD=$TMP/build

if ! command -v "${SPHINX:-sphinx-build}" >/dev/null; then
	echo "1..0 # SKIP no sphinx-build (package python3-sphinx)"
	exit
fi
"$ROOT/tree/docs" >"$TMP/out" 2>&1
verdict "make docs: no warning"
page=$(find "$TMP/build" -name devmem.html)
[[ $page ]] && sed 's/<[^>]*>//g' "$page" | grep -q 'int (\*copy)(struct hmm_devmem \*devmem, struct page \*dst' 2>"$TMP/out"
verdict "a member with a contract is on its page, without the contract"
finish
