/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A q35 machine with CXL memory devices, driven register by register: enough of
 * enumeration, mailbox and MSI-X to talk to a device as a guest does
 */
#ifndef TESTS_CXL_QTEST_H
#define TESTS_CXL_QTEST_H

#include "qemu/units.h"
#include "tests/qtest/libqtest.h"
#include "tests/unit/cxl/cxl-requests.h"

#define CXL_BLOCK       (2 * MiB)
#define CXL_REGION      (256 * MiB)
#define CXL_STATIC      (256 * MiB)
/* Bytes of a mailbox unless mailbox-payload says otherwise */
#define CXL_PAYLOAD     (8 * KiB)
/* Where the default device's dynamic capacity starts: after static memory */
#define CXL_DC_BASE     CXL_STATIC
/* Its block @k of region 0 and of region 1, so many blocks, all of its DPA */
#define R0(k)           (CXL_DC_BASE + BLOCKS(k))
#define R1(k)           (CXL_DC_BASE + CXL_REGION + BLOCKS(k))
#define BLOCKS(k)       ((uint64_t)(k) * CXL_BLOCK)
#define ALL_DPA         (CXL_STATIC + 2 * CXL_REGION)
/* What tests write to memory; what memory says that nobody has; in ns */
#define MARK            0x0123456789abcdefull
#define ONES            (-1ull)
#define SECOND          1000000000ll

/**
 * struct CxlDev - one memory device below its own root port
 * @bar: guest addresses of BAR 0 (component), 2 (device) and 4 (MSI-X)
 * @doorbell_ns: time of the last command's doorbell, for who measures
 */
typedef struct CxlDev {
    QTestState *qts;
    uint8_t bus;
    uint64_t bar[6];
    uint64_t cfg;
    int64_t doorbell_ns;
} CxlDev;

/** struct CxlRsp - the answer to one command */
typedef struct CxlRsp {
    uint16_t rc;
    uint32_t len;
    uint8_t data[CXL_PAYLOAD];
} CxlRsp;

/** struct CxlReq - a request under construction, little endian */
typedef struct CxlReq {
    size_t len;
    uint8_t data[2 * CXL_PAYLOAD];
} CxlReq;

/** cxl_req() - a request of @op with these values, see cxl_request_pack() */
#define cxl_req(op, ...) \
    cxl_req_fields(op, CXL_VALUES(__VA_ARGS__), CXL_COUNT(__VA_ARGS__))
CxlReq cxl_req_fields(uint16_t op, const uint64_t *values, size_t n);
/* What stands behind such fields, or all of a request that has none */
void req8(CxlReq *r, uint8_t v);
void req16(CxlReq *r, uint16_t v);
void req32(CxlReq *r, uint32_t v);
void req64(CxlReq *r, uint64_t v);
void req_zero(CxlReq *r, size_t n);
/** req_tag() - 16 bytes, all @tag; 0 means untagged */
void req_tag(CxlReq *r, uint8_t tag);
/** req_extent() - the 28h-byte form; req_range() - the 18h-byte form */
void req_extent(CxlReq *r, uint64_t dpa, uint64_t len, uint8_t tag,
                uint16_t seq);
void req_range(CxlReq *r, uint64_t dpa, uint64_t len);

/* The device that most tests use: 256 MiB static, two DC regions of 256 MiB */
#define CXL_BACKENDS \
    "-object memory-backend-ram,id=vm0,size=256M " \
    "-object memory-backend-ram,id=dc0,size=512M "
#define CXL_DCD_DEVICE \
    "cxl-type3,bus=rp0,id=cxl-mem0,volatile-memdev=vm0," \
    "volatile-dc-memdev=dc0,num-dc-regions=2"

