/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The features of a memory device, as data (CXL r3.2 8.2.10.9.11 for scrub and
 * error check, 8.2.10.7.2 for repair)
 */
#include "qemu/osdep.h"
#include "hw/cxl/memdev/features.h"

/* A value is in force at once, and no reset is needed for it */
#define AT_ONCE     (CXL_EFF_CONFIG_IMMEDIATE | CXL_EFF_RESET_BITS_VALID)

/*
 * QEMU knows one kind of machine reset.  A device that loses its power is one
 * of a new QEMU, so no deeper reset is promised.
 */
#define KEPT        (CXL_FEATURE_CHANGEABLE | CXL_FEATURE_KEEP_WARM_RESET | \
                     CXL_FEATURE_HAS_DEFAULT | CXL_FEATURE_HAS_SAVED)

/* -- patrol scrub -------------------------------------------------------- */

#define SCRUB_CAN_CHANGE    (1u << 0)
#define SCRUB_REALTIME      (1u << 1)
#define SCRUB_HOURS         12
#define SCRUB_ENABLE        (1u << 0)

static bool scrub_is_valid(const uint8_t *data)
{
    return data[CXL_SCRUB_SET_HOURS] >= CXL_SCRUB_MIN_HOURS;
}

/* -- DDR5 error check and scrub ------------------------------------------ */

/* One log entry type, then for each media FRU: capability, config, flags */
#define ECS_PER_FRU         1
#define ECS_TYPE_MASK       0x03
#define ECS_REALTIME        (1u << 0)
#define ECS_FRUS            3
#define ECS_THRESHOLD       0x07
#define ECS_THRESHOLD_256   3
#define ECS_THRESHOLD_4096  5
/*
 * Threshold and count mode.  Bit 4, reset counter, is an action and reads 0:
 * emulated memory has no errors to count.
 */
#define ECS_CONFIG          0x0f

/* A reader indexes a table of thresholds with the code, so it must be known */
static bool ecs_is_valid(const uint8_t *data)
{
    unsigned i;

    for (i = 0; i < ECS_FRUS; i++) {
        uint8_t code = data[1 + 2 * i] & ECS_THRESHOLD;

        if (code < ECS_THRESHOLD_256 || code > ECS_THRESHOLD_4096) {
            return false;
        }
    }
    return (data[0] & ECS_TYPE_MASK) <= ECS_PER_FRU;
}

/* -- repair -------------------------------------------------------------- */

/* Of a value nothing outlives a reset, whatever a host asks for */
#define LOST                (CXL_FEATURE_CHANGEABLE | CXL_FEATURE_HAS_DEFAULT)

/* What is read: latency 0, for it is done at once; mode; then who it is */
#define REPAIR_CAPS         0x01
#define REPAIR_MODE         0x03
#define REPAIR_CLASS        0x05
#define REPAIR_SUBCLASS     0x06
/*
 * No restrictions: memory stays accessible and keeps its data, but for lines
 * that had none to keep
 */
#define PPR_FLAGS           0x10
#define PPR_MODE            0x13
#define SPARING_CAPS        0x11

#define BY_DEVICE           CXL_REPAIR_BY_DEVICE
#define PPR_TAKES_DPA       (1u << 0)
#define PPR_TAKES_NIBBLES   (1u << 1)
#define PPR_LOGS            (1u << 2)
#define PPR_MODE_BOOT       (1u << 1)
#define SPARING_HARD        (1u << 1)
#define SPARING_SOFT        (1u << 2)

/* Repair at boot is not offered: nothing here boots */
static bool ppr_is_valid(const uint8_t *data)
{
    return !(data[CXL_PPR_SET_MODE] & PPR_MODE_BOOT);
}

static bool any_is_valid(const uint8_t *data)
{
    return true;
}

/* Members that rows share; a row adds UUID and subclass */
#define REPAIR_ROW \
    .attributes = LOST, .effects = AT_ONCE, .get_version = 1, .set_version = 1

/* One kind of repair; the rest of the arguments is its UUID */
#define PPR(feature, subclass, ...) \
    [feature] = { \
        .uuid.data = UUID(__VA_ARGS__), REPAIR_ROW, \
        .get_size = 0x14, .set_size = 3, .is_valid = ppr_is_valid, \
        .set = { { REPAIR_MODE, BY_DEVICE }, { REPAIR_MODE + 1, 0 }, \
                 { PPR_MODE, CXL_PPR_MODE_RECORD } }, \
        .get[REPAIR_CAPS] = BY_DEVICE, .get[REPAIR_CLASS] = 1, \
        .get[REPAIR_SUBCLASS] = subclass, \
        .get[PPR_FLAGS] = PPR_TAKES_DPA | PPR_TAKES_NIBBLES | PPR_LOGS, \
    }

