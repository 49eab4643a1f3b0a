#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The patches from `make series` apply to a plain tree with git am, and give what the assembly gives.
cache=${XDG_CACHE_HOME:-$HOME/.cache}
given=("${KERNEL:-7.3}" "${KDIR:-}" "${KERNEL_TARBALL:-}")
source "$(dirname "$0")/tap.sh.inc"
export XDG_CACHE_HOME=$cache KERNEL=${given[0]} KDIR=${given[1]} KERNEL_TARBALL=${given[2]} BUILD=$TMP/build

"$ROOT/tree/series" "$TMP/series" >"$TMP/out" 2>&1
verdict "the series is written"
source=$("$ROOT/tree/source" 2>"$TMP/out") && "$ROOT/tree/assemble" "$source" "$TMP/tree" >"$TMP/out" 2>&1
verdict "a tree is assembled beside it"

# A plain tree, of the files that the patches name.
mkdir "$TMP/plain"
(
	cd "$source" || exit
	sed -n 's|^--- a/||p' "$TMP"/series/*.patch | sort -u | xargs cp --parents -t "$TMP/plain"
	cd "$TMP/plain" && git init -q . && git add -A && git -c user.name=t -c user.email=t commit -qm kernel
) >"$TMP/out" 2>&1
git -C "$TMP/plain" -c user.name=t -c user.email=t am -q "$TMP"/series/*.patch >"$TMP/out" 2>&1
verdict "git am takes all of it"
mapfile -t staying < <(sed -n 's/^- //p' "$ROOT/tree/series.list")
stays() { grep -qxE "$(IFS='|'; echo "${staying[*]}")" <<<"$1"; }
while read -r file; do
	if [[ ! -e $TMP/plain/$file ]]; then
		stays "$file" || echo "missing: $file"
	elif ! cmp -s "$TMP/plain/$file" "$TMP/tree/$file"; then
		# A Kbuild file has no line for what stays.
		[[ $file == */Kbuild ]] && ! diff "$TMP/plain/$file" "$TMP/tree/$file" | grep '^<' || echo "different: $file"
	fi
done < <(sort -u "$TMP/tree/.tandem-laid") >"$TMP/out"
[[ ! -s $TMP/out && $(cd "$TMP/plain" && git ls-files | wc -l) -gt 150 ]]
verdict "file by file, that is what the assembly gives, but for what stays in this repository"
(($(find "$TMP/series" -name '*.patch' | wc -l) > 20)) &&
	(($(grep -c '^+' "$TMP"/series/*.patch | sort -t: -k2 -n | tail -n 1 | cut -d: -f2) < 6000))
verdict "it has more than 20 patches, none of more than 6,000 lines"
finish
