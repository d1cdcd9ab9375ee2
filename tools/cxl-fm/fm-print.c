/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoded answers of 0001h, 0100h and 56xxh as text (CXL r3.2 7.6.7.6,
 * 8.2.10.2.1.6)
 */
#include <inttypes.h>

#include "fm-print.h"

struct bit_name {
    unsigned bit;
    const char *name;
};

const char *fm_text_size(char *buf, uint64_t bytes)
{
    static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    unsigned u = 0;

    while (u < 4 && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        u++;
    }
    snprintf(buf, FM_TEXT, "%" PRIu64 " %s", bytes, unit[u]);
    return buf;
}

const char *fm_text_tag(char *buf, const uint8_t tag[16])
{
    static const uint8_t none[16];
    char *at = buf;

    if (!memcmp(tag, none, sizeof(none))) {
        snprintf(buf, FM_TEXT, "-");
        return buf;
    }
    for (unsigned i = 0; i < 16; i++) {
        const char *dash = i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";

        at += sprintf(at, "%s%02x", dash, tag[i]);
    }
    return buf;
}

static void print_bits(FILE *out, unsigned value, const struct bit_name *names,
                       size_t n)
{
    const char *sep = "";

    for (size_t i = 0; i < n; i++) {
        if (value & names[i].bit) {
            fprintf(out, "%s%s", sep, names[i].name);
            sep = ", ";
        }
    }
    if (!*sep) {
        fputs("none", out);
    }
}

/* Neighbouring sizes as "4 KiB .. 2 MiB" */
static void print_block_mask(FILE *out, uint64_t mask)
{
    char from[FM_TEXT], to[FM_TEXT];
    const char *sep = "";

    for (unsigned bit = 0; bit < 64; bit++) {
        unsigned last = bit;

        if (!(mask >> bit & 1)) {
            continue;
        }
        while (last < 63 && mask >> (last + 1) & 1) {
            last++;
        }
        fprintf(out, "%s%s", sep, fm_text_size(from, 1ull << bit));
        if (last > bit) {
            fprintf(out, " .. %s", fm_text_size(to, 1ull << last));
        }
        sep = ", ";
        bit = last;
    }
}

void fm_print_identity(FILE *out, const char *lead,
                       const struct fm_identity *id)
{
    const char *type = id->type == 0 ? "switch" :
                       id->type == 3 ? "Type 3 device" : "other component";

    fprintf(out, "%s%s %04x:%04x ", lead, type, id->vendor, id->device);
    if (id->serial == UINT64_MAX) {
        fprintf(out, "without serial number");
    } else {
        fprintf(out, "serial %016" PRIx64, id->serial);
    }
    fprintf(out, ", messages up to %llu bytes\n",
            1ull << (id->max_msg_log2 & 63));
}

void fm_print_info(FILE *out, const char *lead, const struct fm_dcd_info *info)
{
    static const struct bit_name add[] = {
        { 1, "free" }, { 2, "contiguous" }, { 4, "prescriptive" }
    };
    static const struct bit_name release[] = {
        { 1, "by tag" }, { 2, "prescriptive" }
    };
    char size[FM_TEXT];

    fprintf(out, "%s%u host%s, %u region%s, %s of dynamic capacity\n", lead,
            info->hosts, info->hosts == 1 ? "" : "s", info->regions,
            info->regions == 1 ? "" : "s",
            fm_text_size(size, info->capacity));
    fprintf(out, "%sadd policies: ", lead);
    print_bits(out, info->add_policies, add, 3);
    fputs("; release policies: ", out);
    print_bits(out, info->release_policies, release, 2);
    fputc('\n', out);
    for (unsigned r = 0; r < info->regions && r < CXL_DC_REGIONS; r++) {
        fprintf(out, "%sregion %u blocks: ", lead, r);
        print_block_mask(out, info->block_mask[r]);
        fprintf(out, "; sanitize is %s\n",
                info->sanitize_mask >> r & 1 ? "configurable" : "fixed");
    }
}

