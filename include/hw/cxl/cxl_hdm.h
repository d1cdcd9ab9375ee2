/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host-managed device memory (HDM) decoders and interleave arithmetic.
 * CXL r3.2 sections 8.2.4.20 (registers), 9.13.1 and 9.18 (arithmetic).
 *
 * Plain C over an array of registers: no machine, device or bus is needed,
 * so the same code runs in unit tests.
 */
#ifndef HW_CXL_CXL_HDM_H
#define HW_CXL_CXL_HDM_H

#include "qemu/bitops.h"

/*
 * Offsets of the HDM decoder capability in the CXL.cachemem block. The place
 * of the block is our choice; users of the replaced code know it, so it stays.
 */
#define CXL_HDM_OFFSET                  0x128
#define CXL_HDM_CAP                     (CXL_HDM_OFFSET + 0x00)
#define CXL_HDM_GLOBAL_CONTROL          (CXL_HDM_OFFSET + 0x04)
#define CXL_HDM_DECODER(n)              (CXL_HDM_OFFSET + 0x10 + 0x20 * (n))
/* Per decoder, from CXL_HDM_DECODER(n) */
#define CXL_HDM_BASE_LO                 0x00
#define CXL_HDM_BASE_HI                 0x04
#define CXL_HDM_SIZE_LO                 0x08
#define CXL_HDM_SIZE_HI                 0x0c
#define CXL_HDM_CONTROL                 0x10
#define CXL_HDM_TARGET_LO               0x14    /* ports: port numbers */
#define CXL_HDM_TARGET_HI               0x18
#define CXL_HDM_SKIP_LO                 0x14    /* devices: DPA skip */
#define CXL_HDM_SKIP_HI                 0x18

/* HDM decoder capability register */
#define CXL_HDM_CAP_COUNT               MAKE_64BIT_MASK(0, 4)
#define CXL_HDM_CAP_TARGETS_SHIFT       4
#define CXL_HDM_CAP_TARGETS             MAKE_64BIT_MASK(4, 4)
#define CXL_HDM_CAP_256B                BIT(8)
#define CXL_HDM_CAP_4K                  BIT(9)
#define CXL_HDM_CAP_3_6_12_WAY          BIT(11)
#define CXL_HDM_CAP_16_WAY              BIT(12)
/* Supported coherency: host-only and device-coherent memory */
#define CXL_HDM_CAP_BOTH_COHERENT       MAKE_64BIT_MASK(21, 2)

/* HDM decoder global control register */
#define CXL_HDM_GLOBAL_POISON           BIT(0)
#define CXL_HDM_GLOBAL_ENABLE           BIT(1)

/* HDM decoder n control register */
#define CXL_HDM_CTRL_IG                 MAKE_64BIT_MASK(0, 4)
#define CXL_HDM_CTRL_IW_SHIFT           4
#define CXL_HDM_CTRL_IW                 MAKE_64BIT_MASK(4, 4)
#define CXL_HDM_CTRL_LOCK               BIT(8)
#define CXL_HDM_CTRL_COMMIT             BIT(9)
#define CXL_HDM_CTRL_COMMITTED          BIT(10)
#define CXL_HDM_CTRL_ERROR              BIT(11)
#define CXL_HDM_CTRL_HOST_ONLY          BIT(12)
#define CXL_HDM_CTRL_BI                 BIT(13)

/* Base, size and skip count in units of this; lower bits are hard-wired 0 */
#define CXL_HDM_GRANULE                 (256ULL << 20)

/* Decoders of a component: the architected range ends at 32 */
#define CXL_HDM_DECODERS_MAX            32
/* Decoders our components have, and its code in the capability register */
#define CXL_HDM_DECODERS                4
#define CXL_HDM_DECODERS_CODE           2
/* A port's target list has room for eight port numbers of one byte */
#define CXL_HDM_TARGETS_MAX             8
/* Smallest interleave granularity: no decoder splits an aligned piece of it */
#define CXL_INTERLEAVE_CHUNK            256
/* Largest number of ways any level can interleave over */
#define CXL_INTERLEAVE_WAYS_MAX         16

/**
 * enum CXLHDMRefusal - why a decoder did not commit
 * @CXL_HDM_OK: it did
 * @CXL_HDM_BAD_WAYS: reserved interleave code, or one the capability excludes
 * @CXL_HDM_BAD_GRANULARITY: reserved granularity code
 * @CXL_HDM_BAD_RANGE: base + size wraps, or size is no multiple of the ways
 * @CXL_HDM_OUT_OF_ORDER: a decoder with a lower index is not committed
 * @CXL_HDM_OVERLAP: starts below the end of a decoder with a lower index, or
 *   ends above the start of a committed one with a higher index
 * @CXL_HDM_BAD_COHERENCY: back-invalidate of memory that is host-only
 * @CXL_HDM_BAD_STATUS: of registers from elsewhere: no commit came to this
 */