#define SPARING(feature, subclass, ...) \
    [feature] = { \
        .uuid.data = UUID(__VA_ARGS__), REPAIR_ROW, \
        .get_size = 0x13, .set_size = 2, .is_valid = any_is_valid, \
        .set = { { REPAIR_MODE, BY_DEVICE }, { REPAIR_MODE + 1, 0 } }, \
        .get[REPAIR_CAPS] = BY_DEVICE, .get[REPAIR_CLASS] = 2, \
        .get[REPAIR_SUBCLASS] = subclass, \
        .get[SPARING_CAPS] = SPARING_HARD | SPARING_SOFT, \
    }

/* ------------------------------------------------------------------------ */

const CXLFeatureDef cxl_memdev_features[CXL_MEMDEV_FEATURES] = {
    [CXL_FEATURE_PATROL_SCRUB] = {
        .uuid.data = UUID(0x96dad7d6, 0xfde8, 0x482b,
                          0xa7, 0x33, 0x75, 0x77, 0x4e, 0x06, 0xdb, 0x8a),
        .attributes = KEPT,
        .effects = AT_ONCE,
        .get_version = 1,
        .set_version = 1,
        .get_size = 4,
        .set_size = 2,
        .get = {
            SCRUB_CAN_CHANGE | SCRUB_REALTIME, SCRUB_HOURS, CXL_SCRUB_MIN_HOURS,
        },
        .set = {
            [CXL_SCRUB_SET_HOURS] = { 1, 0xff },
            [CXL_SCRUB_SET_ENABLE] = { 3, SCRUB_ENABLE },
        },
        .is_valid = scrub_is_valid,
    },
    [CXL_FEATURE_ECS] = {
        .uuid.data = UUID(0xe5b13f22, 0x2328, 0x4a14,
                          0xb8, 0xba, 0xb9, 0x69, 0x1e, 0x89, 0x33, 0x86),
        .attributes = KEPT,
        .effects = AT_ONCE,
        .get_version = 1,
        .set_version = 1,
        .get_size = 1 + 4 * ECS_FRUS,
        .set_size = 1 + 2 * ECS_FRUS,
        .get = {
            ECS_PER_FRU,
            ECS_REALTIME, ECS_THRESHOLD_256, 0, 0,
            ECS_REALTIME, ECS_THRESHOLD_256, 0, 0,
            ECS_REALTIME, ECS_THRESHOLD_256, 0, 0,
        },
        /* of a config word the upper byte is reserved */
        .set = {
            { 0, ECS_TYPE_MASK },
            { 2, ECS_CONFIG }, { 3, 0 },
            { 6, ECS_CONFIG }, { 7, 0 },
            { 10, ECS_CONFIG }, { 11, 0 },
        },
        .is_valid = ecs_is_valid,
    },
    PPR(CXL_FEATURE_SOFT_PPR, 0, 0x892ba475, 0xfad8, 0x474e,
        0x9d, 0x3e, 0x69, 0x2c, 0x91, 0x75, 0x68, 0xbb),
    PPR(CXL_FEATURE_HARD_PPR, 1, 0x80ea4521, 0x786f, 0x4127,
        0xaf, 0xb1, 0xec, 0x74, 0x59, 0xfb, 0x0e, 0x24),
    SPARING(CXL_FEATURE_SPARE_CACHELINE, 0, 0x96c33386, 0x91dd, 0x44c7,
            0x9e, 0xcb, 0xfd, 0xaf, 0x65, 0x03, 0xba, 0xc4),
    SPARING(CXL_FEATURE_SPARE_ROW, 1, 0x450ebf67, 0xb135, 0x4f97,
            0xa4, 0x98, 0xc2, 0xd5, 0x7f, 0x27, 0x9b, 0xed),
    SPARING(CXL_FEATURE_SPARE_BANK, 2, 0x78b79636, 0x90ac, 0x4b64,
            0xa4, 0xef, 0xfa, 0xac, 0x5d, 0x18, 0xa8, 0x63),
    SPARING(CXL_FEATURE_SPARE_RANK, 3, 0x34dbaff5, 0x0552, 0x4281,
            0x8f, 0x76, 0xda, 0x0b, 0x5e, 0x7a, 0x76, 0xa7),
};
