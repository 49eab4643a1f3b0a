# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For scripts that compile what a compiler must reject: whether it reports the errors that a file expects (`//~ CODE text`
# on the line; `-` for an error without a code) and no other. Needs $work, a folder.

# expected FILE: the errors that a driver expects, as `line code text`, one per line. //~^ refers to the line before.
expected() {
	awk '{ rest = $0; while (match(rest, /\/[\/*]~\^? [^~]*/)) {
		found = substr(rest, RSTART + 3, RLENGTH - 3); sub(/ *(\*\/|\/\/)? *$/, "", found)
		print sub(/^\^ /, "", found) ? NR - 1 : NR, found; rest = substr(rest, RSTART + RLENGTH - 1) } }' "$1"
}

# rust_errors FILE: what rustc reports with --error-format=short, as `line code text`; line 0 is that of another file.
rust_errors() {
	sed -E "s|^$1:|here:|; s|^[^: ]*\\.rs:[0-9]+:|here:0:|" |
		sed -nE 's/^here:([0-9]+):[0-9]+: error(\[(E[0-9]+)\])?: (.*)$/\1 \3 \4/p; /^error: (aborting|could not)/d; s/^error(\[E[0-9]+\])?: /0 - /p' |
		sed -E 's/^([0-9]+)  /\1 - /' | sort -n || true
}

# refused FILE: whether $work/got has all errors that the file expects, and none on other lines.
refused() {
	local wanted want line code text lines=none
	mapfile -t wanted < <(expected "$1")
	((${#wanted[@]} > 0)) || return
	for want in "${wanted[@]}"; do
		read -r line code text <<<"$want"
		lines="$lines|$line"
		grep -E "^$line $code " "$work/got" | grep -qF -- "$text" || return
	done
	! grep -qvE "^($lines) " "$work/got"
}
