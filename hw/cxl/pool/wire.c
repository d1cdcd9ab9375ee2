/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages between heads of a pool and cxl-poold, see cxl_pool_wire.h
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "hw/cxl/cxl_pool_wire.h"

#define REQUEST_FIXED   16
#define ANSWER_FIXED    16
/* Flags of an answer */
#define ANSWER_BACKGROUND   (1u << 0)
#define REGION_BYTES    56
#define INFO_RESERVED   7

/* Attributes of a region, as in the table of docs/interop/cxl-pool.rst */
#define REGION_SANITIZE         (1u << 0)
#define REGION_SANITIZE_CONFIG  (1u << 1)
#define REGION_NON_VOLATILE     (1u << 2)
#define REGION_SHARABLE         (1u << 3)
#define REGION_HW_COHERENT      (1u << 4)
#define REGION_READ_ONLY        (1u << 5)
#define REGION_FLAGS            MAKE_64BIT_MASK(0, 6)

/* Flags of ATTACH */
#define ATTACH_GOES_ON          (1u << 0)

/* -- framing -------------------------------------------------------------- */

ssize_t cxl_pool_wire_next(const uint8_t *data, size_t len, CXLPoolMsg *msg)
{
    uint32_t total;

    if (len < CXL_POOL_WIRE_HEADER) {
        return 0;
    }
    total = ldl_le_p(data);
    if (total < CXL_POOL_WIRE_HEADER || total > CXL_POOL_WIRE_MAX || data[5]) {
        return -1;
    }
    if (len < total) {
        return 0;
    }
    *msg = (CXLPoolMsg) {
        .type = data[4],
        .head = lduw_le_p(data + 6),
        .body = data + CXL_POOL_WIRE_HEADER,
        .len = total - CXL_POOL_WIRE_HEADER,
    };
    return total;
}

size_t cxl_pool_wire_missing(const uint8_t *data, size_t len)
{
    return len < CXL_POOL_WIRE_HEADER ? 0 :
           MAX(ldl_le_p(data), len) - len;
}

static void wire_u8(GByteArray *out, uint8_t v)
{
    g_byte_array_append(out, &v, 1);
}

static void wire_le16(GByteArray *out, uint16_t v)
{
    v = cpu_to_le16(v);
    g_byte_array_append(out, (uint8_t *)&v, sizeof(v));
}

static void wire_le32(GByteArray *out, uint32_t v)
{
    v = cpu_to_le32(v);
    g_byte_array_append(out, (uint8_t *)&v, sizeof(v));
}

static void wire_le64(GByteArray *out, uint64_t v)
{
    v = cpu_to_le64(v);
    g_byte_array_append(out, (uint8_t *)&v, sizeof(v));
}

static void wire_begin(GByteArray *out, CXLPoolMsgType type, uint16_t head,
                       size_t body)
{
    g_assert(body <= CXL_POOL_WIRE_MAX - CXL_POOL_WIRE_HEADER);
    wire_le32(out, CXL_POOL_WIRE_HEADER + body);
    wire_u8(out, type);
    wire_u8(out, 0);
    wire_le16(out, head);
}

/* The body was as long as what was read of it */
static bool wire_end(const CXLReader *in)
{
    return !in->overrun && !cxl_reader_left(in);
}

/* -- from the head -------------------------------------------------------- */

void cxl_pool_put_hello(GByteArray *out, const CXLPoolHello *m)
{
    wire_begin(out, CXL_POOL_MSG_HELLO, 0, 8);
    wire_le32(out, CXL_POOL_WIRE_MAGIC);
    wire_le16(out, m->oldest);
    wire_le16(out, m->newest);
}

/* Later versions may say more: this part stays, so that they can be refused */
bool cxl_pool_get_hello(const CXLPoolMsg *msg, CXLPoolHello *m)
{
    CXLReader in;
    uint32_t magic;

    cxl_reader_init(&in, msg->body, msg->len);
    magic = cxl_get_le32(&in);
    m->oldest = cxl_get_le16(&in);
    m->newest = cxl_get_le16(&in);
    return !in.overrun && magic == CXL_POOL_WIRE_MAGIC && m->oldest &&
           m->oldest <= m->newest;
}

