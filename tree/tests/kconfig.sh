#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The top-level Kconfig reaches every option of ours, and sources exactly what is inserted into the kernel's Kconfig files.
source "$(dirname "$0")/tap.sh.inc"
cd "$ROOT" || exit

# The file of this repository that becomes PATH of an assembled tree.
ours() { case $1 in samples/hmm/*) echo "samples/${1#samples/hmm/}" ;; *) echo "c/$1" ;; esac; }

sourced() { sed -n 's/^[[:space:]]*source "\(.*\)"$/\1/p' "$@" | sort; }

# The options of a Kconfig file and of those that it sources.
options() {
	local path
	sed -nE 's/^[[:space:]]*(menu)?config ([A-Z0-9_]+)$/\2/p' "$1"
	for path in $(sourced "$1"); do
		options "$(ours "$path")"
	done
}

find c samples -name Kconfig -exec sed -nE 's/^[[:space:]]*(menu)?config ([A-Z0-9_]+)$/\2/p' {} + | sort >"$TMP/declared"
options Kconfig | sort | diff - "$TMP/declared" >"$TMP/out" && grep -qx HMM_DEVMEM "$TMP/declared"
verdict "every option of ours is reached from the top-level Kconfig, once"
diff <(sourced Kconfig) <(find c -name 'Kconfig.insert' | while read -r file; do sourced "$file"; done | sort) >"$TMP/out"
verdict "the kernel's Kconfig files source the same"
finish
