/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features of a component: what a host may ask about and set by UUID
 * (CXL r3.2 8.2.10.6)
 *
 * What a feature looks like is data.  A component keeps the bytes that hosts
 * write: the value in force and the one that the next reset brings.  What hosts
 * read is the feature's template with these bytes laid over it.  A model: no
 * QOM, no PCI; the caller holds the BQL.
 */
#ifndef CXL_FEATURES_H
#define CXL_FEATURES_H

#include "qemu/uuid.h"
#include "hw/cxl/cxl_msg.h"

/* Room for the features and values of this build, checked by a test */
#define CXL_FEATURES_MAX        8
#define CXL_FEATURE_GET_MAX     0x14
#define CXL_FEATURE_SET_MAX     8

/* Attributes; between the first two: the deepest reset that a value survives */
#define CXL_FEATURE_CHANGEABLE      (1u << 0)
#define CXL_FEATURE_KEEP_WARM_RESET (3u << 1)
#define CXL_FEATURE_HAS_DEFAULT     (1u << 5)
#define CXL_FEATURE_HAS_SAVED       (1u << 6)

/* Get Feature: which value */
enum {
    CXL_FEATURE_CURRENT = 0,
    CXL_FEATURE_DEFAULT = 1,
    CXL_FEATURE_SAVED   = 2,
};

/* Set Feature: what the message is of a transfer */
enum {
    CXL_FEATURE_FULL        = 0,
    CXL_FEATURE_START       = 1,
    CXL_FEATURE_CONTINUE    = 2,
    CXL_FEATURE_FINISH      = 3,
    CXL_FEATURE_ABORT       = 4,
};

/**
 * struct CXLFeatureByte - one byte of what hosts write
 * @at: where it shows in what hosts read
 * @mask: bits of it that do; the rest is reserved or an action, and forgotten
 */
typedef struct CXLFeatureByte {
    uint8_t at;
    uint8_t mask;
} CXLFeatureByte;

/**
 * struct CXLFeatureDef - a feature
 * @attributes, @effects: words of its entry in Get Supported Features
 * @get: @get_size bytes that are read before anybody set something
 * @set: the @set_size bytes that are written
 * @is_valid: can the device do what @set_size bytes at @data ask for?
 */
typedef struct CXLFeatureDef {
    QemuUUID uuid;
    uint16_t attributes;
    uint16_t effects;
    uint8_t get_version;
    uint8_t set_version;
    uint8_t get_size;
    uint8_t set_size;
    uint8_t get[CXL_FEATURE_GET_MAX];
    CXLFeatureByte set[CXL_FEATURE_SET_MAX];
    bool (*is_valid)(const uint8_t *data);
} CXLFeatureDef;

/** CXLFeatureChanged - the value in force of a feature is another one now */
typedef void CXLFeatureChanged(void *opaque, unsigned feature);

/** struct CXLFeatureValue - bytes as written, masked */
typedef struct CXLFeatureValue {
    uint8_t current[CXL_FEATURE_SET_MAX];
    uint8_t saved[CXL_FEATURE_SET_MAX];
} CXLFeatureValue;

/**
 * struct CXLFeatureTransfer - a value that comes in parts
 * @feature: its index
 * @from: kind of CCI that sends it
 * @got: bytes that are there, less than all of them
 */
typedef struct CXLFeatureTransfer {
    bool open;
    uint8_t feature;
    uint8_t from;
    uint8_t got;
    uint8_t data[CXL_FEATURE_SET_MAX];
} CXLFeatureTransfer;

/** struct CXLFeatures - the @n features of @def and their values */
typedef struct CXLFeatures {
    const CXLFeatureDef *def;
    uint8_t n;
    CXLFeatureValue value[CXL_FEATURES_MAX];
    CXLFeatureTransfer transfer;
    CXLFeatureChanged *changed;
    void *opaque;
} CXLFeatures;

