/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A component's CDAT: from a file or from its builder, and the answers to DOE
 * table access requests. CXL r3.2 section 8.1.11.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "hw/cxl/cxl_component.h"
#include "hw/cxl/cxl_error.h"
#include "hw/pci/pcie_doe.h"
#include "trace/trace-hw_cxl.h"

/* Far more than any table has, and nothing to a host's memory */
#define CDAT_FILE_MAX   (16u << 20)

/* Takes over @image */
static bool cxl_doe_install(CDATObject *cdat, uint8_t *image, size_t len,
                            Error **errp)
{
    CDATEntry *entry;
    int count;

    entry = cxl_cdat_split(image, len, &count, errp);
    if (!entry) {
        g_free(image);
        return false;
    }
    g_free(cdat->entry);
    g_free(cdat->image);
    cdat->image = image;
    cdat->entry = entry;
    cdat->entry_len = count;
    return true;
}

/* The bytes of @cdat's file, which may be one that never ends; NULL if none */
static uint8_t *cxl_doe_cdat_read(CDATObject *cdat, const char *name,
                                  size_t *len, Error **errp)
{
    g_autofree uint8_t *image = NULL;
    FILE *file = fopen(cdat->filename, "rb");

    if (file) {
        image = g_malloc(CDAT_FILE_MAX + 1);
        *len = fread(image, 1, CDAT_FILE_MAX + 1, file);
    }
    if (!file || ferror(file)) {
        error_setg_errno(errp, errno, "property 'cdat' is '%s': CDAT: File "
                         "read failed", name);
        g_clear_pointer(&image, g_free);
    } else if (*len > CDAT_FILE_MAX) {
        error_setg(errp, "property 'cdat' is '%s': CDAT: File has more than "
                   "%u bytes", name, CDAT_FILE_MAX);
        g_clear_pointer(&image, g_free);
    }
    if (file) {
        fclose(file);
    }
    return image ? g_realloc(g_steal_pointer(&image), MAX(*len, 1)) : NULL;
}

static bool cxl_doe_load(CDATObject *cdat, Error **errp)
{
    ERRP_GUARD();
    g_autofree char *name = cxl_echo(cdat->filename);
    uint8_t *image;
    size_t len;

    image = cxl_doe_cdat_read(cdat, name, &len, errp);
    if (!image) {
        return false;
    }
    if (!cxl_doe_install(cdat, image, len, errp)) {
        error_prepend(errp, "property 'cdat' is '%s': ", name);
        return false;
    }
    /* Header mistakes are let through: tests of guests want to see them */
    if (cxl_cdat_sum(image, len)) {
        warn_report("CDAT: Found checksum mismatch in %s", name);
    }
    if (ldl_le_p(image) != len) {
        warn_report("CDAT: %s holds %zu bytes, its header says %u",
                    name, len, ldl_le_p(image));
    }
    trace_cxl_cdat_loaded(cdat->filename, cdat->entry_len, len);
    return true;
}

static bool cxl_doe_build(CDATObject *cdat, Error **errp)
{
    CDATSubHeader **table = NULL;
    uint8_t *image;
    size_t len;
    int num = 0;

    if (cdat->build_cdat_table) {
        num = cdat->build_cdat_table(&table, cdat->private);
    }
    if (num < 0) {
        error_setg(errp, "CDAT: Building the table failed: %s",
                   strerror(-num));
        return false;
    }
    image = cxl_cdat_assemble(table, num, &len);
    if (table && cdat->free_cdat_table) {
        cdat->free_cdat_table(table, num, cdat->private);
    }
    /*
     * An upstream port has nothing to tell before its downstream ports are
     * plugged. The header alone is a valid table until then.
     */
    cdat->provisional = num == 0;
    trace_cxl_cdat_built(num, len);
    return cxl_doe_install(cdat, image, len, errp);
}

bool cxl_doe_cdat_init(CXLComponentState *cxl, Error **errp)
{
    CDATObject *cdat = &cxl->cdat;

    return cdat->filename ? cxl_doe_load(cdat, errp) : cxl_doe_build(cdat,
                                                                     errp);
}

void cxl_doe_cdat_update(CXLComponentState *cxl, Error **errp)
{
    CDATObject *cdat = &cxl->cdat;

    if (cdat->provisional || !cdat->entry) {
        cxl_doe_cdat_init(cxl, errp);
    }
}

void cxl_doe_cdat_release(CXLComponentState *cxl)
{
    CDATObject *cdat = &cxl->cdat;

    g_clear_pointer(&cdat->entry, g_free);
    g_clear_pointer(&cdat->image, g_free);
    cdat->entry_len = 0;
    cdat->provisional = false;
}

bool cxl_cdat_respond(const CDATObject *cdat, DOECap *doe)
{
    const CDATReq *req = pcie_doe_get_write_mbox_ptr(doe);
    uint8_t *out = (uint8_t *)(doe->read_mbox + doe->read_mbox_len);
    const CDATEntry *entry;
    CDATRsp rsp;
    uint32_t dwords;
    uint16_t handle;

    if (pcie_doe_get_obj_len(req) <
        DIV_ROUND_UP(sizeof(*req), sizeof(uint32_t))) {
        return false;
    }
    handle = le16_to_cpu(req->entry_handle);
    if (handle >= cdat->entry_len) {
        return false;
    }

    /* An entry has at most 64 KiB, the mailbox 1 MiB */
    entry = &cdat->entry[handle];
    dwords = DIV_ROUND_UP(sizeof(rsp) + entry->length, sizeof(uint32_t));
    handle++;
    rsp = (CDATRsp) {
        .header.vendor_id = cpu_to_le16(CXL_VENDOR_ID),
        .header.data_obj_type = CXL_DOE_TABLE_ACCESS,
        .header.length = cpu_to_le32(dwords),
        .rsp_code = CXL_DOE_TAB_RSP,
        .table_type = CXL_DOE_TAB_TYPE_CDAT,
        .entry_handle = cpu_to_le16(handle < cdat->entry_len ?
                                    handle : CXL_DOE_TAB_ENT_MAX),
    };
    memcpy(out, &rsp, sizeof(rsp));
    memcpy(out + sizeof(rsp), entry->base, entry->length);
    doe->read_mbox_len += dwords;
    return true;
}