void cxl_pool_put_attach(GByteArray *out, uint16_t head,
                         const CXLPoolAttach *m)
{
    wire_begin(out, CXL_POOL_MSG_ATTACH, head,
               16 + 8 + 4 * CXL_DC_MAX_REGIONS + 8 + 4 + 4);
    g_byte_array_append(out, m->instance.data, sizeof(m->instance.data));
    wire_le64(out, m->base);
    for (unsigned i = 0; i < CXL_DC_MAX_REGIONS; i++) {
        wire_le32(out, m->dsmad[i]);
    }
    wire_le64(out, m->heard);
    wire_le32(out, m->room);
    wire_le32(out, m->goes_on ? ATTACH_GOES_ON : 0);
}

bool cxl_pool_get_attach(const CXLPoolMsg *msg, CXLPoolAttach *m)
{
    CXLReader in;
    uint32_t flags;

    cxl_reader_init(&in, msg->body, msg->len);
    cxl_get_uuid(&in, &m->instance);
    m->base = cxl_get_le64(&in);
    for (unsigned i = 0; i < CXL_DC_MAX_REGIONS; i++) {
        m->dsmad[i] = cxl_get_le32(&in);
    }
    m->heard = cxl_get_le64(&in);
    m->room = cxl_get_le32(&in);
    flags = cxl_get_le32(&in);
    m->goes_on = flags & ATTACH_GOES_ON;
    return wire_end(&in) && !qemu_uuid_is_null(&m->instance) &&
           !(flags & ~ATTACH_GOES_ON);
}

static void wire_put_request(GByteArray *out, uint16_t head,
                             CXLPoolMsgType type, const CXLPoolRequest *m)
{
    wire_begin(out, type, head, REQUEST_FIXED + m->len);
    wire_le64(out, m->id);
    wire_le16(out, m->opcode);
    wire_le16(out, 0);
    wire_le32(out, m->room);
    g_byte_array_append(out, m->payload, m->len);
}

void cxl_pool_put_request(GByteArray *out, uint16_t head,
                          const CXLPoolRequest *m)
{
    wire_put_request(out, head, CXL_POOL_MSG_REQUEST, m);
}

bool cxl_pool_get_request(const CXLPoolMsg *msg, CXLPoolRequest *m)
{
    CXLReader in;

    cxl_reader_init(&in, msg->body, msg->len);
    m->id = cxl_get_le64(&in);
    m->opcode = cxl_get_le16(&in);
    cxl_get_skip(&in, 2);
    m->room = cxl_get_le32(&in);
    m->len = cxl_reader_left(&in);
    m->payload = cxl_reader_bytes(&in, m->len);
    return wire_end(&in) && m->id && m->room <= 1 * MiB && m->len <= 1 * MiB;
}

void cxl_pool_put_number(GByteArray *out, uint16_t head, CXLPoolMsgType type,
                         uint64_t number)
{
    if (type == CXL_POOL_MSG_DETACH) {
        wire_begin(out, type, head, 0);
    } else {
        wire_begin(out, type, head, 8);
        wire_le64(out, number);
    }
}

bool cxl_pool_get_number(const CXLPoolMsg *msg, uint64_t *number)
{
    CXLReader in;

    cxl_reader_init(&in, msg->body, msg->len);
    *number = msg->type == CXL_POOL_MSG_DETACH ? 0 : cxl_get_le64(&in);
    return wire_end(&in);
}

void cxl_pool_put_uuid(GByteArray *out, uint16_t head, CXLPoolMsgType type,
                       const QemuUUID *uuid)
{
    wire_begin(out, type, head, sizeof(uuid->data));
    g_byte_array_append(out, uuid->data, sizeof(uuid->data));
}

