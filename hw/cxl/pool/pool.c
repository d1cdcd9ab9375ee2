/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool of memory with several heads: the object and its life; see cxl_pool.h
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "hw/pci/pci_ids.h"
#include "hw/vmstate-if.h"
#include "migration/vmstate.h"
#include "qom/object_interfaces.h"
#include "pool-internal.h"

/* Payload of the Fabric Manager's CCI: that of a memory device */
#define POOL_PAYLOAD    4096
/* Records of each log of errors */
#define POOL_LOG_DEPTH  8

const CXLDCConfig *cxl_pool_config(const CXLPool *p)
{
    return &p->config;
}

const uint64_t *cxl_pool_places(const CXLPool *p)
{
    return p->place;
}

HostMemoryBackend *cxl_pool_backend(const CXLPool *p)
{
    return p->medium.hostmem;
}

CXLDynCap *cxl_pool_dc(const CXLPool *p)
{
    return p->dc;
}

CXLCCI *cxl_pool_cci(CXLPool *p)
{
    return &p->cci;
}

uint32_t cxl_pool_log_depth(const CXLPool *p)
{
    return p->log_depth;
}

bool cxl_pool_fm_on_mailbox(const CXLPool *p)
{
    return p->fm_on_mailbox;
}

const char *cxl_pool_id(const CXLPool *p)
{
    return object_get_canonical_path_component(OBJECT(p));
}

void cxl_pool_use(CXLPool *p, bool on)
{
    p->users += on ? 1 : -1;
}

/* -- life ----------------------------------------------------------------- */

static bool pool_check_properties(const CXLPool *p, Error **errp)
{
    if (p->nr_heads < 1 || p->nr_heads > CXL_DC_MAX_HOSTS) {
        error_setg(errp, "property 'heads' is %u, but a cxl-pool has 1 to %d",
                   p->nr_heads, CXL_DC_MAX_HOSTS);
        return false;
    }
    if (p->nr_regions < 1 || p->nr_regions > CXL_DC_MAX_REGIONS) {
        error_setg(errp, "property 'num-dc-regions' is %u, but a cxl-pool has "
                   "1 to %d dynamic capacity regions", p->nr_regions,
                   CXL_DC_MAX_REGIONS);
        return false;
    }
    if (p->log_depth < 1 || p->log_depth > UINT16_MAX) {
        error_setg(errp, "property 'dc-event-log-depth' is %" PRIu32 ", but "
                   "a log holds 1 to %d records", p->log_depth, UINT16_MAX);
        return false;
    }
    return true;
}

static bool pool_configure(CXLPool *p, Error **errp)
{
    const CXLDCGeometry geometry = {
        .owner = TYPE_CXL_POOL,
        .backend = "memdev",
        .size = p->medium.size,
        .any_base = true,
        .nr_regions = p->nr_regions,
        .max_extents = p->max_extents,
        .props = p->region,
    };

    p->config = (CXLDCConfig) {
        .nr_hosts = p->nr_heads,
        .nr_regions = p->nr_regions,
        .max_extents = p->max_extents,
        .max_tags = p->max_tags,
    };
    return cxl_dc_geometry(&geometry, &p->config, p->place, errp);
}

static void pool_build(CXLPool *p)
{
    const uint32_t depth[CXL_EVENT_LOGS] = {
        [CXL_EVENT_LOG_INFO] = POOL_LOG_DEPTH,
        [CXL_EVENT_LOG_WARN] = POOL_LOG_DEPTH,
        [CXL_EVENT_LOG_FAIL] = POOL_LOG_DEPTH,
        [CXL_EVENT_LOG_FATAL_ERR] = POOL_LOG_DEPTH,
        [CXL_EVENT_LOG_DYNCAP] = p->log_depth,
    };

    p->head = g_new0(CXLPoolHead, p->nr_heads);
    p->heads = (CXLHeads) {
        .n = p->nr_heads,
        .vendor = PCI_VENDOR_ID_INTEL,
        .device = CXL_TYPE3_DEVICE_ID,
        .serial = p->sn,
        .ld = cxl_pool_ld,
    };
    if (p->remote) {
        return;
    }
    cxl_events_init(&p->events, depth, &p->clock, NULL, NULL);
    p->cci = (CXLCCI) {
        .dc = p->dc,
        .heads = &p->heads,
        .events = &p->events,
        .clock = &p->clock,
    };
    cxl_cci_init(&p->cci, CXL_CCI_MHD, NULL, POOL_PAYLOAD);
    vmstate_register_any(VMSTATE_IF(p), &vmstate_cxl_pool, p);
}