/** cxl_start() - machine with two root ports rp0, rp1 and a 4 GiB window */
QTestState *cxl_start(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
/** cxl_args() - the same command line as text, to add to; g_free() it */
char *cxl_args(const char *devices);
/** cxl_probe() - enumerate what sits below root port @rp */
void cxl_probe(QTestState *qts, unsigned rp, CxlDev *dev);
/**
 * cxl_probe_below() - the same below any bridge
 * @bus: of the pxb-cxl
 * @slot: of the root port there
 * @n: picks memory that no other device has
 */
void cxl_probe_below(QTestState *qts, unsigned bus, unsigned slot, unsigned n,
                     CxlDev *dev);
/** cxl_reset() - reset the machine, and enumerate @dev below rp0 again */
void cxl_reset(CxlDev *dev);
/** cxl_slot_power() - switch the slot below root port @rp, as a guest does */
void cxl_slot_power(QTestState *qts, unsigned rp, bool on);
/** cxl_start_dcd() - machine, default device and @props (",x=y" or "") */
QTestState *cxl_start_dcd(CxlDev *dev, const char *props);
/**
 * cxl_add_device_test() - enter a test that gets a device in its own machine
 * @args: the device below rp0, and what it needs
 *
 * The machine ends with the test, be it the first one or one that the test has
 * moved the device to: @dev->qts then.
 */
void cxl_add_device_test(const char *path, void (*run)(CxlDev *dev),
                         const char *args);
/** cxl_add_dcd_test() - the same with the default device and @props */
void cxl_add_dcd_test(const char *path, void (*run)(CxlDev *dev),
                      const char *props);

uint32_t cfg_readl(CxlDev *dev, unsigned off);
uint16_t cfg_readw(CxlDev *dev, unsigned off);
void cfg_writew(CxlDev *dev, unsigned off, uint16_t v);
void cfg_writel(CxlDev *dev, unsigned off, uint32_t v);
/** cfg_find_cap() - offset of capability @id or 0 */
unsigned cfg_find_cap(CxlDev *dev, uint8_t id);

/* Device register block */
uint64_t dev_readq(CxlDev *dev, unsigned off);
uint32_t dev_readl(CxlDev *dev, unsigned off);
void dev_writeq(CxlDev *dev, unsigned off, uint64_t v);
void dev_writel(CxlDev *dev, unsigned off, uint32_t v);
#define REG_EVENT_STATUS    0x80
#define REG_MB_CAPS         0x88
#define REG_MB_CONTROL      0x8c
#define REG_MB_COMMAND      0x90
#define REG_MB_STATUS       0x98
#define REG_MB_BG_STATUS    0xa0
#define REG_MB_PAYLOAD      0xa8
#define REG_MEMDEV_STATUS   (REG_MB_PAYLOAD + CXL_PAYLOAD)

/** cxl_raw() - run @op with the length field @len and @n payload bytes */
uint16_t cxl_raw(CxlDev *dev, uint16_t op, uint32_t len, const void *in,
                 size_t n, CxlRsp *rsp);
/** cxl_cmd() - run @op with request @req (NULL: empty); @rsp may be NULL */
uint16_t cxl_cmd(CxlDev *dev, uint16_t op, const CxlReq *req, CxlRsp *rsp);
/** cxl_run() - run @op with these values as cxl_req(); @rsp may be NULL */
#define cxl_run(dev, rsp, op, ...) \
    cxl_run_fields(dev, rsp, op, CXL_VALUES(__VA_ARGS__), \
                   CXL_COUNT(__VA_ARGS__))
uint16_t cxl_run_fields(CxlDev *dev, CxlRsp *rsp, uint16_t op,
                        const uint64_t *values, size_t n);
/** cxl_alive() - the device still answers Identify Memory Device */
void cxl_alive(CxlDev *dev);
/** cxl_refused() - @op gives @rc, no payload, and the device lives on */
void cxl_refused(CxlDev *dev, uint16_t op, const CxlReq *req, uint16_t rc);
/** cxl_refuses() - the same with these values as cxl_req() */
#define cxl_refuses(dev, rc, op, ...) \
    cxl_refuses_fields(dev, rc, op, CXL_VALUES(__VA_ARGS__), \
                       CXL_COUNT(__VA_ARGS__))
void cxl_refuses_fields(CxlDev *dev, uint16_t rc, uint16_t op,
                        const uint64_t *values, size_t n);

/**
 * cxl_settle() - what devices left for later is done
 *
 * Interrupts, error messages and monitor events leave a device from a bottom
 * half, after the operation that they are about.
 */
void cxl_settle(QTestState *qts);

/** cxl_msix_enable() - all vectors on, each writing its mark to memory */
void cxl_msix_enable(CxlDev *dev);
/** cxl_msix_fired() - has @vector come since the last call? */
bool cxl_msix_fired(CxlDev *dev, unsigned vector);

/** cxl_find_region() - guest address of the first region named @name */
uint64_t cxl_find_region(QTestState *qts, const char *name);

/**
 * cxl_map() - decode the window's first bytes to @dev's DPA 0 .. @size
 * Programs decoder 0 of the host bridge (target: @dev's port) and of @dev.
 * Return: guest address of DPA 0
 */
uint64_t cxl_map(CxlDev *dev, uint64_t size);

/**
 * cxl_save() - migrate @from to a file
 * @passes: see cxl_migrate_passes(), or 0
 * Return: the file, to unlink() and g_free(); @from is gone
 */
char *cxl_save(QTestState *from, unsigned passes);
/**
 * cxl_migrate() - save @from to a file, load it into a new machine
 * Return: the new machine, made with @args; @from is gone
 */
QTestState *cxl_migrate(QTestState *from, const char *args);
/**
 * cxl_migrate_dcd() - move the default device to a new machine
 * @props: of the device there
 */
void cxl_migrate_dcd(CxlDev *dev, const char *props);
/**
 * cxl_migrate_passes() - the same as cxl_migrate(), and memory is sent @passes
 * times before @from stops, if its processors write to a hundred pages all the
 * time
 */
QTestState *cxl_migrate_passes(QTestState *from, const char *args,
                               unsigned passes);
/** cxl_migrate_beside() - the same as cxl_migrate(), and @from stays */
QTestState *cxl_migrate_beside(QTestState *from, const char *args);
/**
 * cxl_migrate_refused() - the same, but the new machine must not take it
 * Return: what it said about that; both machines are gone.  g_free() it.
 */
char *cxl_migrate_refused(QTestState *from, const char *args);

/* -- dynamic capacity, as an FM and a host use it -- */

typedef struct CxlExtent {
    uint64_t dpa;
    uint64_t len;
    uint8_t tag;
    uint16_t seq;
} CxlExtent;

enum { ADD_FREE, ADD_CONTIGUOUS, ADD_PRESCRIPTIVE, ADD_SHARED };
enum { REL_TAG, REL_PRESCRIPTIVE, REL_FORCED = 0x10, REL_SANITIZE = 0x20 };

uint16_t fm_add(CxlDev *dev, unsigned policy, unsigned region, uint64_t len,
                uint8_t tag);
uint16_t fm_add_list(CxlDev *dev, const CxlExtent *ext, unsigned n);
/** cxl_hold() - the FM offers extents as one group, the host accepts all */
void cxl_hold(CxlDev *dev, const CxlExtent *ext, unsigned n);
uint16_t fm_release_tag(CxlDev *dev, unsigned flags, uint64_t len,
                        uint8_t tag);
uint16_t fm_release_list(CxlDev *dev, unsigned flags, const CxlExtent *ext,
                         unsigned n);
/** host_answer() - 4802h (@op 0x4802) or 4803h with @n ranges */
uint16_t host_answer(CxlDev *dev, uint16_t op, const CxlExtent *ext,
                     unsigned n, bool more);
/** host_list() - read the Added list; returns the total */
unsigned host_list(CxlDev *dev, CxlExtent *ext, unsigned max, uint32_t *gen);
/** host_has() - the Added list is exactly @ext[0..@n), in any order */
void host_has(CxlDev *dev, const CxlExtent *ext, unsigned n);
/** fm_list() - the same list through 5603h */
unsigned fm_list(CxlDev *dev, CxlExtent *ext, unsigned max, uint32_t *gen);
/** avail_extents() - what 4800h says is left */
uint32_t avail_extents(CxlDev *dev);
/** drain_log() - read and clear log @log; returns how many records it had */
unsigned drain_log(CxlDev *dev, uint8_t log);

#endif