bool cxl_pool_get_uuid(const CXLPoolMsg *msg, QemuUUID *uuid)
{
    CXLReader in;

    cxl_reader_init(&in, msg->body, msg->len);
    cxl_get_uuid(&in, uuid);
    return wire_end(&in) && !qemu_uuid_is_null(uuid);
}

void cxl_pool_put_credit(GByteArray *out, uint16_t head,
                         const CXLPoolCredit *m)
{
    wire_begin(out, CXL_POOL_MSG_CREDIT, head, 16);
    wire_le64(out, m->heard);
    wire_le32(out, m->room);
    wire_le32(out, 0);
}

bool cxl_pool_get_credit(const CXLPoolMsg *msg, CXLPoolCredit *m)
{
    CXLReader in;

    cxl_reader_init(&in, msg->body, msg->len);
    m->heard = cxl_get_le64(&in);
    m->room = cxl_get_le32(&in);
    cxl_get_skip(&in, 4);
    return wire_end(&in);
}

void cxl_pool_put_info(GByteArray *out, uint16_t head, const CXLHeadInfo *m)
{
    const uint8_t reserved[INFO_RESERVED] = { };

    wire_begin(out, CXL_POOL_MSG_INFO, head,
               16 + CXL_HEAD_LINK + INFO_RESERVED);
    wire_le64(out, m->volatile_size);
    wire_le64(out, m->persistent_size);
    g_byte_array_append(out, m->link, CXL_HEAD_LINK);
    g_byte_array_append(out, reserved, INFO_RESERVED);
}

bool cxl_pool_get_info(const CXLPoolMsg *msg, CXLHeadInfo *m)
{
    CXLReader in;

    cxl_reader_init(&in, msg->body, msg->len);
    m->volatile_size = cxl_get_le64(&in);
    m->persistent_size = cxl_get_le64(&in);
    for (unsigned i = 0; i < CXL_HEAD_LINK; i++) {
        m->link[i] = cxl_get_u8(&in);
    }
    cxl_get_skip(&in, INFO_RESERVED);
    return wire_end(&in);
}

/* -- from the daemon ------------------------------------------------------ */

static uint32_t wire_region_flags(const CXLDCRegion *r)
{
    return (r->sanitize ? REGION_SANITIZE : 0) |
           (r->sanitize_configurable ? REGION_SANITIZE_CONFIG : 0) |
           (r->non_volatile ? REGION_NON_VOLATILE : 0) |
           (r->sharable ? REGION_SHARABLE : 0) |
           (r->hw_coherent ? REGION_HW_COHERENT : 0) |
           (r->read_only ? REGION_READ_ONLY : 0);
}

void cxl_pool_put_welcome(GByteArray *out, const CXLPoolWelcome *m)
{
    wire_begin(out, CXL_POOL_MSG_WELCOME, 0,
               32 + m->config.nr_regions * REGION_BYTES);
    wire_le16(out, m->version);
    wire_le16(out, m->config.nr_hosts);
    wire_u8(out, m->config.nr_regions);
    wire_u8(out, 0);
    wire_le16(out, 0);
    wire_le64(out, m->size);
    wire_le64(out, m->serial);
    wire_le32(out, m->config.max_extents);
    wire_le32(out, m->config.max_tags);
    for (unsigned i = 0; i < m->config.nr_regions; i++) {
        const CXLDCRegion *r = &m->config.region[i];

        wire_le64(out, r->base);
        wire_le64(out, r->decode_len);
        wire_le64(out, r->len);
        wire_le64(out, r->block_size);
        wire_le64(out, r->block_mask);
        wire_le64(out, m->place[i]);
        wire_le32(out, wire_region_flags(r));
        wire_le32(out, 0);
    }
}

