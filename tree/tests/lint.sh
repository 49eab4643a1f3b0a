#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tree/lint: each check finds what it is for, a count may not grow, and --record takes smaller counts only.
cache=${XDG_CACHE_HOME:-$HOME/.cache}
given=("${KERNEL:-7.3}" "${KDIR:-}" "${KERNEL_TARBALL:-}")
source "$(dirname "$0")/tap.sh.inc"
LINT_SOURCE=$(XDG_CACHE_HOME=$cache KERNEL=${given[0]} KDIR=${given[1]} KERNEL_TARBALL=${given[2]} BUILD=$TMP/build \
	"$ROOT/tree/source" 2>/dev/null)
export LINT_SOURCE

mkdir -p "$TMP"/repo/{tree,c/mm/hmm,samples,selftests/meta/docs}
cp -r "$ROOT"/tree/{lint,lint.d,kernel-doc,lib.sh} "$TMP/repo/tree"
cp "$ROOT/selftests/meta/docs/pages.py" "$TMP/repo/selftests/meta/docs"
cd "$TMP/repo" || exit
: >tree/lint.d/allowed
cat >c/mm/hmm/good.h <<'@'
/* SPDX-License-Identifier: GPL-2.0 */

/**
 * struct hmm_good - a structure with a contract on a member
 * @pages: number of pages
 */
struct hmm_good {
	unsigned long pages __contract("unit(pages)");
};

/**
 * hmm_good() - return its argument
 * @pages: number of pages
 *
 * Return: @pages.
 */
int hmm_good(int pages __contract("unit(pages)"));
@
lint() { tree/lint "$@" >"$TMP/out" 2>&1; }

lint
verdict "good code passes, contracts included"

# finds CHECK FILE TEXT: with TEXT in FILE exactly CHECK fails.
finds() {
	local status=1
	if grep -q "^ok .* $1 # SKIP" "$TMP/first"; then
		N=$((N + 1))
		echo "ok $N $1 finds what it is for # SKIP it is not installed"
		return
	fi
	# shellcheck disable=SC2059
	printf "$3" "${@:4}" >"$2"
	! lint && [[ $(sed -n 's/^not ok [0-9]* //p' "$TMP/out") == "$1" ]] && grep -qF "# $2: " "$TMP/out" && status=0
	rm "$2"
	(exit "$status")
	verdict "$1 finds what it is for"
}
cp "$TMP/out" "$TMP/first"
finds checkpatch c/mm/hmm/bad.c '// SPDX-License-Identifier: GPL-2.0\nint hmm_bad(int a)\n{\n\tif(a)\n\t\treturn 1;\n\treturn 0;\n}\n'
finds kernel-doc c/mm/hmm/bad.c '// SPDX-License-Identifier: GPL-2.0\n\n/**\n * hmm_bad() - return zero\n */\nint hmm_bad(int a)\n{\n\treturn 0;\n}\n'
finds codespell c/mm/hmm/bad.txt 'It does not rec%sve it.\n' ie
finds shellcheck samples/bad '#!/bin/bash\n# SPDX-License-Identifier: GPL-2.0\ncd /nowhere\n'
finds rustfmt samples/bad.rs '// SPDX-License-Identifier: GPL-2.0\nfn  main() {}\n'
finds spdx samples/Kconfig 'config BAD\n'
finds links samples/bad.md 'To [a page](good.md).\n'
finds links samples/bad.md '# One\n\nTo [a heading](#two).\n'
finds links c/bad.rst '.. SPDX-License-Identifier: GPL-2.0\n\nSee Documentation/mm/nowhere.rst.\n'
mkdir -p bindings/generator/src
cp "$ROOT/bindings/generator/rustfmt.toml" bindings/generator
printf '[package]\nname = "g"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n' >bindings/generator/Cargo.toml
printf '# made by cargo\nversion = 3\n\n[[package]]\nname = "g"\nversion = "0.1.0"\n' >bindings/generator/Cargo.lock
finds clippy bindings/generator/src/lib.rs '// SPDX-License-Identifier: GPL-2.0\npub fn f(x: bool) -> bool {\n    x == true\n}\n'
rm -r bindings
mkdir other
printf 'F:\t*\nF:\tc/\nF:\tsamples/\nF:\tselftests/\nF:\ttree/\n' >MAINTAINERS
lint && sed -i 's/# SKIP there is no MAINTAINERS//' "$TMP/first"
finds maintainers other/file 'A text.\n'
rm -r other MAINTAINERS
finds terms samples/bad.txt 'The core %s the device.\n' "$(printf 't%sls' el)"

printf 'It %s.\n' "$(printf 't%sls' el)" >samples/old.txt
! lint --record && [[ ! -s tree/lint.d/allowed ]]
verdict "--record takes no larger count"
lint --accept && lint && grep -q $'^terms\tretired\tsamples/old.txt\t1$' tree/lint.d/allowed
verdict "--accept does, and what is recorded passes"
cat samples/old.txt samples/old.txt >samples/two.txt && mv samples/two.txt samples/old.txt
! lint
verdict "more than is recorded fails"
rm samples/old.txt
lint --record && ! grep -q old.txt tree/lint.d/allowed
verdict "--record takes a smaller count"
finish
