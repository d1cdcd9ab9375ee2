/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: commands on the three CCIs of a memory device that is made
 * of its models alone, time, and state that is spoilt between saving and
 * loading. Built where QEMU is configured with --enable-fuzzing.
 *
 * The first byte picks the device; each step after it begins with a byte.
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/cxl/memdev/debug-log.h"
#include "hw/cxl/memdev/features.h"
#include "hw/cxl/memdev/firmware.h"
#include "hw/cxl/memdev/health.h"
#include "hw/cxl/memdev/maintenance.h"
#include "hw/cxl/memdev/media.h"
#include "hw/cxl/memdev/partition.h"
#include "hw/cxl/memdev/qos.h"
#include "hw/cxl/memdev/security.h"
#include "tests/unit/cxl/fake-clock.h"
#include "tests/unit/cxl/fake-memdev.h"
#include "tests/unit/cxl/state-bytes.h"

/* the names by which libFuzzer calls it */
typedef int FuzzerEntry(const uint8_t *data, size_t size);
typedef int FuzzerStart(int *argc, char ***argv);
FuzzerEntry LLVMFuzzerTestOneInput;
FuzzerStart LLVMFuzzerInitialize;

#define STATIC (4 * GiB)
/* Asks the PCI device, which is not there */
#define OP_IDENTIFY 0x0001
#define LAST_RC 0x20

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_infostat, &cxl_cmds_events, &cxl_cmds_firmware,
    &cxl_cmds_timestamp, &cxl_cmds_logs, &cxl_cmds_features,
    &cxl_cmds_maintenance, &cxl_cmds_identify, &cxl_cmds_capacity,
    &cxl_cmds_health, &cxl_cmds_media, &cxl_cmds_sanitize,
    &cxl_cmds_security, &cxl_cmds_security_protocol, &cxl_cmds_qos,
    &cxl_cmds_dcd, &cxl_cmds_mld, &cxl_cmds_fm_dcd, NULL,
};

typedef struct Input {
    const uint8_t *at, *end;
} Input;

static uint64_t take(Input *in, unsigned bytes)
{
    uint64_t v = 0;

    while (bytes-- && in->at < in->end) {
        v = v << 8 | *in->at++;
    }
    return v;
}

/* -- a device of models -- */

static void open_device(uint8_t how)
{
    fake.has_dc = how & 1;
    fake.fm_on_mailbox = how & 2;
    fake.volatile_size = STATIC / 2;
    fake.persistent_size = how & 4 ? STATIC / 2 : 0;
    fake.lsa_size = how & 4 ? sizeof(fake.lsa) : 0;
    fake.is_decoded = how & 8;
    fake.partitionable = how & 16 && fake.persistent_size;
    fake_memdev_open();
}

/* -- steps -- */

static void run_command(Input *in, CXLCCI *cci)
{
    static uint8_t out[8192];
    uint16_t opcode = take(in, 2);
    size_t len = take(in, 1), out_len;
    uint8_t request[4096] = { 0 };
    CXLRetCode rc;

    if (len >= 0xf8) {
        len = (len & 7) * 400;
    }
    for (size_t i = 0; i < len; i++) {
        request[i] = take(in, 1);
    }
    if (opcode == OP_IDENTIFY) {
        return;
    }
    fake.zeroed_ranges = 0;
    rc = cxl_cci_process(cci, opcode, request, len, out, sizeof(out),
                         &out_len);
    g_assert_cmphex(rc, <=, LAST_RC);
    g_assert_cmpuint(out_len, <=, sizeof(out));
}

/*
 * What was not loaded is given up by the whole device, as a reset does it: all
 * that its models must bear is that
 */
static void spoil_state(Input *in, uint8_t how)
{
    const struct { const VMStateDescription *vmsd; void *of; } models[] = {
        { &vmstate_cxl_poison, fake.mem->poison },
        { &vmstate_cxl_events, fake.mem->events },
        { &vmstate_cxl_features, fake.mem->features },
        { &vmstate_cxl_maintenance, fake.mem->maintenance },
        { &vmstate_cxl_security, fake.mem->security },
        { &vmstate_cxl_firmware, fake.mem->firmware },
        { &vmstate_cxl_health, fake.mem->health },
        { &vmstate_cxl_partition, fake.mem->partition },
        { &vmstate_cxl_media, fake.mem->media },
        { &vmstate_cxl_qos, fake.mem->qos },
        { &vmstate_cxl_history, fake.mem->history },
        { &vmstate_cxl_cci, &fake.mailbox },
        { &vmstate_cxl_dc, fake.dc },
    };
    unsigned n = take(in, 1) % ARRAY_SIZE(models), edits = take(in, 1) % 8;
    g_autoptr(GByteArray) state = NULL;

    if (!models[n].of) {
        return;
    }
    state = state_save(models[n].vmsd, models[n].of);
    while (edits--) {
        unsigned at = take(in, 2);

        state->data[at % state->len] = take(in, 1);
    }
    if (state_load(models[n].vmsd, models[n].of, state->data, state->len)) {
        fake_memdev_close();
        open_device(how);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in = { data, data + size };
    uint8_t how = take(&in, 1);

    open_device(how);
    while (in.at < in.end) {
        uint8_t step = take(&in, 1);

        fake.zeroed_ranges = 0;
        switch (step & 7) {
        case 0:
            fake_clock_step((int64_t)take(&in, 2) * 50 * SCALE_MS);
            break;
        case 1:
            spoil_state(&in, how);
            break;
        case 2:
            run_command(&in, &fake.fm);
            break;
        case 3:
            run_command(&in, &fake.ld);
            break;
        default:
            run_command(&in, &fake.mailbox);
        }
    }
    fake_memdev_close();
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    module_call_init(MODULE_INIT_QOM);
    fake_clock_init();
    return 0;
}
