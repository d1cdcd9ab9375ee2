/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of any command's answer and of how it is handed over (CXL r3.2
 * 8.2.8.4, 8.2.9)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/timer.h"
#include "fault-internal.h"

static void answer_code(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;

    a->rc = f->value;
    if (a->rc) {
        a->len = 0;
    }
}

static void answer_random(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;
    size_t i;

    for (i = 0; i < a->len; i++) {
        a->out[i] = cxl_fault_random(f);
    }
}

static void answer_short(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;

    a->len -= MIN(a->len, f->value);
}

void cxl_fault_answer_long(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;
    size_t more = MIN(a->room - a->len, f->value);

    memset(a->out + a->len, 0xa5, more);
    a->len += more;
}

/* There are as many bytes: fault_least() */
static void answer_field(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;

    stn_le_p(a->out + f->offset, f->width, f->value);
}

static void completion_length(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultCompletion *c = arg;

    c->len = f->value;
}

static void completion_vendor_status(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultCompletion *c = arg;

    c->vendor_status = f->value;
}

static void completion_late(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultCompletion *c = arg;

    c->late_ns += f->delay_ms * (int64_t)SCALE_MS;
}

static void completion_never(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultCompletion *c = arg;

    c->never = true;
}

static void completion_opcode(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultCompletion *c = arg;

    c->opcode = f->value;
}

#define ANSWER(n, ...) \
    { .name = n, .family = "answers", .only = CXL_FAULT_ANY, __VA_ARGS__ }

static const CXLFaultKind kinds[] = {
    ANSWER("answer-code", .point = CXL_FAULT_ANSWER, .failed = true,
           .takes = CXL_FAULT_OPCODE | CXL_FAULT_VALUE,
           .value = CXL_RC_INTERNAL_ERROR, .max = UINT16_MAX,
           .act = answer_code,
           .does = "the return code is value, and there is no payload unless "
                   "it is 0",
           .spec = "the code says what became of the command (Table 8-50)"),
    ANSWER("answer-random", .point = CXL_FAULT_ANSWER, .least = 1,
           .takes = CXL_FAULT_OPCODE | CXL_FAULT_SEED, .act = answer_random,
           .does = "the payload is random bytes that follow from the seed",
           .spec = "the payload is what the command defines (8.2.10)"),
    ANSWER("answer-short", .point = CXL_FAULT_ANSWER, .least = 1,
           .takes = CXL_FAULT_OPCODE | CXL_FAULT_VALUE, .value = 1,
           .max = UINT32_MAX, .act = answer_short,
           .does = "the last bytes of the payload, value of them, are missing",
           .spec = "the payload is as long as the command defines (8.2.10)"),
    ANSWER("answer-long", .point = CXL_FAULT_ANSWER,
           .takes = CXL_FAULT_OPCODE | CXL_FAULT_VALUE, .value = 16,
           .max = UINT32_MAX, .act = cxl_fault_answer_long,
           .does = "bytes A5h follow the payload, value of them or as many as "
                   "there is room for",
           .spec = "the payload is as long as the command defines (8.2.10)"),
    ANSWER("answer-field", .point = CXL_FAULT_ANSWER,
           .takes = CXL_FAULT_OPCODE | CXL_FAULT_VALUE | CXL_FAULT_OFFSET |
                    CXL_FAULT_WIDTH,
           .needs = CXL_FAULT_OPCODE | CXL_FAULT_VALUE | CXL_FAULT_OFFSET,
           .act = answer_field,
           .does = "width bytes of the payload at offset are value",
           .spec = "the payload is what the command defines (8.2.10)"),
    ANSWER("answer-length", .point = CXL_FAULT_COMPLETION,
           .takes = CXL_FAULT_OPCODE | CXL_FAULT_VALUE, .value = 0xfffff,
           .max = 0xfffff, .act = completion_length,
           .does = "value is announced as the length of the payload, whatever "
                   "it is",
           .spec = "the length field is the number of bytes of the payload "
                   "(8.2.8.4.5)"),
    ANSWER("answer-vendor-status", .point = CXL_FAULT_COMPLETION,
           .takes = CXL_FAULT_OPCODE | CXL_FAULT_VALUE, .value = 0xffff,
           .max = UINT16_MAX, .act = completion_vendor_status,
           .does = "the vendor specific extended status is value",
           .spec = "any value is allowed, and software must not depend on it "
                   "(8.2.8.4.6)"),
    ANSWER("answer-late", .point = CXL_FAULT_COMPLETION,
           .takes = CXL_FAULT_OPCODE | CXL_FAULT_DELAY, .value = 3000,
           .act = completion_late,
           .does = "the doorbell stays set for delay milliseconds",
           .spec = "a command that takes more than 2 seconds is one for the "
                   "background (8.2.8.4.4)"),
    ANSWER("answer-never", .point = CXL_FAULT_COMPLETION,
           .takes = CXL_FAULT_OPCODE, .act = completion_never,
           .does = "the doorbell stays set until a reset, and through MCTP "
                   "there is no answer",
           .spec = "the device clears the doorbell when the command is done "
                   "(8.2.8.4.4)"),
    ANSWER("answer-opcode", .point = CXL_FAULT_COMPLETION,
           .takes = CXL_FAULT_OPCODE | CXL_FAULT_VALUE, .value = 0xffff,
           .max = UINT16_MAX, .act = completion_opcode,
           .does = "the answer repeats value as the command's opcode",
           .spec = "an answer has the opcode of the request (7.6.3)"),
};

const CXLFaultSet cxl_faults_answers = { kinds, ARRAY_SIZE(kinds) };
