/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the test guest can do, one function per scenario
 */
#ifndef GUEST_SCENARIO_H
#define GUEST_SCENARIO_H

/** scenario_bench() - figures for scripts/bench.py; no test. */
void scenario_bench(void);
/** scenario_bench_pair() - the same for memory that is interleaved. */
void scenario_bench_pair(void);
/** scenario_boot() - drivers bind, the static region works, no complaints. */
void scenario_boot(void);
/** scenario_code() - programs run from memory of a device. */
void scenario_code(void);
/** scenario_code_interleaved() - the same over two devices behind a switch. */
void scenario_code_interleaved(void);
/** scenario_dcd() - the FM commands over the PCI mailbox, with a host. */
void scenario_dcd(void);
/** scenario_demo() - a story for people. */
void scenario_demo(void);
/** scenario_errors() - protocol errors of a device and of ports above it. */
void scenario_errors(void);
/** scenario_hang() - waits for the runner and does not end. */
void scenario_hang(void);
/** scenario_host() - one of several hosts of a pool; obeys the runner. */
void scenario_host(void);
/** scenario_i2c() - the I2C controller as master and as target. */
void scenario_i2c(void);
/** scenario_lines() - `cxl list` shows all of a machine of tests/lines. */
void scenario_lines(void);
/** scenario_lying() - the driver meets a device that lies. */
void scenario_lying(void);
/** scenario_lying_mctp() - a program meets an MCTP endpoint that lies. */
void scenario_lying_mctp(void);
/** scenario_mctp() - the FM commands over MCTP on I2C, with a host. */
void scenario_mctp(void);

/** scenario_manager() - the FM of another machine, on a serial line. */
void scenario_manager(void);
/** scenario_managed() - that other machine's host; runs until it is ended. */
void scenario_managed(void);

/** scenario_switch() - a switch and two devices on one I2C bus. */
void scenario_switch(void);

/** scenario_migrate() - all state moves into another QEMU. */
void scenario_migrate(void);
/** scenario_ndctl() - administrators' programs, as a distribution has them. */
void scenario_ndctl(void);
/** scenario_nested() - QEMU in the guest, with KVM and VFIO. */
void scenario_nested(void);
/** scenario_noise() - a long run over a disturbed I2C bus. */
void scenario_noise(void);
/** scenario_pages() - what pages say to type. */
void scenario_pages(void);
/** scenario_pmem() - a file system in persistent memory, over a reset. */
void scenario_pmem(void);
/** scenario_pool() - two hosts of one pool, in one guest. */
void scenario_pool(void);
/** scenario_ras() - scrub, error check and repair through EDAC. */
void scenario_ras(void);
/** scenario_replug() - the device goes away and comes back. */
void scenario_replug(void);
/** scenario_reset() - extents, offers and memory over a system reset. */
void scenario_reset(void);
/** scenario_rounds() - an FM and a host do at random what they can. */
void scenario_rounds(void);
/** scenario_security() - keys of Linux open a locked device. */
void scenario_security(void);
/** scenario_shell() - a shell on the console, if the guest has one. */
void scenario_shell(void);

#endif /* GUEST_SCENARIO_H */
