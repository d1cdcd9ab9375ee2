/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HDM decoders and interleave arithmetic, plain C over the register array.
 * CXL r3.2 sections 8.2.4.20, 9.13.1 and 9.18.
 */
#include "qemu/osdep.h"
#include "qemu/range.h"
#include "hw/cxl/cxl_hdm.h"

/* Word index of a byte offset in the register arrays */
#define W(offset)               ((offset) / 4)

/* Header of the capability in the array at the start of CXL.cachemem */
#define HDM_HEADER              0x00c
#define HDM_HEADER_ID           5

/* Base, size and DPA skip are multiples of 256 MiB: 31:28 of the low dword */
#define GRANULE_MASK            0xf0000000u
#define CONTROL_MASK            (CXL_HDM_CTRL_IG | CXL_HDM_CTRL_IW | \
                                 CXL_HDM_CTRL_LOCK | CXL_HDM_CTRL_COMMIT | \
                                 CXL_HDM_CTRL_HOST_ONLY)

/* Codes 0..4 are 2^n ways, codes 8..10 are 3 * 2^(n - 8) */
#define IW_POWER_MAX            4
#define IW_TRIPLE               8
#define IW_TRIPLE_MAX           10

#define IG_MIN_SHIFT            8
#define IG_CODE_MAX             6

unsigned cxl_interleave_decode_ways(unsigned code)
{
    if (code <= IW_POWER_MAX) {
        return 1u << code;
    }
    if (code >= IW_TRIPLE && code <= IW_TRIPLE_MAX) {
        return 3u << (code - IW_TRIPLE);
    }
    return 0;
}

int cxl_interleave_encode_ways(unsigned ways)
{
    for (int code = 0; code <= IW_TRIPLE_MAX; code++) {
        if (ways && cxl_interleave_decode_ways(code) == ways) {
            return code;
        }
    }
    return -1;
}

unsigned cxl_interleave_decode_granularity(unsigned code)
{
    return code <= IG_CODE_MAX ? 1u << (IG_MIN_SHIFT + code) : 0;
}

int cxl_interleave_encode_granularity(uint64_t bytes)
{
    for (int code = 0; code <= IG_CODE_MAX; code++) {
        if (bytes == cxl_interleave_decode_granularity(code)) {
            return code;
        }
    }
    return -1;
}

unsigned cxl_interleave_target(uint64_t hpa, unsigned ways,
                               unsigned granularity)
{
    /*
     * The specification gives bit fields for powers of two, and for the
     * multiples of three the remainder of the upper bits beside the lower
     * ones. Both are the remainder of the chunk number.
     */
    return (hpa / granularity) % ways;
}

uint64_t cxl_interleave_dpa_offset(uint64_t hpa_offset, unsigned ways,
                                   unsigned granularity)
{
    return hpa_offset / granularity / ways * granularity +
           hpa_offset % granularity;
}

uint64_t cxl_interleave_hpa_offset(uint64_t dpa_offset, unsigned position,
                                   unsigned ways, unsigned granularity)
{
    return (dpa_offset / granularity * ways + position) * granularity +
           dpa_offset % granularity;
}

unsigned cxl_interleave_period(unsigned period, unsigned ways,
                               unsigned granularity)
{
    unsigned next = ways == 1 ? 1 : ways * (granularity / CXL_INTERLEAVE_CHUNK);
    unsigned a = period, b = next;

    while (b) {
        unsigned rest = a % b;

        a = b;
        b = rest;
    }
    return period / a * next;
}

unsigned cxl_hdm_count(const uint32_t *regs)
{
    unsigned code;

    if (extract32(regs[W(HDM_HEADER)], 0, 16) != HDM_HEADER_ID) {
        return 0;
    }
    code = regs[W(CXL_HDM_CAP)] & CXL_HDM_CAP_COUNT;
    return code ? 2 * code : 1;
}

/* Only devices obey it: root complexes and switches always decode */
static bool hdm_enabled(const uint32_t *regs)
{
    return regs[W(CXL_HDM_GLOBAL_CONTROL)] & CXL_HDM_GLOBAL_ENABLE;
}

static uint64_t hdm_granules(const uint32_t *pair)
{
    return (uint64_t)pair[1] << 32 | (pair[0] & GRANULE_MASK);
}

