# SPDX-License-Identifier: GPL-2.0
# `make help` lists the targets. Each is a short script in tree/; docs/building.md describes them.

KERNEL	?= 7.3
FLAVOUR	?= vm
ACCEL	?= auto
J	?= $(shell nproc)
OPTIONS	:= KERNEL ARCH PAGES SHORT AGAIN KDIR KERNEL_TARBALL KERNEL_SHA256 KERNEL_ORG FLAVOUR ACCEL DRIVER J BUILD YES ARGS SUITES LIMIT DURATION FILES COUNT SEED STAGES KEEP
# Those that are given: an export of the others would give the commands an empty value.
export $(foreach option,$(OPTIONS),$(if $($(option)),$(option)))

.DEFAULT_GOAL := help

demo:     ## set up what is missing, build, boot, and run the demo
	@tree/demo

check:    ## set up what is missing and run all tests; KTAP; DRIVER=c|rust|kernel for one driver's
	@tree/check

lint:     ## check the form of code and text: checkpatch, kernel-doc, spelling, shell, rustfmt, clippy, links, terms
	@tree/lint $(ARGS)

hook:     ## have git run make lint on the files of each commit, and look at its text
	@tree/hook

dist:     ## write a tarball of the last commit with its checksum to the BUILD folder
	@tree/dist

report:   ## write results, reliability and costs as one HTML page to the BUILD folder
	@tree/report

debug:    ## run all tests in a kernel with KASAN, lockdep, DEBUG_VM and kmemleak; the better part of an hour
	@FLAVOUR=debug LIMIT=$${LIMIT:-1800} tree/check

check-deep: ## run the long tests, about an hour and the builds: PARTS='races faults', DURATION=seconds of each; tree/deep -l
	@tree/deep $(PARTS)

coverage: ## count which lines of the core the tests reach, and list those that none does
	@tree/coverage

mutants:  ## make small changes of mm/hmm and count those that the tests notice: FILES='walk*', COUNT=300, STAGES='userland uml vm'
	@selftests/mutants/score $(ARGS)

kunit:    ## run the KUnit suites as User Mode Linux, in seconds; SUITES='pattern'; ARGS=-d: with KASAN and other checks
	@tree/kunit $(ARGS)

bench:    ## count the instructions per page of our core and of the kernel's
	@tree/bench

kernel:   ## assemble and build the kernel of FLAVOUR=vm|uml|debug|users or another of tree/config
	@tree/build $(FLAVOUR)

vm:       ## boot it and run ARGS='shell command' in it, or a shell
	@tree/build $(FLAVOUR) && tree/guest $(FLAVOUR) && tree/vm

new-driver: ## write a small driver that mirrors memory: NAME=foo LANG=c|rust, into DIR= (./NAME)
	@tree/new-driver "$(NAME)" "$(if $(filter command line,$(origin LANG)),$(LANG),c)" "$(DIR)"

ide:      ## write what clangd and rust-analyzer read into this checkout
	@tree/ide $(FLAVOUR)

install-tree: ## make a kernel tree with our core to develop in: DIR=, from KDIR= or the fetched source
	@tree/install-tree "$(DIR)"

real:     ## test RDMA on-demand paging on mirrors, with rdma-core's tests, beside the kernel's; ARGS=test
	@tree/real

trace:    ## run each command of docs/tracing.md in a guest: tracefs, perf and bpftrace; ARGS='sh perf'
	@tree/trace $(ARGS)

hmmtop:   ## build the terminal program that shows mirrors and device memory, and print where it is
	@tree/hmmtop

matrix:   ## compile HMM with every combination of its options
	@tree/matrix

kselftest-install: ## write the programs as the tarball that the kernel's kselftest makes
	@tree/farm -k

farm:     ## write kernel, initramfs, kselftest tarball and a LAVA job for test farms; AT=address of the folder
	@tree/farm $(AT)

series:   ## write the patches for a kernel tree, to `git am`
	@tree/series

docs:     ## build the documentation as a book with rustdoc and htmldocs; needs python3-sphinx
	@tree/docs

bindings: ## generate the bindings from the contracts
	@tree/bindings

doctor:   ## list what is missing on this machine, and the command that installs it
	@tree/doctor

clean:    ## remove the builds; sources, tools and the compiler cache stay
	@tree/clean

help:     ## list the targets and the options
	@sed -n 's/^\([a-z-]*\): *## /\1\t/p' Makefile | expand -t 19
	@echo; sed -n 's/^# option: //p' Makefile

# option: KERNEL=7.3|7.2         which Linux (7.3)
# option: ARCH=x86-64|arm64      the guest's architecture (x86-64)
# option: PAGES=4k|64k           the size of pages with ARCH=arm64 (4k); no tests of 64k yet
# option: SHORT=1                for check: a few minutes' worth of it, in the guest only
# option: AGAIN=1                for check: without what a check of another kernel has run
# option: KDIR=folder            your own kernel tree; it is copied, never touched
# option: KERNEL_TARBALL=x       a tarball as kernel.org publishes it: a file or its address
# option: KERNEL_SHA256=x        the checksum that it must have
# option: ACCEL=auto|kvm|tcg     what the VM runs on (auto: KVM if it works)
# option: DRIVER=c|rust|kernel   which driver check uses (all); the demo runs on c (default) or rust
# option: J=n                    jobs at once (one for each CPU)
# option: BUILD=folder           where kernels are built (the cache folder's build/)
# option: YES=1                  install packages without asking

.PHONY: demo check check-deep coverage mutants lint hook dist report debug kunit bench kernel vm real trace hmmtop matrix series docs bindings new-driver ide install-tree kselftest-install farm doctor clean help
