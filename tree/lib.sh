# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every script here shares: the options, the folders, messages, steps, locks and the toolchain.

set -euo pipefail
shopt -s inherit_errexit nullglob
set -E
trap 'echo "tandem: $0 stopped at line $LINENO: $BASH_COMMAND" >&2' ERR

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KERNEL=${KERNEL:-7.3}
ARCH=${ARCH:-x86-64}
# As the kernel and its makefiles call them.
case $ARCH in
x86 | x86_64) ARCH=x86-64 ;;
aarch64) ARCH=arm64 ;;
esac
PAGES=${PAGES:-4k}
J=${J:-$(nproc)}
ACCEL=${ACCEL:-auto}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/tandem
BUILD=$(realpath -m "${BUILD:-$CACHE/build}")
LOGS=$CACHE/logs
# What names a kernel source in folder names: its version, or which folder or tarball of the user's it is.
if [[ ${KDIR:-} ]]; then
	TAG=kdir-$(realpath -m "$KDIR" | sha1sum | cut -c1-8)
elif [[ ${KERNEL_TARBALL:-} ]]; then
	TAG=tarball-$( (stat -c '%n %s %Y' "$KERNEL_TARBALL" 2>/dev/null || echo "$KERNEL_TARBALL") | sha1sum | cut -c1-8)
else
	TAG=$KERNEL
fi
mkdir -p "$CACHE" "$BUILD" "$LOGS" ||
	{ echo "tandem: $CACHE or $BUILD cannot be made: give BUILD= or XDG_CACHE_HOME= a folder that can" >&2; exit 1; }

# make's own flags would leak into the kernel's build.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

[[ $KERNEL =~ ^[0-9]+\.[0-9]+$ ]] || { echo "tandem: KERNEL=$KERNEL: give a version such as 7.3 or 7.2" >&2; exit 1; }
[[ $ARCH =~ ^(x86-64|arm64)$ ]] || { echo "tandem: ARCH=$ARCH: give x86-64 or arm64" >&2; exit 1; }
[[ $PAGES == 4k || $ARCH-$PAGES == arm64-64k ]] || { echo "tandem: PAGES=$PAGES: give 4k or, with ARCH=arm64, 64k" >&2; exit 1; }
[[ $J =~ ^[1-9][0-9]*$ ]] || { echo "tandem: J=$J: give a number of jobs" >&2; exit 1; }
[[ $ACCEL =~ ^(auto|kvm|tcg)$ ]] || { echo "tandem: ACCEL=$ACCEL: give auto, kvm or tcg" >&2; exit 1; }

info() { printf '%s\n' "$*" >&2; }
# An error that the user can fix: one clear sentence, no line numbers.
die() { trap - ERR; printf 'tandem: %s\n' "$*" >&2; exit 1; }

# version: that of the last tag v*, with the number of commits since then; of an archive of `make dist`, its VERSION.
version() {
	local version
	if [[ -e $ROOT/VERSION ]]; then
		cat "$ROOT/VERSION"
	elif version=$(git -C "$ROOT" describe --tags --match 'v[0-9]*' 2>/dev/null); then
		echo "${version#v}"
	elif version=$(git -C "$ROOT" rev-parse --short=12 HEAD 2>/dev/null); then
		echo "0-$(git -C "$ROOT" rev-list --count HEAD)-g$version"
	else
		echo unknown
	fi
}

# One extended regular expression for everything in tree/splats.
splats() { grep -v '^#' "$ROOT/tree/splats" | paste -sd'|'; }

elapsed() { printf '%d:%02d' $((($1) / 60)) $((($1) % 60)); }

# begin NAME STEPS: the run's log and the number of its steps.
begin() {
	LOG=$LOGS/$1-$(date +%Y%m%d-%H%M%S).log STEP=0 STEPS=$2
	: >"$LOG"
	ln -sfn "$(basename "$LOG")" "$LOGS/$1.log"
}

