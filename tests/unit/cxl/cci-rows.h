/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CCI with command sets of the tests' own, whose handlers count
 */
#ifndef TESTS_CXL_CCI_ROWS_H
#define TESTS_CXL_CCI_ROWS_H

#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_memdev.h"

#define PAYLOAD     1024
#define BG_MS       1000

enum {
    OP_EXACT        = 0x0100,   /* 4 bytes, echoed */
    OP_AT_LEAST     = 0x0101,
    OP_RANGE        = 0x0102,
    OP_LIST32       = 0x0110,   /* 8 + 18h * le32 at 0 */
    OP_LIST16       = 0x0111,   /* 6 + 10 * le16 at 2 */
    OP_LIST8        = 0x0112,   /* 3 + 2 * u8 at 2 */
    OP_MEDIA        = 0x0120,
    OP_FM_ONLY      = 0x0130,
    OP_ABSENT       = 0x0131,
    OP_FAILS        = 0x0140,   /* writes, then fails */
    OP_TOO_MUCH     = 0x0141,   /* writes more than there is room for */
    OP_FILL         = 0x0142,   /* answers with all the room it has */
    OP_NESTED       = 0x0143,   /* runs OP_EXACT on the same CCI */
    OP_BG           = 0x4400,
    OP_BG_ABORTABLE = 0x4401,
    OP_BG_MEDIA     = 0x4402,
    OP_BG_NOW       = 0x4403,   /* background-capable, but answers at once */
};

/* How many rows a mailbox does not have: OP_FM_ONLY and OP_ABSENT */
#define ROWS_NOT_OF_A_MAILBOX   2

/* How often handlers, bg_done, bg_abort and bg_notify have run */
extern unsigned handled, done, aborted, ended;
/* what bg_done ends with, and how often it has to come again before that */
extern CXLRetCode final_code;
extern unsigned rounds_left;
extern bool slices;
extern CXLMemDev cci_memdev;

/** cci_setup(), cci_teardown() - as of g_test_add(): a mailbox, counts at 0 */
void cci_setup(CXLCCI *cci, gconstpointer data);
void cci_teardown(CXLCCI *cci, gconstpointer data);
/** cci_notify() - the bg_notify of cci_setup() */
void cci_notify(CXLCCI *cci);
/** cci_test_init() - what the main() of a test begins with */
void cci_test_init(int *argc, char ***argv);

/* The last response, and more room behind it than a payload has */
extern uint8_t out[PAYLOAD + 64];
extern size_t out_len;
CXLRetCode run(CXLCCI *cci, uint16_t op, const void *in, size_t len);
/** run_len() - with @len zeroes */
CXLRetCode run_len(CXLCCI *cci, uint16_t op, size_t len);

#endif
