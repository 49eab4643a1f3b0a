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
	sed -n 's|^--- a/||p' "$TMP"/series/*.patch | sort -u | xargs cp --parents -t "$TMP/plain" 2>&1 |
		grep -v 'cannot stat'		# what an earlier patch brings
	cd "$TMP/plain" && git init -q . && git add -A && git -c user.name=t -c user.email=t commit -qm kernel
) >"$TMP/out" 2>&1
git -C "$TMP/plain" -c user.name=t -c user.email=t am -q --empty=drop "$TMP"/series/*.patch >"$TMP/out" 2>&1
verdict "git am takes all of it"

list=$ROOT/tree/series.list
mapfile -t staying < <(sed -n 's/^- //p' "$list")
stays() { grep -qxE "$(IFS='|'; echo "${staying[*]}")" <<<"$1"; }
# With the options of the series.
renamed() { sed -E "$(sed -nE 's/^= (\S+) (\S+)$/s,\\b(CONFIG_)?\1\\b,\\1\2,g/p' "$list")" "$1"; }
while read -r file; do
	if [[ ! -e $TMP/plain/$file ]]; then
		stays "$file" || echo "missing: $file"
	elif ! stays "$file" && ! renamed "$TMP/tree/$file" | cmp -s "$TMP/plain/$file" -; then
		# A Kbuild or Kconfig file has no line for what stays, and no file has one for another kernel.
		[[ $file == */Kbuild || $file == */Kconfig ]] || grep -q '^#if.*LINUX_VERSION_CODE' "$TMP/tree/$file" &&
			! diff "$TMP/plain/$file" <(renamed "$TMP/tree/$file") | grep '^<' || echo "different: $file"
	fi
done < <(sort -u "$TMP/tree/.tandem-laid") >"$TMP/out"
[[ ! -s $TMP/out && $(cd "$TMP/plain" && git ls-files | wc -l) -gt 150 ]]
verdict "file by file, that is what the assembly gives, but for what stays in this repository"
grep -rlE '^#if.*LINUX_VERSION_CODE' "$TMP/tree"/{mm,samples}/hmm | wc -l | grep -qx 3 &&
	! grep -rnE '^#if.*LINUX_VERSION_CODE' "$TMP/plain" >"$TMP/out"
verdict "no file tests the kernel's version"
# Of the kernel's files that stay, notices and declarations do: lines are added, and few are changed.
(
	cd "$TMP/plain" || exit
	git diff --numstat "$(git rev-list --max-parents=0 HEAD)" --diff-filter=M |
		awk '$2 > ($3 ~ /(dmem|rxe_odp)\.c$/ ? 12 : 4)'
	git diff -U0 "$(git rev-list --max-parents=0 HEAD)" --diff-filter=M | grep -iE '^-.*(copyright|SPDX|authors?:)'
) >"$TMP/out"
[[ ! -s $TMP/out ]] && (cd "$TMP/plain" && git diff --name-only --diff-filter=M "$(git rev-list --max-parents=0 HEAD)" |
	grep -qx include/linux/hmm.h)
verdict "what stays of the kernel's keeps its notices, and few lines of a file are changed"
mapfile -t removed < <(sed -n 's/^x //p' "$list")
for file in "${removed[@]}"; do
	[[ -e $source/$file && ! -e $TMP/plain/$file ]] || echo "still there: $file"
	! grep -w "$(basename "$file" .c)\.o" "$TMP/plain/$(dirname "$file")/Makefile" || echo "still built: $file"
