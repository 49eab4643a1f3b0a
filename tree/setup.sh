# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the machine must have, and how it gets it.

BINDGEN_VERSION=0.73.2
# The latest that Debian 13's rustc compiles.
MDBOOK_VERSION=0.4.52

# need PACKAGES TEST...: notes the packages when the test fails.
need() {
	local packages=$1
	shift
	"$@" >/dev/null 2>&1 || MISSING+=("$packages")
}

# A python3 that draws; the first one on PATH may be one that Debian's packages are not for.
plots_python() {
	local python
	for python in $(type -ap python3) /usr/bin/python3; do
		"$python" -c 'import matplotlib' 2>/dev/null && { echo "$python"; return; }
	done
	return 1
}

# What a guest of arm64 needs besides; its busybox is fetched by tree/busybox.
missing_for_arm64() {
	local gcc=14
	! grep -qs '^VERSION_ID="12"' /etc/os-release || gcc=12
	need qemu-system-arm type -P qemu-system-aarch64
	need libc6-dev-arm64-cross test -e /usr/aarch64-linux-gnu/lib/libc.a
	need "libgcc-$gcc-dev-arm64-cross" eval 'compgen -G "/usr/lib/gcc-cross/aarch64-linux-gnu/*/libgcc.a"'
}

# Debian 12 has its newer Rust under other names, and no bindgen that is new enough: that one is built from source.
missing_packages() {
	local rust='rustc rust-src' cargo='cargo rustfmt' clippy='rust-clippy' bindgen='bindgen'
	MISSING=()
	if grep -qs '^VERSION_ID="12"' /etc/os-release; then
		rust='rustc-web rust-web-src' cargo='cargo-web rustfmt-web' clippy='rust-web-clippy' bindgen=
	fi
	need gcc type -P gcc
	need libc6-dev test -e /usr/include/stdio.h
	need 'clang-19 lld-19 llvm-19' llvm_suffix
	need libclang-19-dev eval 'compgen -G "/usr/lib/llvm-*/lib/libclang.so"'
	need libclang-rt-19-dev eval 'compgen -G "/usr/lib/llvm$(llvm_suffix)/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a"'
	need clang-format-19 eval 'compgen -c clang-format'
	need flex type -P flex
	need bison type -P bison
	need bc type -P bc
	need cpio type -P cpio
	need xz-utils type -P xz
	need file type -P file
	need libelf-dev test -e /usr/include/libelf.h
	need libssl-dev test -e /usr/include/openssl/ssl.h
	need ccache test -x /usr/lib/ccache/gcc
	need qemu-system-x86 type -P qemu-system-x86_64
	[[ $ARCH != arm64 ]] || missing_for_arm64
	need busybox-static eval 'file -L "$(type -P busybox)" | grep -q static'
	need kmod type -P kmod
	need spin type -P spin
	need python3 type -P python3
	need python3-clang-19 /usr/bin/python3 -c 'import clang.cindex'
	need "$rust" rust_dir
	need "$cargo" eval 'test -x "$(rust_dir)/cargo" && test -x "$(rust_dir)/rustfmt"'
	need "$clippy" eval 'test -x "$(rust_dir)/clippy-driver"'
	[[ -z $bindgen ]] || need "$bindgen" bindgen_path
	[[ -z ${PLOTS:-} ]] || need python3-matplotlib plots_python
}

apt_packages() {
	export DEBIAN_FRONTEND=noninteractive
	"${AS_ROOT[@]}" apt-get update
	"${AS_ROOT[@]}" apt-get install -y --no-install-recommends "$@"
}

setup_packages() {
	local packages answer
	missing_packages
	((${#MISSING[@]})) || { STEP=$((STEP + 1)); return 0; }
	read -ra packages <<<"${MISSING[*]}"
	AS_ROOT=()
	type -P apt-get >/dev/null ||
		die "this machine has no apt-get: install the counterparts of these Debian packages: ${packages[*]}"
	if ((EUID)); then
		sudo -n true 2>/dev/null || [[ -t 0 && $(type -P sudo) ]] ||
			die "packages are missing and there is no root to install them; as root: apt-get install ${packages[*]}"
		AS_ROOT=(sudo)
	fi
	if [[ -t 0 && -z ${YES:-} ]]; then
		info "These packages are missing: ${packages[*]}"
		read -rp "Install them with apt-get? [Y/n] " answer
		[[ -z $answer || $answer == [yY]* ]] || die "nothing was installed; YES=1 skips this question"
		((${#AS_ROOT[@]} == 0)) || sudo true
	fi
	step "packages: ${#packages[@]} to install" apt_packages "${packages[@]}"
}

# cargo_install CRATE VERSION OPTIONS...: into the cache folder's tools. cargo's own folder keeps what it downloaded, so an
# interrupted run goes on from there. Speed of the build matters more here than speed of what runs for seconds.
cargo_install() {
	local rust
	rust=$(rust_dir)
	room "$CACHE" 1
	RUSTC=$rust/rustc CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 \
		CARGO_NET_RETRY=5 "$rust/cargo" install --locked --version "$2" \
		--root "$CACHE/tools" --target-dir "$CACHE/tools/target" -j "$J" "${@:3}" "$1"
	rm -rf "$CACHE/tools/target"
}

build_bindgen() { cargo_install bindgen-cli "$BINDGEN_VERSION"; }
build_mdbook() { cargo_install mdbook "$MDBOOK_VERSION" --no-default-features --features search; }

# An mdBook: MDBOOK, ours, else the machine's.
mdbook_path() { type -P "${MDBOOK:-$CACHE/tools/bin/mdbook}" || type -P mdbook; }

# fetch_and_build: both at once, as the one waits for the network and the other for the compiler.
fetch_and_build() {
	local fetching
	"$ROOT/tree/source" &
	fetching=$!
	build_bindgen || { kill "$fetching"; return 1; }
	wait "$fetching"
}

setup_sources() {
	if bindgen_path >/dev/null; then
		step "kernel source" "$ROOT/tree/source"
	else
		step "kernel source, and bindgen $BINDGEN_VERSION, which is built" fetch_and_build
	fi
}