# step WHAT COMMAND...: run a command with its output in the log; show the number of the step, its last line of output
# and its time. If the command fails, show the end of the log and its path.
step() {
	local what=$1 start=$SECONDS head pid status=0 last
	shift
	STEP=$((STEP + 1))
	head="[$STEP/$STEPS] $what"
	printf '\n=== %s: %s\n' "$head" "$*" >>"$LOG"
	[[ -t 2 ]] || info "$head"
	"$@" >>"$LOG" 2>&1 </dev/null &
	pid=$!
	# shellcheck disable=SC2064
	trap "kill $pid 2>/dev/null; exit 130" INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		if [[ -t 2 ]]; then
			last=$(tail -n 1 "$LOG" | tr -d '\r' | cut -c1-"$((${COLUMNS:-$(tput cols 2>/dev/null || echo 80)} - ${#head} - 12))") || last=
			printf '\r\033[K%s  %s  \033[2m%s\033[m' "$head" "$(elapsed $((SECONDS - start)))" "$last" >&2
		elif (((SECONDS - start) % 30 == 29)); then
			info "    $(elapsed $((SECONDS - start)))  $(tail -n 1 "$LOG")"
			sleep 1
		fi
		sleep 0.3
	done
	wait "$pid" || status=$?
	trap - INT TERM
	if ((status)); then
		[[ ! -t 2 ]] || printf '\r\033[K' >&2
		info "$head: failed after $(elapsed $((SECONDS - start))); the end of its log:"
		tail -n 15 "$LOG" | sed 's/^/    /' >&2
		disk_full || true
		die "the whole log: $LOG"
	fi
	[[ ! -t 2 ]] || printf '\r\033[K' >&2
	if [[ -t 2 ]] || ((SECONDS - start > 1)); then
		info "$head: done in $(elapsed $((SECONDS - start)))"
	fi
}

# disk_full: name our folder whose disk is full, if there is one.
disk_full() {
	local folder
	for folder in "$CACHE" "$BUILD" "${TMPDIR:-/tmp}"; do
		(($(df --output=avail -k "$folder" | tail -1) > 102400)) && continue
		info "the disk that holds $folder is full: make room, or give another folder (BUILD=, XDG_CACHE_HOME=), and run again"
		return 0
	done
	return 1
}

# room FOLDER GIB: stop before a long job that would not fit.
room() {
	local free
	free=$(($(df --output=avail -k "$1" | tail -1) / 1048576))
	((free >= $2)) || die "$1 has $free GiB free and this needs $2: make room, or give another folder (BUILD=, XDG_CACHE_HOME=)"
}

# lock NAME: one run at a time in a folder; the lock is released when the process ends.
lock() {
	local file=$1.lock
	mkdir -p "$(dirname "$file")"
	exec {lock_fd}>"$file"
	flock -n "$lock_fd" && return
	info "waiting for another run that is using $1"
	flock "$lock_fd"
}

# The newest clang from 19 down for which the linker is there too: its version suffix, as in LLVM=-19.
llvm_suffix() {
	local n
	for n in 19 21 20 18 17; do
		command -v "clang-$n" "ld.lld-$n" "llvm-nm-$n" >/dev/null && { echo "-$n"; return; }
	done
	return 1
}

# The first rustc that has its library's source and is new enough; the one on PATH may well have neither.
rust_dir() {
	local rustc sysroot version
	while read -r rustc; do
		sysroot=$("$rustc" --print sysroot 2>/dev/null) || continue
		version=$("$rustc" -V | awk '{ print $2 }')
		[[ -d $sysroot/lib/rustlib/src/rust/library ]] || continue
		[[ $(printf '%s\n' 1.85.0 "$version" | sort -V | head -1) == 1.85.0 ]] || continue
		dirname "$rustc"
		return
	done < <(type -ap rustc; ls /usr/lib/rust-*/bin/rustc /usr/bin/rustc 2>/dev/null)
	return 1
}

# A bindgen that is new enough: ours, else the machine's.
bindgen_path() {
	local bindgen version
	for bindgen in "$CACHE/tools/bin/bindgen" $(type -ap bindgen || true); do
		version=$("$bindgen" --version 2>/dev/null | awk '{ print $2 }') || continue
		[[ $(printf '%s\n' 0.71.0 "$version" | sort -V | head -1) == 0.71.0 ]] || continue
		echo "$bindgen"
		return
	done
	return 1
}

# toolchain TREE: what the kernel's make is given, in TOOLCHAIN, and its environment: reproducible builds, whose compiled
# C is cached across build folders.
toolchain() {
	local rust bindgen
	rust=$(rust_dir) || die "no rustc with its library source: run 'make doctor'"
	bindgen=$(bindgen_path) || die "no bindgen: 'make demo' installs or builds it"
	export CCACHE_DIR=$CACHE/ccache CCACHE_BASEDIR=$1 CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=5G
	# The lists of headers that Kbuild has the compiler write will do: no second preprocessing, a sixth off a first build.
	export CCACHE_DEPEND=1
	export KBUILD_BUILD_TIMESTAMP='2026-01-01' KBUILD_BUILD_USER=tandem KBUILD_BUILD_HOST=tandem
	TOOLCHAIN=(LLVM="$LLVM" RUSTC="$rust/rustc" HOSTRUSTC="$rust/rustc" RUSTFMT="$rust/rustfmt" RUSTDOC="$rust/rustdoc"
		   CLIPPY_DRIVER="$rust/clippy-driver" BINDGEN="$bindgen" "${ARCH_ARGS[@]}")
}