static bool wire_get_region(CXLReader *in, CXLPoolWelcome *m, unsigned i)
{
    CXLDCRegion *r = &m->config.region[i];
    uint32_t flags;

    r->base = cxl_get_le64(in);
    r->decode_len = cxl_get_le64(in);
    r->len = cxl_get_le64(in);
    r->block_size = cxl_get_le64(in);
    r->block_mask = cxl_get_le64(in);
    m->place[i] = cxl_get_le64(in);
    flags = cxl_get_le32(in);
    cxl_get_skip(in, 4);
    r->sanitize = flags & REGION_SANITIZE;
    r->sanitize_configurable = flags & REGION_SANITIZE_CONFIG;
    r->non_volatile = flags & REGION_NON_VOLATILE;
    r->sharable = flags & REGION_SHARABLE;
    r->hw_coherent = flags & REGION_HW_COHERENT;
    r->read_only = flags & REGION_READ_ONLY;
    return !(flags & ~REGION_FLAGS) && r->len <= m->size &&
           m->place[i] <= m->size - r->len;
}

/* Rules of the regions among themselves are those of cxl_dc_new() */
bool cxl_pool_get_welcome(const CXLPoolMsg *msg, CXLPoolWelcome *m)
{
    bool sound = true;
    CXLReader in;

    memset(m, 0, sizeof(*m));
    cxl_reader_init(&in, msg->body, msg->len);
    m->version = cxl_get_le16(&in);
    m->config.nr_hosts = cxl_get_le16(&in);
    m->config.nr_regions = cxl_get_u8(&in);
    cxl_get_skip(&in, 3);
    m->size = cxl_get_le64(&in);
    m->serial = cxl_get_le64(&in);
    m->config.max_extents = cxl_get_le32(&in);
    m->config.max_tags = cxl_get_le32(&in);
    if (m->version != CXL_POOL_WIRE_VERSION || !m->config.nr_hosts ||
        m->config.nr_hosts > CXL_DC_MAX_HOSTS || !m->config.nr_regions ||
        m->config.nr_regions > CXL_DC_MAX_REGIONS) {
        return false;
    }
    for (unsigned i = 0; i < m->config.nr_regions; i++) {
        sound &= wire_get_region(&in, m, i);
    }
    return sound && wire_end(&in);
}

void cxl_pool_put_tunnel(GByteArray *out, uint16_t head,
                         const CXLPoolRequest *m)
{
    wire_put_request(out, head, CXL_POOL_MSG_TUNNEL, m);
}

static void wire_put_answer(GByteArray *out, uint16_t head,
                            CXLPoolMsgType type, const CXLPoolAnswer *m)
{
    wire_begin(out, type, head, ANSWER_FIXED + m->len);
    wire_le64(out, m->id);
    wire_le16(out, m->rc);
    wire_le16(out, m->background ? ANSWER_BACKGROUND : 0);
    wire_le32(out, 0);
    g_byte_array_append(out, m->payload, m->len);
}

void cxl_pool_put_answer(GByteArray *out, uint16_t head,
                         const CXLPoolAnswer *m)
{
    wire_put_answer(out, head, CXL_POOL_MSG_ANSWER, m);
}

void cxl_pool_put_reply(GByteArray *out, uint16_t head, const CXLPoolAnswer *m)
{
    wire_put_answer(out, head, CXL_POOL_MSG_REPLY, m);
}

bool cxl_pool_get_answer(const CXLPoolMsg *msg, CXLPoolAnswer *m)
{
    CXLReader in;

    cxl_reader_init(&in, msg->body, msg->len);
    m->id = cxl_get_le64(&in);
    m->rc = cxl_get_le16(&in);
    m->background = cxl_get_le16(&in) & ANSWER_BACKGROUND;
    cxl_get_skip(&in, 4);
    m->len = cxl_reader_left(&in);
    m->payload = cxl_reader_bytes(&in, m->len);
    return wire_end(&in) && m->rc < CXL_RC_COUNT;
}