void fm_print_regions(FILE *out, const char *lead,
                      const struct fm_regions *regions)
{
    static const struct bit_name attr[] = {
        { FM_REGION_NON_VOLATILE, "non-volatile" },
        { FM_REGION_SHARABLE, "sharable" },
        { FM_REGION_HW_COHERENT, "coherent" },
        { FM_REGION_DCD, "dynamic" },
        { FM_REGION_READ_ONLY, "read-only" },
    };
    char len[FM_TEXT], block[FM_TEXT];

    for (unsigned i = 0; i < regions->n; i++) {
        const struct fm_region *r = &regions->region[i];

        fprintf(out, "%sregion %u at 0x%" PRIx64 ": %s in blocks of %s, ",
                lead, i, r->base, fm_text_size(len, r->len),
                fm_text_size(block, r->block));
        print_bits(out, r->attributes, attr, 5);
        fprintf(out, "%s\n", r->sanitize ? ", sanitized on release" : "");
    }
    fprintf(out, "%sextents free %" PRIu32 " of %" PRIu32 ", tags free %"
            PRIu32 " of %" PRIu32 "\n", lead, regions->counts.extents_free,
            regions->counts.extents, regions->counts.tags_free,
            regions->counts.tags);
}

static void print_extent(FILE *out, const struct cxl_extent *ext)
{
    char size[FM_TEXT], tag[FM_TEXT];

    fprintf(out, "0x%" PRIx64 " + %s, tag %s", ext->dpa,
            fm_text_size(size, ext->len), fm_text_tag(tag, ext->tag));
    if (ext->seq) {
        fprintf(out, ", sequence %u", ext->seq);
    }
}

void fm_print_extent(FILE *out, const char *lead,
                     const struct cxl_extent *ext)
{
    fputs(lead, out);
    print_extent(out, ext);
    fputc('\n', out);
}

static bool print_hosts(FILE *out, const char *word, const uint8_t *map)
{
    const char *sep = word;

    for (unsigned k = 0; k < 256; k++) {
        if (map[k / 8] >> k % 8 & 1) {
            fprintf(out, "%s %u", sep, k);
            sep = ",";
        }
    }
    return sep != word;
}

void fm_print_tag(FILE *out, const char *lead, const struct fm_tag *tag)
{
    char text[FM_TEXT];
    bool some;

    fprintf(out, "%s%s", lead, fm_text_tag(text, tag->tag));
    some = print_hosts(out, ", accepted by host", tag->accepted);
    some |= print_hosts(out, ", offered to host", tag->pending);
    if (tag->withdrawn) {
        fputs(", offer withdrawn, waits for the host", out);
    }
    if (tag->referenced) {
        fputs(some ? ", kept by the FM" : ", kept by the FM alone", out);
    }
    fputc('\n', out);
}

const char *fm_event_name(unsigned type)
{
    static const char *const name[] = {
        "add capacity", "release request", "forced release",
        "region updated", "host accepted", "host released"
    };

    return type < sizeof(name) / sizeof(name[0]) ? name[type] :
           "unknown event";
}

void fm_print_event(FILE *out, const char *lead,
                    const struct cxl_dc_event *ev)
{
    fprintf(out, "%s[%u] ", lead, ev->handle);
    if (ev->type == CXL_EV_ADD_RESPONSE || ev->type == CXL_EV_RELEASED) {
        fprintf(out, "host %u %s: ", ev->host,
                ev->type == CXL_EV_RELEASED ? "released" : "accepted");
    } else {
        fprintf(out, "%s: ", fm_event_name(ev->type));
    }
    if (ev->type == CXL_EV_REGION_UPDATED) {
        fprintf(out, "region %u", ev->region);
    } else {
        print_extent(out, &ev->extent);
    }
    fprintf(out, "%s\n", ev->more ? " (more follow)" : "");
}
