/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features of a component, see features.h (CXL r3.2 8.2.10.6)
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/cxl/memdev/features.h"
#include "hw/cxl/trace.h"

/* -- values -------------------------------------------------------------- */

static void features_default_value(const CXLFeatureDef *def, uint8_t *data)
{
    unsigned i;

    for (i = 0; i < def->set_size; i++) {
        data[i] = def->get[def->set[i].at] & def->set[i].mask;
    }
}

static void features_notify(CXLFeatures *f, unsigned feature)
{
    if (f->changed) {
        f->changed(f->opaque, feature);
    }
}

void cxl_features_init(CXLFeatures *f, const CXLFeatureDef *def, unsigned n,
                       CXLFeatureChanged *changed, void *opaque)
{
    unsigned i;

    g_assert(n <= CXL_FEATURES_MAX);
    *f = (CXLFeatures) {
        .def = def,
        .n = n,
        .changed = changed,
        .opaque = opaque,
    };
    for (i = 0; i < n; i++) {
        g_assert(def[i].get_size <= CXL_FEATURE_GET_MAX &&
                 def[i].set_size <= CXL_FEATURE_SET_MAX);
        features_default_value(&def[i], f->value[i].current);
        features_default_value(&def[i], f->value[i].saved);
    }
}

void cxl_features_reset(CXLFeatures *f)
{
    unsigned i;

    f->transfer = (CXLFeatureTransfer) { 0 };
    for (i = 0; i < f->n; i++) {
        memcpy(f->value[i].current, f->value[i].saved, CXL_FEATURE_SET_MAX);
        features_notify(f, i);
    }
}

int cxl_features_find(const CXLFeatures *f, const QemuUUID *uuid)
{
    unsigned i;

    for (i = 0; i < f->n; i++) {
        if (qemu_uuid_is_equal(&f->def[i].uuid, uuid)) {
            return i;
        }
    }
    return -1;
}

const uint8_t *cxl_features_current(const CXLFeatures *f, unsigned feature)
{
    return f->value[feature].current;
}

bool cxl_features_in_transfer(const CXLFeatures *f, unsigned feature)
{
    return f->transfer.open && f->transfer.feature == feature;
}

CXLRetCode cxl_features_get(const CXLFeatures *f, unsigned feature,
                            uint8_t selection,
                            uint8_t out[CXL_FEATURE_GET_MAX])
{
    const CXLFeatureDef *def = &f->def[feature];
    const uint8_t *data = NULL;
    unsigned i;

    memcpy(out, def->get, CXL_FEATURE_GET_MAX);
    switch (selection) {
    case CXL_FEATURE_CURRENT:
        data = f->value[feature].current;
        break;
    case CXL_FEATURE_DEFAULT:
        return def->attributes & CXL_FEATURE_HAS_DEFAULT ?
               CXL_RC_SUCCESS : CXL_RC_FEAT_SELECTION;
    case CXL_FEATURE_SAVED:
        if (def->attributes & CXL_FEATURE_HAS_SAVED) {
            data = f->value[feature].saved;
        }
        break;
    }
    if (!data) {
        return CXL_RC_FEAT_SELECTION;
    }
    for (i = 0; i < def->set_size; i++) {
        const CXLFeatureByte *b = &def->set[i];

        out[b->at] = (out[b->at] & ~b->mask) | data[i];
    }
    return CXL_RC_SUCCESS;
}

/* -- transfers ----------------------------------------------------------- */

static CXLRetCode features_take_value(CXLFeatures *f, unsigned feature,
                                      const uint8_t *data, bool save)
{
    const CXLFeatureDef *def = &f->def[feature];
    CXLFeatureValue *v = &f->value[feature];
    unsigned i;

    if (!def->is_valid(data)) {
        return CXL_RC_INVALID_INPUT;
    }
    for (i = 0; i < def->set_size; i++) {
        v->current[i] = data[i] & def->set[i].mask;
    }
    if (save && (def->attributes & CXL_FEATURE_HAS_SAVED)) {
        memcpy(v->saved, v->current, sizeof(v->saved));
    }
    features_notify(f, feature);
    return CXL_RC_SUCCESS;
}

/* Does the part carry bytes that the feature has, all of them at its end? */
static CXLRetCode features_check_extent(const CXLFeatureDef *def,
                                        const CXLFeaturePart *part)
{
    bool ends = part->action == CXL_FEATURE_FULL ||
                part->action == CXL_FEATURE_FINISH;

    if (!part->len) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    if (part->offset >= def->set_size) {
        return CXL_RC_INVALID_INPUT;
    }
    if (part->len > def->set_size - part->offset ||
        (ends && part->len != def->set_size - part->offset)) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    return CXL_RC_SUCCESS;
}