# kmake TREE ARGS...: the kernel's make with our toolchain.
kmake() {
	local tree=$1 TOOLCHAIN
	shift
	toolchain "$tree"
	PATH=/usr/lib/ccache:$PATH make -C "$tree" "${TOOLCHAIN[@]}" "$@"
}

# kernel_version TREE: as 7.3, also if it cannot be built.
kernel_version() { awk '$1 == "VERSION" { v = $3 } $1 == "PATCHLEVEL" { print v "." $3; exit }' "$1/Makefile"; }

# fragments: set FRAGMENTS to those of FLAVOUR for the kernel in TREE; of two lines for an option, the later one wins.
fragments() {
	local newest version
	version=$(kernel_version "$TREE")
	# What was renamed is in base-VERSION.config: this kernel's, or the latest one before it.
	newest=$({ cd "$ROOT/tree/config" && printf '%s\n' base-*.config; echo "base-$version.zthis"; } | sort -V |
		sed '/zthis$/Q' | tail -n 1)
	newest=${newest%.config}
	case $FLAVOUR in
	users) FRAGMENTS=(users) ;;
	debug) FRAGMENTS=(base "$newest" vm "vm-$ARCH" debug) ;;
	uml-debug) FRAGMENTS=(base "$newest" uml uml-debug) ;;
	vm) FRAGMENTS=(base "$newest" vm "vm-$ARCH") ;;
	coverage | kcsan | real | rt | trace) FRAGMENTS=(base "$newest" vm "vm-$ARCH" "$FLAVOUR") ;;
	*) FRAGMENTS=(base "$newest" "$FLAVOUR") ;;
	esac
	[[ $PAGES == 4k || $FLAVOUR == uml* ]] || FRAGMENTS+=("pages-$PAGES")
	FRAGMENTS=("${FRAGMENTS[@]/#/$ROOT/tree/config/}")
	FRAGMENTS=("${FRAGMENTS[@]/%/.config}")
}

# merge_config TREE FRAGMENT...: configure TREE with the fragments, of which a later one wins, and with everything else
# off. Prints which lines Kconfig did not take over, and fails if there are any: without an option, tests would silently
# not run. The kernel's script merges, calls make and compares; make has our toolchain from MAKEFLAGS.
merge_config() {
	local tree=$1 TOOLCHAIN output
	shift
	toolchain "$tree"
	output=$(cd "$tree" && PATH=/usr/lib/ccache:$PATH MAKEFLAGS="-s -- ${TOOLCHAIN[*]}" \
		scripts/kconfig/merge_config.sh -n -Q "$@" 2>&1) || { printf '%s\n' "$output"; return 1; }
	! grep -A2 '^WARNING: ' <<<"$output"
}

# use_flavour NAME: where this flavour's tree is, how its make is called, which file boots (IMAGE), and what the compiler
# needs for the guest's programs (TARGET). User Mode Linux is always the host's.
use_flavour() {
	local pages=-$PAGES
	FLAVOUR=$1
	[[ -e $ROOT/tree/config/$FLAVOUR.config ]] || die "there is no flavour $FLAVOUR: see tree/config"
	WORK=$BUILD/$TAG-$FLAVOUR
	[[ $PAGES != 4k ]] || pages=
	[[ $ARCH == x86-64 || $FLAVOUR == uml* ]] || WORK=$BUILD/$TAG-$ARCH${pages}-$FLAVOUR
	TREE=$WORK/tree
	LLVM=$(llvm_suffix) || die "no clang with lld from 17 on: run 'make doctor'"
	case $FLAVOUR-$ARCH in
	uml-*) ARCH_ARGS=(ARCH=um OBJCOPY=objcopy) IMAGE=linux TARGET=() ;;
	*-x86-64) ARCH_ARGS=(ARCH=x86) IMAGE=vmlinux TARGET=() ;;
	*-arm64) ARCH_ARGS=(ARCH=arm64) IMAGE=arch/arm64/boot/Image TARGET=(--target=aarch64-linux-gnu -fuse-ld=lld) ;;
	esac
}

# idle_parts SCRIPT FILE: the first line of each s command of a sed script that replaces nothing in the file.
idle_parts() {
	sed --debug "$1" "$2" | awk '
		/^SED PROGRAM:/ { program = 1 }
		/^INPUT:/ { program = 0 }
		program && /^ *(\/.*\/ )?s\// && sub(/^  /, "") { idle[$0] }
		/^COMMAND: / { now = substr($0, 10) }
		/^MATCHED REGEX REGISTERS$/ { delete idle[now] }
		END { for (command in idle) print command }'
}
