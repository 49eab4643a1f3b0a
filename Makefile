# SPDX-License-Identifier: GPL-2.0
# `make help` lists the targets. Each is a short script in tree/; see docs/building.md.

KERNEL	?= 7.3
FLAVOUR	?= vm
ACCEL	?= auto
DRIVER	?=
J	?= $(shell nproc)
# Where kernels are built; empty: the cache folder's build/.
BUILD	?=
export KERNEL KDIR KERNEL_TARBALL ACCEL DRIVER J BUILD YES

.DEFAULT_GOAL := help

kernel: ## assemble and build the kernel of FLAVOUR=vm|uml|debug
	@tree/build $(FLAVOUR)

vm: kernel ## boot that kernel and run ARGS='shell command' in it, or a shell
	@tree/programs $(FLAVOUR) && tree/initramfs $(FLAVOUR) && tree/run -f $(FLAVOUR) $(if $(ARGS),'$(subst ','\'',$(ARGS))')

kunit: ## run the KUnit suites as User Mode Linux, in seconds
	@tree/kunit

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

.PHONY: kernel vm kunit help
