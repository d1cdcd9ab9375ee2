/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bind and unbind of a vPPB (CXL r3.2 7.6.7.2) as Linux's pciehp sees them
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fm-cmds.h"
#include "sysfs.h"
#include "switch-bind.h"
#include "region.h"
#include "tap.h"

#define OP_BG_STATUS    0x0002
#define OP_VCS_INFO     0x5200
#define OP_BIND         0x5201
#define OP_UNBIND       0x5202
#define RC_STARTED      1

/* Linux waits five seconds behind the button, a busy host makes it more */
#define SETTLE_S        40
#define MEMDEVS         8
#define NAP_US          100000

enum { WAIT_LINK_DOWN, MANAGED, SURPRISE };
enum { UNBOUND, CHANGING, BOUND };

/* Number of the memory device with this serial number, or MEMDEVS */
static unsigned memdev_of(uint64_t serial)
{
    unsigned i;

    for (i = 0; i < MEMDEVS; i++) {
        uint64_t found;

        if (!sys_read_u64(&found, CXL_SYS "/mem%u/serial", i) &&
            found == serial) {
            break;
        }
    }
    return i;
}

/* Has Linux a driver on it? */
static bool linux_has(uint64_t serial)
{
    return sys_exists(CXL_SYS "/mem%u/driver", memdev_of(serial));
}

/*
 * The driver of the PCI function makes the memory device, and reads the event
 * logs after that: a device that is taken away now makes it complain.  To bind
 * a driver to a function that has one is refused, behind the lock that is held
 * as long as the driver starts.
 */
static bool await_started(uint64_t serial)
{
    unsigned i = memdev_of(serial);
    char path[SYS_PATH], *function;
    int rc = -ENODEV;

    snprintf(path, sizeof(path), CXL_SYS "/mem%u/..", i);
    function = realpath(path, NULL);
    if (function) {
        rc = sys_write(strrchr(function, '/') + 1,
                       CXL_SYS "/mem%u/../driver/bind", i);
        free(function);
    }
    return rc == -EBUSY;
}

static bool await_linux(uint64_t serial, bool there)
{
    for (unsigned i = 0; i < SETTLE_S * 10; i++) {
        if (linux_has(serial) == there) {
            return true;
        }
        usleep(NAP_US);
    }
    return false;
}

/* What the background operation came to; -1 if it does not end or is another */
static int await_end(struct cxl_conn *fm, uint16_t op)
{
    static struct cxl_rsp rsp;
    static struct cxl_req req;

    for (unsigned i = 0; i < SETTLE_S * 10; i++) {
        req_start(&req, OP_BG_STATUS);
        if (!cxl_run(fm, &req, &rsp) && rsp.len == 8 && !(rsp.data[0] & 1)) {
            return (rsp.data[2] | rsp.data[3] << 8) == op ?
                   rsp.data[4] | rsp.data[5] << 8 : -1;
        }
        usleep(NAP_US);
    }
    return -1;
}

static int binding(struct cxl_conn *fm, uint8_t vppb)
{
    static struct cxl_rsp rsp;
    static struct cxl_req req;

    req_start(&req, OP_VCS_INFO);
    req_num(&req, vppb, 1);
    req_num(&req, 1, 1);
    req_num(&req, 1, 1);
    req_num(&req, 0, 1);
    return cxl_run(fm, &req, &rsp) || rsp.len != 12 ? -1 : rsp.data[8];
}

/* Of virtual switch 0: starts, ends well, and leaves the vPPB in @state */
static void change(struct cxl_conn *fm, uint16_t op, uint8_t vppb,
                   const uint8_t *rest, size_t n, int state)
{
    static struct cxl_rsp rsp;
    static struct cxl_req req;

    req_start(&req, op);
    req_num(&req, 0, 1);
    req_num(&req, vppb, 1);
    req_bytes(&req, rest, n);
    tap_rc(cxl_run(fm, &req, &rsp), RC_STARTED, "%04x starts", op);
    tap_rc(await_end(fm, op), 0, "%04x ends well", op);
    tap_rc(binding(fm, vppb), state, "5200: %s",
           state == BOUND ? "bound" : "not bound");
}

static void unbind(struct cxl_conn *fm, uint8_t vppb, uint8_t option)
{
    tap_note("unbind with option %u", option);
    change(fm, OP_UNBIND, vppb, &option, 1, UNBOUND);
}

static void bind_again(struct cxl_conn *fm, uint8_t vppb, uint8_t port)
{
    const uint8_t rest[] = { port, 0, 0xff, 0xff };

    change(fm, OP_BIND, vppb, rest, sizeof(rest), BOUND);
}

void switch_bind_test(struct cxl_conn *fm, struct cxl_conn *device,
                      uint8_t vppb, uint8_t port, uint64_t serial)
{
    static const uint8_t options[] = { MANAGED, SURPRISE };
    struct fm_identity id;

    for (unsigned i = 0; i < sizeof(options); i++) {
        tap_check(linux_has(serial) && await_started(serial),
                  "Linux has the device");
        unbind(fm, vppb, options[i]);
        tap_check(await_linux(serial, false), "Linux lets it go");
        tap_check(!fm_identify(device, &id) && id.serial == serial,
                  "its own endpoint answers all the same");
        bind_again(fm, vppb, port);
        tap_check(await_linux(serial, true), "Linux has it back");
    }
}