void cxl_pool_put_ranges(GByteArray *out, uint16_t head, CXLPoolMsgType type,
                         uint64_t ticket, const CXLDCPiece *range, size_t n)
{
    while (n) {
        size_t part = MIN(n, CXL_POOL_WIRE_RANGES);

        wire_begin(out, type, head,
                   CXL_POOL_WIRE_LIST + part * CXL_POOL_WIRE_RANGE);
        wire_le64(out, ticket);
        wire_le32(out, part);
        wire_le32(out, 0);
        for (size_t i = 0; i < part; i++) {
            wire_le64(out, range[i].dpa);
            wire_le64(out, range[i].len);
            wire_le64(out, range[i].media);
        }
        range += part;
        n -= part;
    }
}

/* A list of @n > 0 entries that is as long as the message says */
static bool wire_get_list(const CXLPoolMsg *msg, size_t entry, uint32_t max,
                          uint64_t *number, uint32_t *n, const uint8_t **list)
{
    CXLReader in;

    cxl_reader_init(&in, msg->body, msg->len);
    *number = cxl_get_le64(&in);
    *n = cxl_get_le32(&in);
    cxl_get_skip(&in, 4);
    if (!*n || *n > max) {
        return false;
    }
    *list = cxl_reader_bytes(&in, *n * entry);
    return wire_end(&in);
}

bool cxl_pool_get_ranges(const CXLPoolMsg *msg, CXLPoolRanges *m)
{
    if (!wire_get_list(msg, CXL_POOL_WIRE_RANGE, CXL_POOL_WIRE_RANGES,
                       &m->ticket, &m->n, &m->list)) {
        return false;
    }
    for (uint32_t i = 0; i < m->n; i++) {
        CXLDCPiece r = cxl_pool_wire_range(m, i);

        if (!r.len || r.len > UINT64_MAX - r.dpa ||
            r.len > UINT64_MAX - r.media) {
            return false;
        }
    }
    return true;
}

CXLDCPiece cxl_pool_wire_range(const CXLPoolRanges *m, uint32_t i)
{
    const uint8_t *at = m->list + (size_t)i * CXL_POOL_WIRE_RANGE;

    return (CXLDCPiece) {
        .dpa = ldq_le_p(at), .len = ldq_le_p(at + 8), .media = ldq_le_p(at + 16)
    };
}

void cxl_pool_put_events(GByteArray *out, uint16_t head, uint64_t first,
                         const CXLEventRecord *r, size_t n)
{
    while (n) {
        size_t part = MIN(n, CXL_POOL_WIRE_RECORDS);

        wire_begin(out, CXL_POOL_MSG_EVENTS, head,
                   CXL_POOL_WIRE_LIST + part * sizeof(*r));
        wire_le64(out, first);
        wire_le32(out, part);
        wire_le32(out, 0);
        g_byte_array_append(out, r->b, part * sizeof(*r));
        first += part;
        r += part;
        n -= part;
    }
}

bool cxl_pool_get_events(const CXLPoolMsg *msg, CXLPoolEvents *m)
{
    return wire_get_list(msg, sizeof(CXLEventRecord), CXL_POOL_WIRE_RECORDS,
                         &m->first, &m->n, &m->list) &&
           m->first && m->first <= UINT64_MAX - m->n;
}

void cxl_pool_wire_record(const CXLPoolEvents *m, uint32_t i,
                          CXLEventRecord *r)
{
    memcpy(r->b, m->list + (size_t)i * sizeof(*r), sizeof(*r));
}

void cxl_pool_put_text(GByteArray *out, uint16_t head, CXLPoolMsgType type,
                       const char *text)
{
    size_t len = MIN(strlen(text), CXL_POOL_WIRE_TEXT);

    wire_begin(out, type, head, len);
    g_byte_array_append(out, (const uint8_t *)text, len);
}

char *cxl_pool_get_text(const CXLPoolMsg *msg)
{
    size_t len = MIN(msg->len, CXL_POOL_WIRE_TEXT);
    char *text = g_strndup((const char *)msg->body, len);

    for (char *c = text; *c; c++) {
        *c = g_ascii_isprint(*c) ? *c : '?';
    }
    return text;
}
