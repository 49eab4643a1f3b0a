#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make dist gives the same archive twice, and what is in it works outside of git; the pre-commit hook checks what is in
# the index, and nothing else.
source "$(dirname "$0")/tap.sh.inc"
export BUILD=$TMP/build GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
unset LINT_SOURCE

# A repository of the files of this checkout, git's or not.
mkdir "$TMP/repo"
if git -C "$ROOT" rev-parse --git-dir >/dev/null 2>&1; then
	git -C "$ROOT" ls-files -z -co --exclude-standard | (cd "$ROOT" && xargs -0 ls -d 2>/dev/null) | (cd "$ROOT" && cpio -pdm --quiet "$TMP/repo")
else
	cp -a "$ROOT/." "$TMP/repo"
	rm -f "$TMP/repo/VERSION"
fi
cd "$TMP/repo" || exit
git init -q . && git add -A && git commit -qm one && git tag v0.1

echo >new
refused 'not committed' tree/dist
verdict "what is not committed is in no archive"
rm new
tree/dist "$TMP/a" >"$TMP/out" 2>&1 && [[ -e $TMP/a/tandem-0.1.tar.xz ]] && (cd "$TMP/a" && sha256sum -c --quiet ./*.sha256) >"$TMP/out" 2>&1
verdict "a tag is the version, and the checksum is right"
git clone -q . "$TMP/clone" && (umask 077 && cd "$TMP/clone" && TZ=Asia/Tokyo tree/dist "$TMP/b") >"$TMP/out" 2>&1 &&
	cmp "$TMP"/{a,b}/tandem-0.1.tar.xz
verdict "a clone with another umask gives the same file"
git commit -q --allow-empty -m two && tree/dist "$TMP/a" >"$TMP/out" 2>&1 && compgen -G "$TMP/a/tandem-0.1-1-g*.tar.xz" >"$TMP/out"
verdict "a commit after a tag has a version of its own"

mkdir "$TMP/unpacked" && tar -C "$TMP/unpacked" -xf "$TMP/a/tandem-0.1.tar.xz" && cd "$TMP/unpacked/tandem-0.1" || exit
diff -r --exclude=.git --exclude=VERSION . "$TMP/repo" >"$TMP/out"
verdict "the archive has every file"
# Whether packages are missing is another question.
tree/doctor >"$TMP/out" 2>&1 || ! grep -q 'stopped at line' "$TMP/out"
grep -q '^ok .*Tandem 0.1$' "$TMP/out"
verdict "outside of git: make doctor"
LINT_SOURCE=none tree/lint README.md tree/lint Makefile >"$TMP/out" 2>&1 && grep -q '^ok .* links$' "$TMP/out"
verdict "outside of git: make lint"
selftests/meta/docs/pages.py . >"$TMP/out" 2>&1
verdict "outside of git: the check of the pages"
fake_kernel "$TMP/kernel"
kernels_files "$TMP/kernel"
tree/assemble "$(KDIR=$TMP/kernel tree/source 2>/dev/null)" "$TMP/tree" >"$TMP/out" 2>&1 && [[ -e $TMP/tree/mm/hmm/Kbuild && ! -e $TMP/tree/VERSION ]]
verdict "outside of git: a kernel tree is assembled"

cd "$TMP/clone" || exit
tree/hook >"$TMP/out" 2>&1 && tree/hook >"$TMP/out" 2>&1
verdict "make hook, twice"
# committed TEXT: whether a commit with this text is made.
committed() { git commit -q "${options[@]}" -m "$1" >"$TMP/out" 2>&1; }
commit() { committed "page: $1"$'\n\nFor this test.\n\nSigned-off-by: t <t@t>'; }
options=(--allow-empty)
! committed 'one' && grep -q "is not 'area: what it does'" "$TMP/out" && grep -q 'no body' "$TMP/out" && grep -q 'not signed off' "$TMP/out"
verdict "a text without area, body and sign-off is refused"
! committed "docs: $(printf '%071d' 0)"$'\n\nWhy.\n\nSigned-off-by: t <t@t>' && grep -q 'has 77 columns' "$TMP/out"
verdict "a subject of more than 75 columns is, too"
committed $'docs: one\n\nWhy.\n\nSigned-off-by: t <t@t>' && committed "Merge branch 'one'"
verdict "others are not, and merges have git's own text"
options=()
echo 'A page.' >page.md && git add page.md && commit good
verdict "a good file is committed"
echo 'To [nowhere](nowhere.md).' >page.md && git add page.md && ! commit bad && grep -q 'nowhere.md, which does not exist' "$TMP/out"
verdict "a bad one is not"
echo 'A better page.' >page.md && git add page.md && echo 'To [nowhere](nowhere.md).' >page.md && commit index
verdict "what is not in the index does not count"
git add page.md && echo 'Mended.' >page.md && ! commit index
verdict "and cannot hide what is"
git checkout -qf HEAD && git rm -q docs/mirrorable.md && ! commit removed && grep -q 'mirrorable.md, which does not exist' "$TMP/out"
verdict "a page that is removed leaves no links to it"
git checkout -qf HEAD && git config core.hooksPath other && refused 'git runs the hooks in other already' tree/hook
verdict "hooks of another place are not replaced"
finish
