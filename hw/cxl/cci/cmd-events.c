/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 01h: Events (CXL r3.2 8.2.10.2)
 *
 * Which logs a command sees is the CCI's affair: the Fabric Manager's CCI has
 * logs of its own, with its own records, handles and overflow.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_events.h"
#include "cmd-sets.h"

#define FLAG_OVERFLOW       0x01
#define FLAG_MORE           0x02
#define CLEAR_ALL           0x01
#define CLEAR_HEADER        6

/* Settings byte of a log: mode, and the message number that the device fills */
#define MODE_MASK           0x03
#define MODE_MSI            1
#define MODE_FIRMWARE       2
#define MESSAGE_SHIFT       4

static bool events_has_logs(const CXLCCI *cci)
{
    return cci->events != NULL;
}

static CXLRetCode events_get_records(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLEventLogs *logs = cci->events;
    uint8_t log = cxl_get_u8(in);
    uint32_t total, n, i;

    if (log >= CXL_EVENT_LOGS) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_u8(out, 0);
    cxl_put_zero(out, 1);
    cxl_put_le16(out, logs->log[log].overflow_count);
    cxl_put_le64(out, logs->log[log].overflow_first_ns);
    cxl_put_le64(out, logs->log[log].overflow_last_ns);
    cxl_put_le16(out, 0);
    cxl_put_zero(out, 10);

    total = cxl_event_count(logs, log);
    n = MIN(total, cxl_writer_fits(out, CXL_EVENT_RECORD_SIZE, 0));
    for (i = 0; i < n; i++) {
        cxl_put_bytes(out, cxl_event_at(logs, log, i)->b,
                      CXL_EVENT_RECORD_SIZE);
    }
    cxl_patch_u8(out, 0,
                 (logs->log[log].overflow_count ? FLAG_OVERFLOW : 0) |
                 (n < total ? FLAG_MORE : 0));
    cxl_patch_le16(out, 0x14, n);
    return CXL_RC_SUCCESS;
}

static CXLRetCode events_clear_records(CXLCCI *cci, CXLReader *in,
                                       CXLWriter *out)
{
    uint8_t log = cxl_get_u8(in);
    uint8_t flags = cxl_get_u8(in);
    uint8_t n = cxl_get_u8(in);
    uint16_t handles[UINT8_MAX];
    unsigned i;

    /* "clear all" ignores the list, and so whether there is one */
    if (!(flags & CLEAR_ALL) && in->size != CLEAR_HEADER + n * 2) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    if (log >= CXL_EVENT_LOGS) {
        return CXL_RC_INVALID_INPUT;
    }
    if (flags & CLEAR_ALL) {
        cxl_event_forget(cci->events, log);
        return CXL_RC_SUCCESS;
    }
    cxl_get_skip(in, 3);
    for (i = 0; i < n; i++) {
        handles[i] = cxl_get_le16(in);
    }
    return cxl_event_clear(cci->events, log, handles, n);
}

static CXLRetCode events_get_policy(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    const CXLEventLogs *logs = cci->events;
    int i;

    for (i = 0; i < CXL_EVENT_LOGS; i++) {
        uint8_t settings = logs->log[i].policy;

        if (settings == MODE_MSI) {
            settings |= logs->msgnum[i] << MESSAGE_SHIFT;
        }
        cxl_put_u8(out, settings);
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode events_set_policy(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLEventLogs *logs = cci->events;
    uint8_t mode[CXL_EVENT_LOGS];
    /* a client of CXL 2 does not know the dynamic capacity log */
    size_t n = MIN(cxl_reader_left(in), CXL_EVENT_LOGS);
    size_t i;

    for (i = 0; i < n; i++) {
        mode[i] = cxl_get_u8(in) & MODE_MASK;
        if (mode[i] > MODE_FIRMWARE ||
            (mode[i] == MODE_FIRMWARE && i == CXL_EVENT_LOG_DYNCAP)) {
            return CXL_RC_INVALID_INPUT;
        }
    }
    for (i = 0; i < n; i++) {
        logs->log[i].policy = mode[i];
    }
    return CXL_RC_SUCCESS;
}

/*
 * MCTP Event Interrupt Policy (8.2.10.2.6..8): the reader of a log is told by
 * a message of ours. That needs a transport that can send them.
 */
static uint16_t events_known_notices(const CXLCCI *cci)
{
    return CXL_NOTICE_BACKGROUND |
           (cci->events ? (1u << CXL_EVENT_LOGS) - 1 : 0);
}

static CXLRetCode events_get_mctp_policy(CXLCCI *cci, CXLReader *in,
                                         CXLWriter *out)
{
    if (!cci->transport) {
        return CXL_RC_UNSUPPORTED_CCI;
    }
    cxl_put_le16(out, cci->transport->policy);
    return CXL_RC_SUCCESS;
}

static CXLRetCode events_set_mctp_policy(CXLCCI *cci, CXLReader *in,
                                         CXLWriter *out)
{
    uint16_t policy = cxl_get_le16(in);

    if (!cci->transport) {
        return CXL_RC_UNSUPPORTED_CCI;
    }
    /* what a component without logs cannot report counts as reserved */
    if (policy & ~events_known_notices(cci)) {
        return CXL_RC_INVALID_INPUT;
    }
    cci->transport->set_policy(cci->transport, policy);
    return CXL_RC_SUCCESS;
}

/* Somebody else's condition: there is nothing to do but to acknowledge it */
static CXLRetCode events_take_notification(CXLCCI *cci, CXLReader *in,
                                           CXLWriter *out)
{
    const uint16_t all = CXL_NOTICE_BACKGROUND | ((1u << CXL_EVENT_LOGS) - 1);

    return cxl_get_le16(in) & ~all ? CXL_RC_INVALID_INPUT : CXL_RC_SUCCESS;
}

/* Who can send a message of its own */
#define MCTP_KINDS (CXL_CCI_FM | CXL_CCI_SWITCH | CXL_CCI_MHD)

static const CXLCmd rows[] = {
    CXL_ROW(0x0100, "Get Event Records", CXL_CCI_ALL, CXL_LEN(1),
            events_get_records, .flags = CXL_CMD_MEDIA,
            .present = events_has_logs),
    CXL_ROW(0x0101, "Clear Event Records", CXL_CCI_ALL,
            CXL_LEN_MIN(CLEAR_HEADER), events_clear_records,
            .effects = CXL_EFF_LOG_IMMEDIATE, .present = events_has_logs),
    CXL_ROW(0x0102, "Get Event Interrupt Policy", CXL_CCI_MAILBOX, CXL_LEN(0),
            events_get_policy, .present = events_has_logs),
    CXL_ROW(0x0103, "Set Event Interrupt Policy", CXL_CCI_MAILBOX,
            CXL_LEN_RANGE(CXL_EVENT_LOG_DYNCAP, CXL_EVENT_LOGS),
            events_set_policy, .effects = CXL_EFF_CONFIG_IMMEDIATE,
            .present = events_has_logs),
    CXL_ROW(0x0104, "Get MCTP Event Interrupt Policy",
            MCTP_KINDS, CXL_LEN(0), events_get_mctp_policy),
    CXL_ROW(0x0105, "Set MCTP Event Interrupt Policy",
            MCTP_KINDS, CXL_LEN(2), events_set_mctp_policy,
            .effects = CXL_EFF_CONFIG_IMMEDIATE),
    CXL_ROW(0x0106, "Event Notification", MCTP_KINDS,
            CXL_LEN(2), events_take_notification),
};

const CXLCmdSet cxl_cmds_events = CXL_CMD_SET("Events", rows);
