/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Form of the Coherent Device Attribute Table: checksum, entries, assembly.
 * Plain C, no device needed. CDAT r1.04.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qapi/error.h"
#include "hw/cxl/cxl_cdat.h"

/* DOE counts entries in 16 bits, of which one value means "no more" */
#define CDAT_ENTRIES_MAX        CXL_DOE_TAB_ENT_MAX

uint8_t cxl_cdat_sum(const void *data, size_t len)
{
    const uint8_t *byte = data;
    uint8_t sum = 0;

    while (len--) {
        sum += *byte++;
    }
    return sum;
}

static bool cdat_check_entry(uint8_t type, uint16_t length, Error **errp)
{
    static const uint8_t fixed[] = {
        [CDAT_TYPE_DSMAS] = sizeof(CDATDsmas),
        [CDAT_TYPE_DSLBIS] = sizeof(CDATDslbis),
        [CDAT_TYPE_DSMSCIS] = 20,
        [CDAT_TYPE_DSIS] = 8,
        [CDAT_TYPE_DSEMTS] = sizeof(CDATDsemts),
    };
    bool good;

    if (type > CDAT_TYPE_SSLBIS) {
        error_setg(errp, "CDAT: Type %u is reserved", type);
        return false;
    }
    if (type == CDAT_TYPE_SSLBIS) {
        good = length >= sizeof(CDATSslbisHeader) &&
               (length - sizeof(CDATSslbisHeader)) % sizeof(CDATSslbe) == 0;
    } else {
        good = length == fixed[type];
    }
    if (!good) {
        error_setg(errp, "CDAT: Type %u cannot have length %u", type, length);
    }
    return good;
}

CDATEntry *cxl_cdat_split(uint8_t *image, size_t len, int *count, Error **errp)
{
    g_autoptr(GArray) entries = g_array_new(false, false, sizeof(CDATEntry));
    CDATEntry entry = { .base = image, .length = sizeof(CDATTableHeader) };
    size_t at = sizeof(CDATTableHeader);

    if (len < at) {
        error_setg(errp, "CDAT: File too short: %zu bytes, but the header has "
                   "%zu", len, at);
        return NULL;
    }
    g_array_append_val(entries, entry);

    while (at < len) {
        if (len - at < sizeof(CDATSubHeader)) {
            error_setg(errp, "CDAT: File length mismatch: %zu bytes at %zu are "
                       "no entry", len - at, at);
            return NULL;
        }
        entry.base = image + at;
        entry.length = lduw_le_p(image + at + offsetof(CDATSubHeader, length));
        /* An entry shorter than its own header would never end */
        if (entry.length < sizeof(CDATSubHeader) || entry.length > len - at) {
            error_setg(errp, "CDAT: Truncated table: the entry at %zu has "
                       "length %u, but there are %zu bytes", at,
                       (unsigned)entry.length, len - at);
            return NULL;
        }
        if (!cdat_check_entry(image[at], entry.length, errp)) {
            return NULL;
        }
        if (entries->len == CDAT_ENTRIES_MAX) {
            error_setg(errp, "CDAT: More than %u entries", CDAT_ENTRIES_MAX);
            return NULL;
        }
        g_array_append_val(entries, entry);
        at += entry.length;
    }

    *count = entries->len;
    return (CDATEntry *)g_array_free(g_steal_pointer(&entries), false);
}

uint8_t *cxl_cdat_assemble(CDATSubHeader **table, int num, size_t *len)
{
    CDATTableHeader header = { .revision = CXL_CDAT_REVISION };
    g_autoptr(GByteArray) image = g_byte_array_new();

    g_byte_array_append(image, (uint8_t *)&header, sizeof(header));
    for (int i = 0; i < num; i++) {
        g_byte_array_append(image, (uint8_t *)table[i], table[i]->length);
    }

    stl_le_p(image->data + offsetof(CDATTableHeader, length), image->len);
    image->data[offsetof(CDATTableHeader, checksum)] =
        -cxl_cdat_sum(image->data, image->len);

    *len = image->len;
    return g_byte_array_free(g_steal_pointer(&image), false);
}
