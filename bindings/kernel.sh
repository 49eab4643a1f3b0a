# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For scripts that compile against a kernel that was built: which kernel, and its compilers' commands.

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/tandem

# kernel_with_rust: sets OUT, the folder of a kernel in which Rust was built: KERNEL_OUT=, or one of tree/'s.
kernel_with_rust() {
	local build=${BUILD:-$CACHE/build}
	for OUT in ${KERNEL_OUT:-"$build/${KERNEL:-7.3}-vm/out" "$build"/*/out}; do
		[[ -e $OUT/rust/libkernel.rmeta ]] && return
	done
	echo "$0: no kernel with Rust was built: run 'make kernel' first, or set KERNEL_OUT=" >&2
	exit 1
}

# saved_command FILE: the command that Kbuild saved in one of its .cmd files.
saved_command() { sed -nE '1s/^[^=]*:= *([^;]*).*/\1/p' "$1"; }

# kernel_cc ARGS...: the C compiler as the kernel's build calls it, in $OUT, to check and not to write.
kernel_cc() {
	[[ ${CC_COMMAND:-} ]] || CC_COMMAND=$(saved_command "$OUT/kernel/.bounds.s.cmd" |
		sed -E 's/ -fverbose-asm .*//; s/ -Wp,-MMD,[^ ]*//')
	(cd "$OUT" && eval "$CC_COMMAND" -fsyntax-only '"$@"')
}

# kernel_rustc ARGS...: rustc as the kernel's build calls it for a driver, in $OUT.
kernel_rustc() {
	if [[ ! ${RUSTC_COMMAND:-} ]]; then
		# Without the options that are for the kernel crate itself.
		RUSTC_COMMAND=$(saved_command "$OUT/rust/.kernel.o.cmd" | sed -E \
			-e 's/ --emit=[^ ]*//g; s/ --crate-name [^ ]*//; s/ --extern [^ ]*//g; s# rust/kernel/lib.rs##' \
			-e 's/^(OBJTREE=[^ ]*) ([^ ]*)/\1 RUST_MODFILE=driver \2/')
	fi
	local features=arbitrary_self_types,asm_goto,generic_arg_infer,used_with_arg
	(export RUSTC_BOOTSTRAP=1 && cd "$OUT" && eval "$RUSTC_COMMAND" -Zallow-features=$features -Zcrate-attr=no_std \
		"-Zcrate-attr='feature($features)'" --extern kernel --extern pin_init --extern macros --extern ffi '"$@"')
}

# bindgen_for HEADER FILE ARGS...: Rust's view of a header, as the kernel's build makes it.
bindgen_for() {
	local bindgen=$CACHE/tools/bin/bindgen
	[[ -x $bindgen ]] || bindgen=bindgen
	"$bindgen" "$1" --use-core --with-derive-default --ctypes-prefix ffi --no-layout-tests --no-debug '.*' \
		--with-derive-custom-struct '.*=MaybeZeroable' --with-derive-custom-union '.*=MaybeZeroable' \
		--enable-function-attribute-detection --experimental --wrap-static-fns \
		--wrap-static-fns-path "$2.c" --rust-target 1.82 --output "$2" -- -I"$OUT/include" -std=gnu11 "${@:3}" \
		2>/dev/null
}