void cxl_hdm_get(const uint32_t *regs, unsigned index, CXLHDMDecoder *d)
{
    const uint32_t *dec = &regs[W(CXL_HDM_DECODER(index))];
    uint32_t ctrl = dec[W(CXL_HDM_CONTROL)];

    *d = (CXLHDMDecoder) {
        .index = index,
        .base = hdm_granules(&dec[W(CXL_HDM_BASE_LO)]),
        .size = hdm_granules(&dec[W(CXL_HDM_SIZE_LO)]),
        .skip = hdm_granules(&dec[W(CXL_HDM_SKIP_LO)]),
        .granularity = cxl_interleave_decode_granularity(
                           ctrl & CXL_HDM_CTRL_IG),
        .ways = cxl_interleave_decode_ways(
                    (ctrl & CXL_HDM_CTRL_IW) >> CXL_HDM_CTRL_IW_SHIFT),
        .host_only = ctrl & CXL_HDM_CTRL_HOST_ONLY,
        .back_invalidate = ctrl & CXL_HDM_CTRL_BI,
        .committed = ctrl & CXL_HDM_CTRL_COMMITTED,
        .locked = (ctrl & CXL_HDM_CTRL_COMMITTED) &&
                  (ctrl & CXL_HDM_CTRL_LOCK),
    };
    for (int i = 0; i < CXL_HDM_TARGETS_MAX; i++) {
        d->targets[i] = dec[W(CXL_HDM_TARGET_LO) + i / 4] >> (i % 4 * 8);
    }
}

/*
 * The DPAs of a decoder follow those of the one before it.  Software may move
 * and resize a committed decoder that is not locked: where there are no such
 * DPAs any more, neither this decoder nor one behind it leads anywhere.
 *
 * Return: false if they end here, or else from @dpa on @d has @len bytes
 */
static bool hdm_next_part(const uint32_t *regs, unsigned index, uint64_t *dpa,
                          uint64_t *len, CXLHDMDecoder *d)
{
    cxl_hdm_get(regs, index, d);
    if (!d->committed || d->skip > UINT64_MAX - *dpa) {
        return false;
    }
    *dpa += d->skip;
    *len = ROUND_DOWN(d->size / d->ways, d->granularity);
    return *len <= UINT64_MAX - *dpa;
}

bool cxl_hdm_hpa_to_dpa(const uint32_t *regs, uint64_t hpa, uint64_t *dpa,
                        CXLHDMDecoder *hit)
{
    unsigned count = hdm_enabled(regs) ? cxl_hdm_count(regs) : 0;
    uint64_t part = 0, len;
    CXLHDMDecoder d;

    for (unsigned i = 0; i < count && hdm_next_part(regs, i, &part, &len, &d);
         i++, part += len) {
        if (hpa >= d.base && hpa - d.base < d.size) {
            uint64_t at = cxl_interleave_dpa_offset(hpa - d.base, d.ways,
                                                    d.granularity);

            if (at >= len) {
                /* The end of a size that is no multiple of the ways */
                return false;
            }
            *dpa = part + at;
            if (hit) {
                *hit = d;
            }
            return true;
        }
    }
    return false;
}

bool cxl_hdm_maps_dpa(const uint32_t *regs, uint64_t dpa, uint64_t len)
{
    unsigned count = cxl_hdm_count(regs);
    uint64_t part = 0, n;
    CXLHDMDecoder d;

    for (unsigned i = 0; i < count && hdm_next_part(regs, i, &part, &n, &d);
         i++, part += n) {
        if (n && ranges_overlap(part, n, dpa, len)) {
            return true;
        }
    }
    return false;
}

void cxl_hdm_init(uint32_t *regs, uint32_t *mask, bool device)
{
    uint32_t cap = CXL_HDM_DECODERS_CODE | 1 << CXL_HDM_CAP_TARGETS_SHIFT |
                   CXL_HDM_CAP_256B | CXL_HDM_CAP_4K;

    if (device) {
        cap |= CXL_HDM_CAP_3_6_12_WAY | CXL_HDM_CAP_16_WAY;
    }
    regs[W(CXL_HDM_CAP)] = cap;
    mask[W(CXL_HDM_GLOBAL_CONTROL)] = CXL_HDM_GLOBAL_POISON |
                                      CXL_HDM_GLOBAL_ENABLE;

    for (int i = 0; i < CXL_HDM_DECODERS; i++) {
        uint32_t *m = &mask[W(CXL_HDM_DECODER(i))];

        m[W(CXL_HDM_BASE_LO)] = GRANULE_MASK;
        m[W(CXL_HDM_BASE_HI)] = UINT32_MAX;
        m[W(CXL_HDM_SIZE_LO)] = GRANULE_MASK;
        m[W(CXL_HDM_SIZE_HI)] = UINT32_MAX;
        m[W(CXL_HDM_CONTROL)] = CONTROL_MASK;
        m[W(CXL_HDM_TARGET_LO)] = device ? GRANULE_MASK : UINT32_MAX;
        m[W(CXL_HDM_TARGET_HI)] = UINT32_MAX;
    }
}