done >"$TMP/out"
[[ ! -s $TMP/out ]] && ((${#removed[@]}))
verdict "the files of the kernel that it replaces are removed"

patches=("$TMP"/series/*.patch)
for patch in "${patches[@]:1}"; do
	# The header of a mail folds a long subject.
	subject=$(sed -n '/^Subject: /,/^$/p' "$patch" | tr -d '\n' | sed 's/^Subject: \[PATCH [0-9/]*\] //')
	((${#subject} <= 75)) || echo "${#subject} columns: $subject"
	body=$(sed -n '/^Subject: /,/^---$/p' "$patch" | sed '1,/^$/d' | grep -vE '^(Signed-off-by: .*|---|)$')
	((${#body} > 40)) || echo "gives no reason: $subject"
	! grep -vE '^  ' <<<"$body" | grep -E '.{76}' || echo "too wide: $subject"
	! git config user.email >/dev/null || grep -q "^Signed-off-by: .*<$(git config user.email)>" "$patch" ||
		echo "not signed off: $subject"
done >"$TMP/out"
[[ ! -s $TMP/out ]]
verdict "each patch has a subject, a reason and a sign-off"
grep -q '^Subject: \[PATCH 00*/[0-9]*\] mm/hmm: ' "${patches[0]}" && grep -q '^A driver whose device' "${patches[0]}" &&
	! grep -n 'HERE \*\*\*' "${patches[0]}" >"$TMP/out"
verdict "there is a cover letter"
# Not counted: what is generated, and what the generator's tests read.
generated='(.*_typed\.h|.*/Cargo\.lock|rust/kernel/hmm/(mirror|devmem)\.rs|rust/kernel/contract_examples/.*'
generated+='|rust/helpers/(hmm|contract)_.*\.c|scripts/contract_bindgen/tests/(errors|golden)/.*)'
cd "$TMP/plain" || exit
for commit in $(git rev-list --reverse HEAD | tail -n +2); do
	lines=$(git show --numstat --format= "$commit" | awk -v skip="^$generated\$" '$3 !~ skip { n += $1 } END { print n + 0 }')
	((lines <= 3000)) || echo "$lines lines: $(git log -1 --format=%s "$commit")"
done >"$TMP/out"
[[ ! -s $TMP/out ]] && ((${#patches[@]} > 20))
verdict "it has more than 20 patches, none of more than 3,000 written lines"
# A file is compiled from the patch on that brings it.
for commit in $(git rev-list --reverse HEAD | tail -n +2); do
	while read -r file; do
		folder=$(dirname "$file")
		{ git show "$commit:$folder/Kbuild" || git show "$commit:$folder/Makefile"; } 2>/dev/null |
			grep -qw "$(basename "${file%.*}")\.o" || echo "$file: $(git log -1 --format=%s "$commit")"
	done < <(git show --diff-filter=A --name-only --format= "$commit" -- 'mm/hmm/*.c' 'samples/hmm/*.c')
done 2>&1 | grep -vE '^(mm/hmm/compat/hmm_.*\.c|samples/hmm/demo/.*):' >"$TMP/out"
[[ ! -s $TMP/out ]]
verdict "a C file of the kernel is named in Kbuild by the patch that brings it"
# A header of the series is there when a file includes it.
declare -A ours there
while read -r file; do
	[[ -e $source/$file ]] || ours[$file]=1
done < <(git ls-files '*.h')
for commit in $(git rev-list --reverse HEAD | tail -n +2); do
	while read -r file; do
		there[$file]=1
	done < <(git show --diff-filter=A --name-only --format= "$commit" -- '*.h')
	mapfile -t changed < <(git show --diff-filter=AM --name-only --format= "$commit" -- '*.c' '*.h' ':!tools')
	((${#changed[@]})) || continue
	while IFS=: read -r _ file name; do
		name=${name#\#include ?} folder=${file%/*}
		name=${name%%[>\"]*}
		for file in "include/$name" "arch/x86/include/$name" "$folder/$name" "${folder%/*}/${name#../}"; do
			[[ ! ${ours[$file]:-} || ${there[$file]:-} ]] || echo "$file: $(git log -1 --format=%s "$commit")"
		done
	done < <(git grep -E '^#include [<"]' "$commit" -- "${changed[@]}")
done >"$TMP/out"
[[ ! -s $TMP/out ]] && ((${#there[@]} > 30))
verdict "a patch that includes a header of the series comes after it"
! git log --format=%B | grep -E '\{[^}]*/' >"$TMP/out"
verdict "each text names patches by their numbers"
! git grep -nE '(docs/[a-z-]+\.md|bindings/(generator|renew))\b' -- mm include rust tools samples scripts >"$TMP/out"
verdict "no comment names a file of this repository that the series does not have"
cd "$ROOT" || exit
finish