/**
 * struct CXLFeaturePart - one Set Feature message
 * @from: kind of the CCI it came through
 * @action: CXL_FEATURE_FULL ... CXL_FEATURE_ABORT
 * @save: the value survives resets, as far as the feature's attributes allow
 * @data: @len bytes for @offset
 */
typedef struct CXLFeaturePart {
    QemuUUID uuid;
    uint8_t from;
    uint8_t action;
    bool save;
    uint8_t version;
    uint16_t offset;
    const uint8_t *data;
    size_t len;
} CXLFeaturePart;

/**
 * cxl_features_init() - all features at their defaults
 * @def: @n of them, at most %CXL_FEATURES_MAX; outlives the features
 * @changed: or NULL; also called for each feature on reset
 */
void cxl_features_init(CXLFeatures *f, const CXLFeatureDef *def, unsigned n,
                       CXLFeatureChanged *changed, void *opaque);
/** cxl_features_reset() - saved values take over, an open transfer is gone. */
void cxl_features_reset(CXLFeatures *f);

/** cxl_features_find() - index of a feature, -1 if there is none. */
int cxl_features_find(const CXLFeatures *f, const QemuUUID *uuid);

/**
 * cxl_features_get() - what a host reads of a feature
 * @selection: CXL_FEATURE_CURRENT, _DEFAULT or _SAVED
 * @out: as many bytes as the feature's get size
 *
 * Return: CXL_RC_SUCCESS, CXL_RC_FEAT_SELECTION
 */
CXLRetCode cxl_features_get(const CXLFeatures *f, unsigned feature,
                            uint8_t selection,
                            uint8_t out[CXL_FEATURE_GET_MAX]);

/** cxl_features_in_transfer() - is a new value of it on its way? */
bool cxl_features_in_transfer(const CXLFeatures *f, unsigned feature);

/**
 * cxl_features_set() - take a new value, or a part of one
 *
 * A value takes effect when all of it is there.  A part that is refused leaves
 * the transfer as it was; a value that is refused ends it.
 *
 * Return: CXL_RC_UNSUPPORTED (no such feature, or fixed), _INVALID_INPUT,
 * _FEAT_XFER_IN_PROGRESS, _FEAT_VERSION, _INVALID_PAYLOAD_LENGTH,
 * _FEAT_XFER_OUT_OF_ORDER, _SUCCESS
 */
CXLRetCode cxl_features_set(CXLFeatures *f, const CXLFeaturePart *part);

/** cxl_features_current() - the bytes in force, as hosts write them. */
const uint8_t *cxl_features_current(const CXLFeatures *f, unsigned feature);

/* vmstate_cxl_features - refuses values that the device cannot do */
extern const struct VMStateDescription vmstate_cxl_features;

/* -- the features of a memory device (feature-table.c) -- */

/* In the order of Get Supported Features */
typedef enum CXLFeatureId {
    CXL_FEATURE_PATROL_SCRUB,
    CXL_FEATURE_ECS,
    CXL_FEATURE_SOFT_PPR,
    CXL_FEATURE_HARD_PPR,
    CXL_FEATURE_SPARE_CACHELINE,
    CXL_FEATURE_SPARE_ROW,
    CXL_FEATURE_SPARE_BANK,
    CXL_FEATURE_SPARE_RANK,
    CXL_MEMDEV_FEATURES
} CXLFeatureId;

extern const CXLFeatureDef cxl_memdev_features[CXL_MEMDEV_FEATURES];

/* Patrol scrub, bytes as written: hours for a cycle; bit 0: on */
#define CXL_SCRUB_SET_HOURS     0
#define CXL_SCRUB_SET_ENABLE    1
#define CXL_SCRUB_MIN_HOURS     1

/* Repair, bytes as written: operation mode; of post package repair: its mode */
#define CXL_REPAIR_SET_MODE     0
#define CXL_REPAIR_BY_DEVICE    (1u << 0)
#define CXL_PPR_SET_MODE        2
#define CXL_PPR_MODE_RECORD     (1u << 0)

#endif /* CXL_FEATURES_H */