/* Does the part come when it should? */
static CXLRetCode features_check_order(const CXLFeatureTransfer *t,
                                       const CXLFeaturePart *part)
{
    switch (part->action) {
    case CXL_FEATURE_FULL:
    case CXL_FEATURE_START:
        if (t->open) {
            return CXL_RC_FEAT_XFER_IN_PROGRESS;
        }
        return part->offset ? CXL_RC_FEAT_XFER_OUT_OF_ORDER : CXL_RC_SUCCESS;
    default:
        return t->open && part->offset == t->got ?
               CXL_RC_SUCCESS : CXL_RC_FEAT_XFER_OUT_OF_ORDER;
    }
}

static CXLRetCode features_set(CXLFeatures *f, int feature,
                               const CXLFeaturePart *part)
{
    CXLFeatureTransfer *t = &f->transfer;
    const CXLFeatureDef *def;
    CXLRetCode rc;

    if (feature < 0 ||
        !(f->def[feature].attributes & CXL_FEATURE_CHANGEABLE)) {
        return CXL_RC_UNSUPPORTED;
    }
    if (part->action > CXL_FEATURE_ABORT) {
        return CXL_RC_INVALID_INPUT;
    }
    /* one transfer per component; another interface may not meddle with it */
    if (t->open && (t->feature != feature || t->from != part->from)) {
        return CXL_RC_FEAT_XFER_IN_PROGRESS;
    }
    if (part->action == CXL_FEATURE_ABORT) {
        *t = (CXLFeatureTransfer) { 0 };
        return CXL_RC_SUCCESS;
    }
    def = &f->def[feature];
    if (part->version != def->set_version) {
        return CXL_RC_FEAT_VERSION;
    }
    rc = features_check_extent(def, part);
    if (rc == CXL_RC_SUCCESS) {
        rc = features_check_order(t, part);
    }
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }

    memcpy(t->data + part->offset, part->data, part->len);
    t->got = part->offset + part->len;
    if (part->action == CXL_FEATURE_FULL ||
        part->action == CXL_FEATURE_FINISH) {
        CXLFeatureTransfer done = *t;

        *t = (CXLFeatureTransfer) { 0 };
        return features_take_value(f, feature, done.data, part->save);
    }
    t->open = true;
    t->feature = feature;
    t->from = part->from;
    return CXL_RC_SUCCESS;
}

CXLRetCode cxl_features_set(CXLFeatures *f, const CXLFeaturePart *part)
{
    static const char *const actions[] = {
        [CXL_FEATURE_FULL] = "all at once", [CXL_FEATURE_START] = "start",
        [CXL_FEATURE_CONTINUE] = "continue", [CXL_FEATURE_FINISH] = "finish",
        [CXL_FEATURE_ABORT] = "abort",
    };
    CXLRetCode rc = features_set(f, cxl_features_find(f, &part->uuid), part);
    char uuid[UUID_STR_LEN];

    qemu_uuid_unparse(&part->uuid, uuid);
    trace_cxl_feature_set(uuid, CXL_NAME(actions, part->action), part->offset,
                          part->len, cxl_rc_name(rc));
    return rc;
}

/* -- migration ----------------------------------------------------------- */

static bool features_value_is_sane(const CXLFeatureDef *def,
                                   const uint8_t *data)
{
    unsigned i;

    for (i = 0; i < CXL_FEATURE_SET_MAX; i++) {
        if (data[i] & ~(i < def->set_size ? def->set[i].mask : 0)) {
            return false;
        }
    }
    return def->is_valid(data);
}

static int features_post_load(void *opaque, int version_id)
{
    const CXLFeatures *f = opaque;
    const CXLFeatureTransfer *t = &f->transfer;
    unsigned i;

    for (i = 0; i < f->n; i++) {
        if (!features_value_is_sane(&f->def[i], f->value[i].current) ||
            !features_value_is_sane(&f->def[i], f->value[i].saved)) {
            return -EINVAL;
        }
    }
    if (t->open && (t->feature >= f->n ||
                    t->got > f->def[t->feature].set_size)) {
        return -EINVAL;
    }
    return 0;
}

static const VMStateDescription vmstate_value = {
    .name = "cxl-feature-value",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(current, CXLFeatureValue, CXL_FEATURE_SET_MAX),
        VMSTATE_UINT8_ARRAY(saved, CXLFeatureValue, CXL_FEATURE_SET_MAX),
        VMSTATE_END_OF_LIST()
    },
};

const VMStateDescription vmstate_cxl_features = {
    .name = "cxl-features",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = features_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_EQUAL(n, CXLFeatures, "number of features differs"),
        VMSTATE_STRUCT_ARRAY(value, CXLFeatures, CXL_FEATURES_MAX, 1,
                             vmstate_value, CXLFeatureValue),
        VMSTATE_BOOL(transfer.open, CXLFeatures),
        VMSTATE_UINT8(transfer.feature, CXLFeatures),
        VMSTATE_UINT8(transfer.from, CXLFeatures),
        VMSTATE_UINT8(transfer.got, CXLFeatures),
        VMSTATE_UINT8_ARRAY(transfer.data, CXLFeatures, CXL_FEATURE_SET_MAX),
        VMSTATE_END_OF_LIST()
    },
};
