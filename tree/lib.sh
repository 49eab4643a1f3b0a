# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every script here shares: the options, the folders, messages, steps, locks and the toolchain.

set -euo pipefail
shopt -s inherit_errexit nullglob
set -E
trap 'echo "tandem: $0 stopped at line $LINENO: $BASH_COMMAND" >&2' ERR

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KERNEL=${KERNEL:-7.3}
J=${J:-$(nproc)}
ACCEL=${ACCEL:-auto}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/tandem
BUILD=$(realpath -m "${BUILD:-$CACHE/build}")
LOGS=$CACHE/logs
mkdir -p "$CACHE" "$BUILD" "$LOGS"

# make's own flags would leak into the kernel's build.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

say() { printf '%s\n' "$*" >&2; }
die() { printf 'tandem: %s\n' "$*" >&2; exit 1; }

# lock NAME: one run at a time in a folder; the lock goes with the process.
lock() {
	local file=$1.lock
	mkdir -p "$(dirname "$file")"
	exec {lock_fd}>"$file"
	flock -n "$lock_fd" && return
	say "waiting for another run that is using $1"
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

bindgen_path() {
	if [[ -x $CACHE/tools/bin/bindgen ]]; then
		echo "$CACHE/tools/bin/bindgen"
	else
		type -P bindgen
	fi
}

# kmake TREE ARGS...: the kernel's make with our toolchain, reproducible and cached across build folders.
kmake() {
	local tree=$1 rust
	shift
	rust=$(rust_dir) || die "no rustc with its library source: run 'make doctor'"
	export CCACHE_DIR=$CACHE/ccache CCACHE_BASEDIR=$tree CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=5G
	export KBUILD_BUILD_TIMESTAMP='2026-01-01' KBUILD_BUILD_USER=tandem KBUILD_BUILD_HOST=tandem
	PATH=/usr/lib/ccache:$PATH make -C "$tree" LLVM="$LLVM" \
		RUSTC="$rust/rustc" HOSTRUSTC="$rust/rustc" RUSTFMT="$rust/rustfmt" RUSTDOC="$rust/rustdoc" \
		CLIPPY_DRIVER="$rust/clippy-driver" BINDGEN="$(bindgen_path)" "${ARCH_ARGS[@]}" "$@"
}

# use_flavour NAME: where this flavour's tree is and how its make is called.
use_flavour() {
	FLAVOUR=$1
	WORK=$BUILD/$KERNEL-$FLAVOUR
	TREE=$WORK/tree
	LLVM=$(llvm_suffix) || die "no clang with lld from 17 on: run 'make doctor'"
	ARCH_ARGS=()
	[[ $FLAVOUR != uml ]] || ARCH_ARGS=(ARCH=um OBJCOPY=objcopy)
}
