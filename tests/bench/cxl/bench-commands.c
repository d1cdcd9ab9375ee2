/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What commands cost within QEMU, without any road to them (CXL r3.2 7.6.7.6):
 * look-up, checks, handler and answer, on a device of models only
 *
 * Prints lines of name, payload bytes of the answer and nanoseconds.
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "fake-type3.h"
#include "hw/cxl/cmd-sets.h"

/* More than a page of either road holds */
#define EXTENTS     60
#define RUNS        15
#define TIMES       20000

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_events,
    &cxl_cmds_dcd,
    &cxl_cmds_fm_dcd,
    NULL,
};

/* Every second block, so that none of them make one */
static void add(unsigned i)
{
    const uint64_t dpa = FAKE_REGION_BASE(0) + 2 * i * FAKE_BLOCK;
    const CXLDCExtent e = { .dpa = dpa, .len = FAKE_BLOCK };
    const CXLDCAddRequest req = {
        .policy = CXL_DC_ADD_PRESCRIPTIVE, .extents = &e, .nr_extents = 1,
    };
    const CXLDCRange r = { dpa, FAKE_BLOCK };

    assert_rc(cxl_dc_add(fake.dc, &req, NULL), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_respond(fake.dc, 0, &r, 1, false), CXL_RC_SUCCESS);
    cxl_events_reset(&fake.host_logs);
    cxl_events_reset(&fake.fm_logs);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void measure(const char *name, CXLCCI *cci, uint16_t opcode,
                    const uint8_t *in, size_t len)
{
    static uint8_t out[FAKE_MBOX_PAYLOAD];
    double ns[RUNS];
    size_t out_len = 0;

    for (unsigned run = 0; run < RUNS; run++) {
        int64_t start = get_clock();

        for (unsigned i = 0; i < TIMES; i++) {
            assert_rc(cxl_cci_process(cci, opcode, in, len, out, sizeof(out),
                                      &out_len), CXL_RC_SUCCESS);
        }
        ns[run] = (double)(get_clock() - start) / TIMES;
    }
    qsort(ns, RUNS, sizeof(*ns), compare);
    printf("%s\t%zu\t%.1f\n", name, out_len, ns[RUNS / 2]);
}

int main(int argc, char **argv)
{
    static const uint8_t page[12] = { [4] = EXTENTS };

    module_call_init(MODULE_INIT_QOM);
    fake.has_dc = true;
    fake.fm_on_mailbox = true;
    fake_type3_open();
    for (unsigned i = 0; i < EXTENTS; i++) {
        add(i);
    }
    measure("5600", &fake.mailbox, 0x5600, NULL, 0);
    measure("5603", &fake.mailbox, 0x5603, page, sizeof(page));
    fake_type3_close();
    return 0;
}