void cxl_hdm_allow_bi(uint32_t *regs, uint32_t *mask, bool device)
{
    if (device) {
        regs[W(CXL_HDM_CAP)] |= CXL_HDM_CAP_BOTH_COHERENT;
    }
    for (int i = 0; i < CXL_HDM_DECODERS; i++) {
        mask[W(CXL_HDM_DECODER(i) + CXL_HDM_CONTROL)] |= CXL_HDM_CTRL_BI;
    }
}

bool cxl_hdm_owns(const uint32_t *regs, unsigned offset)
{
    unsigned count = cxl_hdm_count(regs);

    return count && offset >= CXL_HDM_OFFSET && offset < CXL_HDM_DECODER(count);
}

/* A device has a DPA skip where a port has the first four port numbers */
static bool hdm_is_device(const uint32_t *mask)
{
    return mask[W(CXL_HDM_DECODER(0) + CXL_HDM_SKIP_LO)] == GRANULE_MASK;
}

static bool hdm_ways_supported(const uint32_t *regs, const uint32_t *mask,
                               unsigned ways)
{
    uint32_t cap = regs[W(CXL_HDM_CAP)];

    if (!ways ||
        (ways % 3 == 0 && !(cap & CXL_HDM_CAP_3_6_12_WAY)) ||
        (ways == 16 && !(cap & CXL_HDM_CAP_16_WAY))) {
        return false;
    }
    /* Only a port routes; a device may be one of more ways than it knows of */
    return hdm_is_device(mask) ||
           ways <= (cap & CXL_HDM_CAP_TARGETS) >> CXL_HDM_CAP_TARGETS_SHIFT;
}

/* What is true of a committed decoder whatever software does to it later */
static CXLHDMRefusal hdm_check_codes(const uint32_t *regs, const uint32_t *mask,
                                     const CXLHDMDecoder *d)
{
    if (!hdm_ways_supported(regs, mask, d->ways)) {
        return CXL_HDM_BAD_WAYS;
    }
    if (!d->granularity) {
        return CXL_HDM_BAD_GRANULARITY;
    }
    return d->host_only && d->back_invalidate ? CXL_HDM_BAD_COHERENCY :
                                                CXL_HDM_OK;
}

/* Section 8.2.4.20.12: what a decoder must obey to be committed */
static CXLHDMRefusal hdm_check_commit(const uint32_t *regs,
                                      const uint32_t *mask, unsigned index)
{
    unsigned count = cxl_hdm_count(regs);
    CXLHDMDecoder d, other;
    CXLHDMRefusal refusal;

    cxl_hdm_get(regs, index, &d);
    refusal = hdm_check_codes(regs, mask, &d);
    if (refusal != CXL_HDM_OK) {
        return refusal;
    }
    if (d.size % d.ways || (d.size && d.base > UINT64_MAX - (d.size - 1))) {
        return CXL_HDM_BAD_RANGE;
    }
    for (unsigned i = 0; i < count; i++) {
        cxl_hdm_get(regs, i, &other);
        if (i < index && !other.committed) {
            return CXL_HDM_OUT_OF_ORDER;
        }
        /* An empty decoder only marks its index as skipped */
        if (!other.committed || !other.size || !d.size) {
            continue;
        }
        if ((i < index && d.base <= other.base + (other.size - 1)) ||
            (i > index && other.base <= d.base + (d.size - 1))) {
            return CXL_HDM_OVERLAP;
        }
    }
    return CXL_HDM_OK;
}

