# SPDX-License-Identifier: GPL-2.0-or-later
# What there is to do; `make help` lists it. ninja and meson do the
# work, so that what is up to date is left alone.

SHELL := /bin/bash
BUILD ?= build
SANITIZE := build-sanitize
COVERAGE := build-coverage
AARCH64 := build-aarch64

.PHONY: all
all: ## build QEMU with our device layer, and our own programs
	@scripts/build.sh $(BUILD)

.PHONY: demo
demo: all kernel ## a Fabric Manager adds and releases memory of a Linux guest
	@tools/demo.sh $(BUILD)

.PHONY: demo-pool
demo-pool: all kernel ## two Linux guests, in two QEMUs, with one pool of memory
	@tools/demo-pool.sh $(BUILD)

.PHONY: shell
shell: shell-needs all kernel ## a shell in that guest, with the Fabric Manager's program
	@tools/shell.sh $(BUILD) --i2c --usb

# what is missing is told before anything is built
.PHONY: shell-needs
shell-needs:
	@tools/shell.sh --needs

.PHONY: check
check: ## run every test
	@scripts/check.sh $(BUILD) unit qtest base guest tools style

.PHONY: check-unit check-qtest check-base check-guest check-tools check-style
check-unit: ## run the unit tests: models, readers, assembly of packets
check-qtest: ## run the tests of devices without a guest
check-base: ## run QEMU's own tests of CXL
check-guest: ## boot Linux and run what lives in it
check-tools: ## run cxl-fm against machines without a guest
check-style: ## run QEMU's checkpatch.pl over our C files, look at who includes whom
check-unit check-qtest check-base check-guest check-tools check-style:
	@scripts/check.sh $(BUILD) $(@:check-%=%)

.PHONY: check-lines
check-lines: ## boot Linux on the machines of tests/lines; not in `make check`
	@scripts/check.sh $(BUILD) lines

.PHONY: check-kernels
check-kernels: ## persistent memory with Debian's own kernels; not in `make check`
	@scripts/check.sh $(BUILD) kernels

.PHONY: check-lying
check-lying: ## boot Linux with a device that lies; half an hour, not in `make check`
	@scripts/check.sh $(BUILD) lying

.PHONY: check-aarch64
check-aarch64: ## the newest QEMU for 64-bit Arm, with a Linux for it; not in `make check`
	@./configure --build=$(AARCH64) --base-release=newest \
		--target-list=x86_64-softmmu,aarch64-softmmu
	@scripts/check.sh $(AARCH64) aarch64

.PHONY: check-nested
check-nested: ## run QEMU with KVM and VFIO in a guest; slow, not in `make check`
	@scripts/check.sh $(BUILD) nested

.PHONY: check-sanitize
check-sanitize: ## run unit tests, qtests and cxl-poold under ASan and UBSan
	@./configure --build=$(SANITIZE) --enable-asan --enable-ubsan
	@TEST_SLACK=10 UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1 \
		ASAN_OPTIONS=verify_asan_link_order=0 \
		scripts/check.sh $(SANITIZE) unit qtest poold

.PHONY: coverage
coverage: ## which lines and branches of ours the tests run without a guest
	@./configure --build=$(COVERAGE) --enable-coverage
	@scripts/coverage.sh $(COVERAGE)

SECONDS ?= 60

.PHONY: fuzz
fuzz: ## random operations under ASan and UBSan, for SECONDS=60
	@./configure --build=$(SANITIZE) --enable-asan --enable-ubsan
	@scripts/fuzz.sh $(SANITIZE) --seconds=$(SECONDS) $(FUZZ_ARGS)

.PHONY: bench
bench: all kernel ## measure it beside the unmodified QEMU; 5 minutes, 3 more at first
	@scripts/bench.sh $(BUILD)

.PHONY: kernel
kernel: ## build the Linux kernel of the guest tests
	@scripts/kernel.sh

PREFIX ?= /usr/local

.PHONY: install uninstall
install: all ## put QEMU, firmware, cxl-fm, manual page and docs below PREFIX=/usr/local
uninstall: ## take all of it away again
install uninstall:
	@/usr/bin/python3 scripts/install.py $(if $(filter uninstall,$@),--uninstall) \
		--destdir "$(DESTDIR)" $(BUILD) "$(PREFIX)"

.PHONY: dist
dist: ## a tarball of this tree in build/, which builds without git
	@/usr/bin/python3 scripts/dist.py build

.PHONY: series
series: ## commits on a QEMU release, in build/series; SERIES='--onto DIR', --check, --mail
	@./configure --again
	@/usr/bin/python3 scripts/series.py $(SERIES)

.PHONY: clean
clean: ## remove what was built; the cache of fetched files stays
	@scripts/clean.sh

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/make \1|\2/p' Makefile | \
		column -t -s '|'
