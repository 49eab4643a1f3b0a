#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make docs: the book has all pages and no broken link; our pages of the kernel's documentation, built by its htmldocs,
# have no warning.
cache=${XDG_CACHE_HOME:-$HOME/.cache}
given=("${KERNEL:-7.3}" "${KDIR:-}" "${KERNEL_TARBALL:-}")
source "$(dirname "$0")/tap.sh.inc"
export XDG_CACHE_HOME=$cache KERNEL=${given[0]} KDIR=${given[1]} KERNEL_TARBALL=${given[2]} BUILD=$TMP/build

skipped() {
	N=$((N + 1))
	echo "ok $N $1 # SKIP $2"
}

"$ROOT/tree/book" "$ROOT" "$TMP/book" >"$TMP/out" 2>&1 &&
	[[ $(grep -c '^- \[.*](docs/' "$TMP/book/src/SUMMARY.md") == $(ls "$ROOT"/docs/*.md | wc -l) ]]
verdict "the book has every page of docs/"
mkdir "$TMP/html"
echo '<h1 id="top">A</h1><a href="#top">good</a><a href="sub.html#there">good</a>' >"$TMP/html/a.html"
echo '<h1 id="there">B</h1><img src="a.html">' >"$TMP/html/sub.html"
"$ROOT/tree/book" --check "$TMP/html" >"$TMP/out"
verdict "good links of the book pass"
echo '<a href="sub.html#nowhere">bad</a><a href="none.html">bad</a>' >"$TMP/html/bad.html"
! "$ROOT/tree/book" --check "$TMP/html" >"$TMP/out" && [[ $(wc -l <"$TMP/out") == 2 ]]
verdict "bad ones do not"
if [[ -x $cache/tandem/tools/bin/mdbook ]] || type -P mdbook >/dev/null; then
	"$ROOT/tree/docs" book >"$TMP/out" 2>&1 && [[ $(find "$TMP/build" -path '*html/docs/first-mirror.html') ]]
	verdict "make docs: the book, links included"
else
	skipped "make docs: the book, links included" "no mdbook (make docs builds it)"
fi
if command -v "${SPHINX:-sphinx-build}" >/dev/null; then
	"$ROOT/tree/docs" kernel >"$TMP/out" 2>&1
	verdict "make docs: no warning in the kernel's pages"
	page=$(find "$TMP/build" -path '*html/kernel/devmem.html')
	[[ $page ]] && sed 's/<[^>]*>//g' "$page" | grep -q 'int (\*copy)(struct hmm_devmem \*devmem, struct page \*dst' 2>"$TMP/out"
	verdict "a member with a contract is on its page, without the contract"
else
	skipped "make docs: the kernel's pages" "no sphinx-build (package python3-sphinx)"
fi
finish