/* What a daemon's pool is made of is the daemon's affair */
static bool pool_check_remote(const CXLPool *p, Error **errp)
{
    const char *name = p->medium.hostmem ? "memdev" :
                       p->nr_heads != POOL_HEADS ? "heads" :
                       p->nr_regions != 1 ? "num-dc-regions" :
                       p->sn ? "sn" :
                       p->fm_on_mailbox ? "fm-on-mailbox" : NULL;

    for (unsigned i = 0; !name && i < CXL_DC_MAX_REGIONS; i++) {
        if (!cxl_dc_props_are_default(&p->region[i])) {
            name = "dcN-*";
        }
    }
    if (name) {
        error_setg(errp, "property '%s' is set, but with 'chardev' the pool is "
                   "that of a cxl-poold: give it to the daemon", name);
    }
    return !name;
}

static void pool_complete_remote(CXLPool *p, Error **errp)
{
    if (!pool_check_remote(p, errp) || !cxl_pool_remote_open(p, errp) ||
        !cxl_pool_medium_take(p, errp)) {
        goto fail;
    }
    p->dc = cxl_dc_new(&p->config, &cxl_pool_dc_ops, p, errp);
    if (p->dc) {
        pool_build(p);
        cxl_pool_remote_start(p);
        return;
    }
fail:
    cxl_pool_medium_drop(p);
    cxl_pool_remote_close(p);
}

static void pool_complete(UserCreatable *uc, Error **errp)
{
    CXLPool *p = CXL_POOL(uc);

    if (p->chardev) {
        pool_complete_remote(p, errp);
        return;
    }
    if (!pool_check_properties(p, errp) || !cxl_pool_medium_take(p, errp)) {
        return;
    }
    if (pool_configure(p, errp)) {
        p->dc = cxl_dc_new(&p->config, &cxl_pool_dc_ops, p, errp);
    }
    if (p->dc) {
        pool_build(p);
    } else {
        cxl_pool_medium_drop(p);
    }
}

static bool pool_can_be_deleted(UserCreatable *uc)
{
    CXLPool *p = CXL_POOL(uc);

    return !p->dc || (!p->users && !cxl_pool_has_heads(p) &&
                      !cxl_pool_remote_is_left(p));
}

static void pool_init(Object *obj)
{
    cxl_pool_default_properties(CXL_POOL(obj));
}

/* Unparented, an object has no id, by which its state is known */
static void pool_unparent(Object *obj)
{
    CXLPool *p = CXL_POOL(obj);

    if (p->dc && !p->remote) {
        vmstate_unregister(VMSTATE_IF(p), &vmstate_cxl_pool, p);
        cxl_cci_destroy(&p->cci);
        cxl_events_destroy(&p->events);
    }
    if (p->dc) {
        g_clear_pointer(&p->dc, cxl_dc_free);
        g_clear_pointer(&p->head, g_free);
    }
    cxl_pool_medium_drop(p);
    cxl_pool_remote_close(p);
    g_clear_pointer(&p->chardev, g_free);
}

static char *pool_vmstate_id(VMStateIf *obj)
{
    return g_strdup(cxl_pool_id(CXL_POOL(obj)));
}

static void pool_class_init(ObjectClass *oc, const void *data)
{
    UserCreatableClass *ucc = USER_CREATABLE_CLASS(oc);

    ucc->complete = pool_complete;
    ucc->can_be_deleted = pool_can_be_deleted;
    oc->unparent = pool_unparent;
    VMSTATE_IF_CLASS(oc)->get_id = pool_vmstate_id;
    cxl_pool_add_properties(oc);
}

static const TypeInfo pool_type = {
    .name = TYPE_CXL_POOL,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(CXLPool),
    .instance_init = pool_init,
    .class_init = pool_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { TYPE_USER_CREATABLE },
        { TYPE_VMSTATE_IF },
        { }
    },
};

static void pool_register_types(void)
{
    type_register_static(&pool_type);
}

type_init(pool_register_types)
