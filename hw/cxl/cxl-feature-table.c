/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The features of a memory device, as data (CXL r3.2 8.2.10.9.11 for scrub and
 * error check)
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_features.h"

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
};