static CXLHDMWrite hdm_write_decoder(uint32_t *regs, const uint32_t *mask,
                                     unsigned index, unsigned offset,
                                     uint32_t value)
{
    uint32_t *ctrl = &regs[W(CXL_HDM_DECODER(index) + CXL_HDM_CONTROL)];
    uint32_t *reg = &regs[W(offset)];
    uint32_t writable = mask[W(offset)];
    uint32_t old = *reg;
    bool was_committed = *ctrl & CXL_HDM_CTRL_COMMITTED;
    CXLHDMWrite done = { .decoder = index };

    if (was_committed && (*ctrl & CXL_HDM_CTRL_LOCK)) {
        return done;
    }

    *reg = (value & writable) | (old & ~writable);
    if (reg == ctrl) {
        /* The decoder itself must not stand in its own way */
        *ctrl &= ~(CXL_HDM_CTRL_COMMITTED | CXL_HDM_CTRL_ERROR);
        if (*ctrl & CXL_HDM_CTRL_COMMIT) {
            done.refusal = hdm_check_commit(regs, mask, index);
            *ctrl |= done.refusal == CXL_HDM_OK ? CXL_HDM_CTRL_COMMITTED :
                                                  CXL_HDM_CTRL_ERROR;
        }
        done.commit_changed = was_committed !=
                              !!(*ctrl & CXL_HDM_CTRL_COMMITTED);
    }
    done.decode_changed = done.commit_changed ||
                          (was_committed && *reg != old);
    return done;
}

CXLHDMWrite cxl_hdm_write(uint32_t *regs, const uint32_t *mask,
                          unsigned offset, uint32_t value)
{
    uint32_t *reg = &regs[W(offset)];
    uint32_t old = *reg;

    if (offset >= CXL_HDM_DECODER(0)) {
        unsigned index = (offset - CXL_HDM_DECODER(0)) /
                         (CXL_HDM_DECODER(1) - CXL_HDM_DECODER(0));

        return hdm_write_decoder(regs, mask, index, offset, value);
    }

    *reg = (value & mask[W(offset)]) | (old & ~mask[W(offset)]);
    return (CXLHDMWrite) {
        .decoder = -1,
        .decode_changed = offset == CXL_HDM_GLOBAL_CONTROL &&
                          ((old ^ *reg) & CXL_HDM_GLOBAL_ENABLE),
    };
}

/* Committed and error are the decoder's answer to commit */
static bool hdm_status_agrees(uint32_t ctrl)
{
    switch (ctrl & (CXL_HDM_CTRL_COMMITTED | CXL_HDM_CTRL_ERROR)) {
    case 0:
        return !(ctrl & CXL_HDM_CTRL_COMMIT);
    case CXL_HDM_CTRL_COMMITTED:
    case CXL_HDM_CTRL_ERROR:
        return ctrl & CXL_HDM_CTRL_COMMIT;
    default:
        return false;
    }
}

CXLHDMRefusal cxl_hdm_check(const uint32_t *regs, const uint32_t *mask)
{
    unsigned count = cxl_hdm_count(regs);

    for (unsigned i = 0; i < count; i++) {
        CXLHDMRefusal refusal = CXL_HDM_OK;
        CXLHDMDecoder d;

        cxl_hdm_get(regs, i, &d);
        if (!hdm_status_agrees(regs[W(CXL_HDM_DECODER(i) + CXL_HDM_CONTROL)])) {
            return CXL_HDM_BAD_STATUS;
        }
        if (d.committed) {
            refusal = hdm_check_codes(regs, mask, &d);
        }
        if (refusal != CXL_HDM_OK) {
            return refusal;
        }
    }
    return CXL_HDM_OK;
}

uint32_t cxl_hdm_status(const uint32_t *regs, unsigned offset)
{
    return cxl_hdm_owns(regs, offset) && offset >= CXL_HDM_DECODER(0) &&
           (offset - CXL_HDM_DECODER(0)) %
           (CXL_HDM_DECODER(1) - CXL_HDM_DECODER(0)) == CXL_HDM_CONTROL ?
           CXL_HDM_CTRL_COMMITTED | CXL_HDM_CTRL_ERROR : 0;
}

const char *cxl_hdm_refusal_text(CXLHDMRefusal refusal)
{
    static const char *const texts[] = {
        [CXL_HDM_OK] = "none",
        [CXL_HDM_BAD_WAYS] = "unsupported interleave ways",
        [CXL_HDM_BAD_GRANULARITY] = "reserved interleave granularity",
        [CXL_HDM_BAD_RANGE] = "range wraps or is no multiple of the ways",
        [CXL_HDM_OUT_OF_ORDER] = "decoder before it is not committed",
        [CXL_HDM_OVERLAP] = "overlaps or precedes another decoder",
        [CXL_HDM_BAD_COHERENCY] = "back-invalidate of host-only memory",
        [CXL_HDM_BAD_STATUS] = "committed and error do not answer commit",
    };

    return texts[refusal];
}