typedef enum CXLHDMRefusal {
    CXL_HDM_OK,
    CXL_HDM_BAD_WAYS,
    CXL_HDM_BAD_GRANULARITY,
    CXL_HDM_BAD_RANGE,
    CXL_HDM_OUT_OF_ORDER,
    CXL_HDM_OVERLAP,
    CXL_HDM_BAD_COHERENCY,
    CXL_HDM_BAD_STATUS,
} CXLHDMRefusal;

/**
 * struct CXLHDMDecoder - one decoder, decoded
 * @index: number of the decoder in its component
 * @base: first host physical address
 * @size: bytes of host physical address space
 * @skip: bytes of DPA skipped before this decoder's part (devices only)
 * @granularity: consecutive bytes per target; 0 if the code is reserved
 * @ways: number of targets; 0 if the code is reserved
 * @targets: port numbers (ports only)
 * @host_only: no device caches this memory, or else some may
 * @back_invalidate: the device asks caches for lines by back-invalidate
 * @committed: the decoder decodes
 * @locked: it is committed and cannot be changed before the next reset
 */
typedef struct CXLHDMDecoder {
    unsigned index;
    uint64_t base;
    uint64_t size;
    uint64_t skip;
    unsigned granularity;
    unsigned ways;
    uint8_t targets[CXL_HDM_TARGETS_MAX];
    bool host_only;
    bool back_invalidate;
    bool committed;
    bool locked;
} CXLHDMDecoder;

/**
 * struct CXLHDMWrite - what a register write did
 * @decoder: decoder that was written, -1 if none
 * @decode_changed: some host physical address may now decode differently
 * @commit_changed: the decoder was committed or uncommitted
 * @refusal: why a commit was refused, %CXL_HDM_OK if none was
 */
typedef struct CXLHDMWrite {
    int decoder;
    bool decode_changed;
    bool commit_changed;
    CXLHDMRefusal refusal;
} CXLHDMWrite;

/**
 * cxl_interleave_decode_ways - number of ways of an encoded value
 * @code: encoded interleave ways (eIW)
 *
 * Return: 1, 2, 4, 8, 16, 3, 6 or 12; 0 for a reserved code.
 */
unsigned cxl_interleave_decode_ways(unsigned code);

/**
 * cxl_interleave_encode_ways - inverse of cxl_interleave_decode_ways()
 * @ways: number of ways
 *
 * Return: the code, or -1 if CXL knows no such interleave.
 */
int cxl_interleave_encode_ways(unsigned ways);

/**
 * cxl_interleave_decode_granularity - bytes of an encoded granularity
 * @code: encoded interleave granularity (eIG)
 *
 * Return: 256 to 16384; 0 for a reserved code.
 */
unsigned cxl_interleave_decode_granularity(unsigned code);

/**
 * cxl_interleave_encode_granularity - its inverse
 * @bytes: granularity
 *
 * Return: the code, or -1 if @bytes is no power of two from 256 to 16384.
 */
int cxl_interleave_encode_granularity(uint64_t bytes);

/**
 * cxl_interleave_target - which of the ways an address goes to
 * @hpa: host physical address
 * @ways: number of ways, not 0
 * @granularity: bytes, not 0
 *
 * Selection is by the address itself, not by its distance from the base.
 *
 * Return: position in the target list.
 */
unsigned cxl_interleave_target(uint64_t hpa, unsigned ways,
                               unsigned granularity);

/**
 * cxl_interleave_dpa_offset - squeeze the other ways out of an offset
 * @hpa_offset: offset from the decoder's base
 * @ways: number of ways, not 0
 * @granularity: bytes, not 0
 *
 * Return: offset from the start of the part this decoder maps in the device.
 */
uint64_t cxl_interleave_dpa_offset(uint64_t hpa_offset, unsigned ways,
                                   unsigned granularity);

/**
 * cxl_interleave_hpa_offset - its inverse: where a byte of a device goes
 * @dpa_offset: in the device, from the start of the part that this decoder maps
 * @position: of the device in a row of one chunk for each way, below @ways
 * @ways: number of ways, not 0
 * @granularity: bytes, not 0
 *
 * Return: offset from the decoder's base.
 */
uint64_t cxl_interleave_hpa_offset(uint64_t dpa_offset, unsigned position,
                                   unsigned ways, unsigned granularity);

/* The longest of all patterns: 3 * 16 ways of 64 chunks each */
#define CXL_INTERLEAVE_PERIOD_MAX       3072

