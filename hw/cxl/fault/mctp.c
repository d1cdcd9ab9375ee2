/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of MCTP packets, I2C frames and USB transfers on their way out (DMTF
 * DSP0236, DSP0237, DSP0283).  A packet is its header of four bytes and
 * payload.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "fault-internal.h"

#define HEADER          4
#define HDR_SOURCE      2
#define HDR_FLAGS       3
#define TAG_MASK        7u
#define SEQUENCE_SHIFT  4

static void packet_drop(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultSending *s = arg;

    s->times = 0;
}

static void packet_duplicate(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultSending *s = arg;

    s->times *= 2;
}

static void packet_late(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultSending *s = arg;

    s->late_ns += f->delay_ms * (int64_t)SCALE_MS;
}

static void packet_corrupt(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultSending *s = arg;

    if (HEADER + f->offset < s->len) {
        s->data[HEADER + f->offset] ^= f->value;
    }
}

/* No packet is without payload */
static void packet_truncate(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultSending *s = arg;

    s->len -= MIN(s->len - HEADER - 1, f->value);
}

static void packet_tag(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultSending *s = arg;

    s->data[HDR_FLAGS] ^= f->value & TAG_MASK;
}

static void packet_sequence(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultSending *s = arg;

    s->data[HDR_FLAGS] ^= f->value << SEQUENCE_SHIFT;
}

static void packet_eid(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultSending *s = arg;

    s->data[HDR_SOURCE] = f->value;
}

static void frame_pec(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultSending *s = arg;

    /* unless another fault cut all of it off */
    if (s->len) {
        s->data[s->len - 1] ^= f->value;
    }
}

static void wire_cut(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultSending *s = arg;

    s->len = MIN(s->len, f->value);
}

#define MCTP(n, point_, ...) \
    { .name = n, .family = "mctp", .point = CXL_FAULT_##point_, \
      .only = CXL_FAULT_ANY, __VA_ARGS__ }

static const CXLFaultKind kinds[] = {
    MCTP("packet-drop", PACKET, .act = packet_drop,
         .does = "a packet is not sent",
         .spec = "requesters time out and ask again (DSP0236 8.4)"),
    MCTP("packet-duplicate", PACKET, .act = packet_duplicate,
         .does = "a packet is sent twice",
         .spec = "the second one ends assembly of the message "
                 "(DSP0236 8.9)"),
    MCTP("packet-late", PACKET, .takes = CXL_FAULT_DELAY, .value = 3000,
         .act = packet_late,
         .does = "a packet is sent delay milliseconds later, after those that "
                 "came meanwhile; with count 0 answers are late",
         .spec = "clients of CXL commands wait 2 seconds (DSP0236 8.4)"),
    MCTP("packet-reorder", PACKET, .takes = CXL_FAULT_DELAY, .value = 20,
         .act = packet_late,
         .does = "a packet is sent after the one that follows it",
         .spec = "packets of a message are in order (DSP0236 8.2)"),
    MCTP("packet-corrupt", PACKET, .takes = CXL_FAULT_VALUE |
         CXL_FAULT_OFFSET, .value = 0xff, .max = UINT8_MAX,
         .act = packet_corrupt,
         .does = "bits of value are flipped in the byte of the payload at "
                 "offset; the checksum of the frame is that of what is sent",
         .spec = "no part of CXL's messages protects them (DSP0236 8.1)"),
    MCTP("packet-truncate", PACKET, .takes = CXL_FAULT_VALUE, .value = 1,
         .max = UINT8_MAX, .act = packet_truncate,
         .does = "a packet lacks its last bytes, value of them",
         .spec = "all packets but the last have the same length "
                 "(DSP0236 8.3)"),
    MCTP("packet-tag", PACKET, .takes = CXL_FAULT_VALUE, .value = 1,
         .max = TAG_MASK, .act = packet_tag,
         .does = "bits of value are flipped in the message tag",
         .spec = "an answer has the tag of the request (DSP0236 8.1)"),
    MCTP("packet-sequence", PACKET, .takes = CXL_FAULT_VALUE, .value = 1,
         .max = 3, .act = packet_sequence,
         .does = "bits of value are flipped in the sequence number",
         .spec = "numbers follow each other (DSP0236 8.1)"),
    MCTP("packet-eid", PACKET, .takes = CXL_FAULT_VALUE, .value = 0xfe,
         .max = UINT8_MAX, .act = packet_eid,
         .does = "a packet comes from endpoint ID value",
         .spec = "an answer comes from where the request went "
                 "(DSP0236 8.1)"),
    MCTP("frame-pec", FRAME, .takes = CXL_FAULT_VALUE, .value = 0xff,
         .max = UINT8_MAX, .act = frame_pec,
         .does = "bits of value are flipped in the packet error code of an "
                 "I2C frame",
         .spec = "a frame whose code is wrong is dropped (DSP0237 6.4)"),
    MCTP("frame-arbitration", FRAME, .takes = CXL_FAULT_VALUE, .value = 3,
         .max = UINT8_MAX, .act = wire_cut,
         .does = "another master wins the I2C bus after value bytes of a "
                 "frame",
         .spec = "the one that lost tries again (DSP0237 6.14)"),
    MCTP("transfer-short", TRANSFER, .takes = CXL_FAULT_VALUE, .value = 6,
         .max = UINT16_MAX, .act = wire_cut,
         .does = "a USB transfer ends after value bytes; what is missing of "
                 "its packets is not sent at all",
         .spec = "a packet is as long as its header says, and does not go on "
                 "in another transfer (DSP0283)"),
};

const CXLFaultSet cxl_faults_mctp = { kinds, ARRAY_SIZE(kinds) };