/**
 * cxl_interleave_period - when does the pattern of two levels repeat itself?
 * @period: of the levels so far in chunks of %CXL_INTERLEAVE_CHUNK, 1 for none
 * @ways: of the next level, not 0
 * @granularity: of the next level, a multiple of the chunk
 *
 * Return: least common multiple of @period and that of the next level; of
 * levels that CXL knows at most %CXL_INTERLEAVE_PERIOD_MAX.
 */
unsigned cxl_interleave_period(unsigned period, unsigned ways,
                               unsigned granularity);

/**
 * cxl_hdm_count - decoders of a component
 * @regs: CXL.cachemem registers
 *
 * Return: 0 if the component has no HDM decoder capability.
 */
unsigned cxl_hdm_count(const uint32_t *regs);

/**
 * cxl_hdm_get - decode the registers of one decoder
 * @regs: CXL.cachemem registers
 * @index: decoder, below cxl_hdm_count()
 * @d: result
 */
void cxl_hdm_get(const uint32_t *regs, unsigned index, CXLHDMDecoder *d);

/**
 * cxl_hdm_hpa_to_dpa - device physical address of a host physical one
 * @regs: CXL.cachemem registers of a device
 * @hpa: host physical address
 * @dpa: result; not checked against the device's capacity
 * @d: the decoder that hit, may be NULL
 *
 * Return: true if the global enable is set and a committed decoder hits.
 * Decoders behind the first uncommitted one do not take part: where their
 * DPA begins depends on it.  The DPAs of decoders that do follow each other
 * without wrapping.
 */
bool cxl_hdm_hpa_to_dpa(const uint32_t *regs, uint64_t hpa, uint64_t *dpa,
                        CXLHDMDecoder *d);

/**
 * cxl_hdm_maps_dpa - has a decoder some of these device physical addresses?
 * @regs: CXL.cachemem registers of a device
 * @dpa: first address
 * @len: bytes, not 0
 *
 * As cxl_hdm_hpa_to_dpa(), but whether the global enable is set or not.
 */
bool cxl_hdm_maps_dpa(const uint32_t *regs, uint64_t dpa, uint64_t len);

/**
 * cxl_hdm_init - reset values and write masks
 * @regs: CXL.cachemem registers
 * @mask: CXL.cachemem write masks
 * @device: device rather than port
 */
void cxl_hdm_init(uint32_t *regs, uint32_t *mask, bool device);

/**
 * cxl_hdm_allow_bi - decoders may have back-invalidate, after cxl_hdm_init()
 * @regs: CXL.cachemem registers
 * @mask: CXL.cachemem write masks
 * @device: device rather than port
 */
void cxl_hdm_allow_bi(uint32_t *regs, uint32_t *mask, bool device);

/**
 * cxl_hdm_owns - does an offset belong to the HDM decoder capability?
 * @regs: CXL.cachemem registers
 * @offset: offset in the CXL.cachemem block
 */
bool cxl_hdm_owns(const uint32_t *regs, unsigned offset);

/**
 * cxl_hdm_write - write one register of the capability
 * @regs: CXL.cachemem registers
 * @mask: CXL.cachemem write masks
 * @offset: dword aligned, cxl_hdm_owns() is true for it
 * @value: what software wrote
 *
 * Writing a control register with commit set checks the decoder: it ends
 * committed, or not committed with the error bit. Writing it with commit
 * clear uncommits and clears the error. A locked decoder ignores writes.
 *
 * Return: what happened.
 */
CXLHDMWrite cxl_hdm_write(uint32_t *regs, const uint32_t *mask,
                          unsigned offset, uint32_t value);

/**
 * cxl_hdm_check - can software have brought the decoders to this?
 * @regs: CXL.cachemem registers, maybe from a migration stream; what is
 *   read-only in them is right
 * @mask: CXL.cachemem write masks
 *
 * What is checked of a committed decoder is what stays true of it: software may
 * move and resize one that is not locked.
 *
 * Return: what is wrong with the first decoder that is.
 */
CXLHDMRefusal cxl_hdm_check(const uint32_t *regs, const uint32_t *mask);

/**
 * cxl_hdm_status - bits of a register that a decoder sets by itself
 * @regs: CXL.cachemem registers
 * @offset: dword aligned
 */
uint32_t cxl_hdm_status(const uint32_t *regs, unsigned offset);

/**
 * cxl_hdm_refusal_text - short English for a trace or a log
 * @refusal: reason
 */
const char *cxl_hdm_refusal_text(CXLHDMRefusal refusal);

#endif /* HW_CXL_CXL_HDM_H */
