/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbs that look and change nothing: identify, info, regions, extents, tags
 * (CXL r3.2 8.2.10.1.1, 7.6.7.6.1, .2, .4, .9)
 */
#include <inttypes.h>

#include "fm-app.h"

static int opt_host;

static const GOptionEntry host_options[] = {
    { "host", 'H', 0, G_OPTION_ARG_INT, &opt_host,
      "Host (LD-ID) to look at [0]", "N" },
    { NULL }
};

static int run_identify(struct fm_app *app, int argc, char **argv)
{
    struct fm_identity id;
    int ret = fm_connect(app);

    if (ret) {
        return ret;
    }
    ret = fm_identify(app->conn, &id);
    if (ret) {
        return fm_fail(app, ret);
    }
    if (!app->json) {
        fm_print_identity(stdout, "", &id);
        return FM_DONE;
    }
    fm_json_begin(&app->j, NULL, '{');
    fm_json_num(&app->j, "type", id.type);
    fm_json_num(&app->j, "vendor", id.vendor);
    fm_json_num(&app->j, "device", id.device);
    fm_json_num(&app->j, "subsystem_vendor", id.subsys_vendor);
    fm_json_num(&app->j, "subsystem", id.subsys);
    /* not every reader of JSON has numbers of 64 bits */
    fm_json_fmt(&app->j, "serial", "%016" PRIx64, id.serial);
    fm_json_num(&app->j, "max_message", 1ull << id.max_msg_log2);
    fm_json_end(&app->j);
    return FM_DONE;
}

static void json_policies(struct fm_json *j, const char *key, unsigned bits,
                          const char *const *names)
{
    fm_json_begin(j, key, '[');
    for (; *names; names++, bits >>= 1) {
        if (bits & 1) {
            fm_json_str(j, NULL, *names);
        }
    }
    fm_json_end(j);
}

static void json_info(struct fm_json *j, const struct fm_dcd_info *info)
{
    static const char *const add[] = { "free", "contiguous", "prescriptive",
                                       NULL };
    static const char *const release[] = { "tag", "prescriptive", NULL };

    fm_json_begin(j, NULL, '{');
    fm_json_num(j, "hosts", info->hosts);
    fm_json_num(j, "capacity", info->capacity);
    json_policies(j, "add_policies", info->add_policies, add);
    json_policies(j, "release_policies", info->release_policies, release);
    fm_json_begin(j, "regions", '[');
    for (unsigned r = 0; r < MIN(info->regions, CXL_DC_REGIONS); r++) {
        fm_json_begin(j, NULL, '{');
        fm_json_num(j, "region", r);
        fm_json_begin(j, "block_sizes", '[');
        for (unsigned bit = 0; bit < 64; bit++) {
            if (info->block_mask[r] >> bit & 1) {
                fm_json_num(j, NULL, 1ull << bit);
            }
        }
        fm_json_end(j);
        fm_json_bool(j, "sanitize_configurable", info->sanitize_mask >> r & 1);
        fm_json_end(j);
    }
    fm_json_end(j);
    fm_json_end(j);
}

static int run_info(struct fm_app *app, int argc, char **argv)
{
    struct fm_dcd_info info;
    int ret = fm_connect(app);

    if (ret) {
        return ret;
    }
    ret = fm_get_dcd_info(app->conn, &info);
    if (ret) {
        return fm_fail(app, ret);
    }
    if (app->json) {
        json_info(&app->j, &info);
    } else {
        fm_print_info(stdout, "", &info);
    }
    return FM_DONE;
}

static void json_regions(struct fm_json *j, const struct fm_regions *regions)
{
    fm_json_begin(j, NULL, '{');
    fm_json_num(j, "host", regions->host);
    fm_json_begin(j, "regions", '[');
    for (unsigned i = 0; i < regions->n; i++) {
        const struct fm_region *r = &regions->region[i];

        fm_json_begin(j, NULL, '{');
        fm_json_num(j, "region", i);
        fm_json_num(j, "base", r->base);
        fm_json_num(j, "decode_length", r->decode_len);
        fm_json_num(j, "length", r->len);
        fm_json_num(j, "block_size", r->block);
        fm_json_bool(j, "non_volatile", r->attributes &
                     FM_REGION_NON_VOLATILE);
        fm_json_bool(j, "sharable", r->attributes & FM_REGION_SHARABLE);
        fm_json_bool(j, "coherent", r->attributes & FM_REGION_HW_COHERENT);
        fm_json_bool(j, "read_only", r->attributes & FM_REGION_READ_ONLY);
        fm_json_bool(j, "sanitize", r->sanitize);
        fm_json_end(j);
    }
    fm_json_end(j);
    fm_json_num(j, "extents", regions->counts.extents);
    fm_json_num(j, "extents_free", regions->counts.extents_free);
    fm_json_num(j, "tags", regions->counts.tags);
    fm_json_num(j, "tags_free", regions->counts.tags_free);
    fm_json_end(j);
}

static int run_regions(struct fm_app *app, int argc, char **argv)
{
    struct fm_regions regions;
    int ret = fm_word_host(app, opt_host) ? fm_connect(app) : FM_USAGE;

    if (ret) {
        return ret;
    }
    ret = fm_get_regions(app->conn, opt_host, CXL_DC_REGIONS, 0, &regions);
    if (ret) {
        return fm_fail(app, ret);
    }
    if (app->json) {
        json_regions(&app->j, &regions);
    } else {
        fm_print_regions(stdout, "", &regions);
    }
    return FM_DONE;
}

static int run_extents(struct fm_app *app, int argc, char **argv)
{
    g_autoptr(GArray) list = NULL;
    uint32_t generation;
    int ret = fm_word_host(app, opt_host) ? fm_connect(app) : FM_USAGE;

    if (ret) {
        return ret;
    }
    ret = fm_all_extents(app->conn, opt_host, &list, &generation);
    if (ret) {
        return fm_fail(app, ret);
    }
    if (!app->json) {
        printf("host %d has %u extent%s, generation %" PRIu32 "\n", opt_host,
               list->len, list->len == 1 ? "" : "s", generation);
        for (guint i = 0; i < list->len; i++) {
            fm_print_extent(stdout, "  ",
                            &g_array_index(list, struct cxl_extent, i));
        }
        return FM_DONE;
    }
    fm_json_begin(&app->j, NULL, '{');
    fm_json_num(&app->j, "host", opt_host);
    fm_json_num(&app->j, "generation", generation);
    fm_json_begin(&app->j, "extents", '[');
    for (guint i = 0; i < list->len; i++) {
        fm_json_extent(&app->j, NULL,
                       &g_array_index(list, struct cxl_extent, i));
    }
    fm_json_end(&app->j);
    fm_json_end(&app->j);
    return FM_DONE;
}

static int run_tags(struct fm_app *app, int argc, char **argv)
{
    g_autoptr(GArray) list = NULL;
    uint32_t generation;
    int ret = fm_connect(app);

    if (ret) {
        return ret;
    }
    ret = fm_all_tags(app->conn, &list, &generation);
    if (ret) {
        return fm_fail(app, ret);
    }
    if (!app->json) {
        printf("%u tag%s, generation %" PRIu32 "\n", list->len,
               list->len == 1 ? "" : "s", generation);
        for (guint i = 0; i < list->len; i++) {
            fm_print_tag(stdout, "  ",
                         &g_array_index(list, struct fm_tag, i));
        }
        return FM_DONE;
    }
    fm_json_begin(&app->j, NULL, '{');
    fm_json_num(&app->j, "generation", generation);
    fm_json_begin(&app->j, "tags", '[');
    for (guint i = 0; i < list->len; i++) {
        const struct fm_tag *t = &g_array_index(list, struct fm_tag, i);

        fm_json_begin(&app->j, NULL, '{');
        fm_json_tag(&app->j, "tag", t->tag);
        fm_json_bool(&app->j, "referenced", t->referenced);
        fm_json_hosts(&app->j, "accepted", t->accepted);
        fm_json_hosts(&app->j, "offered", t->pending);
        fm_json_bool(&app->j, "withdrawn", t->withdrawn);
        fm_json_end(&app->j);
    }
    fm_json_end(&app->j);
    fm_json_end(&app->j);
    return FM_DONE;
}

const struct fm_verb fm_verbs_show[] = {
    { "identify", "", 0, 0,
      "What the component is, and how long messages may be",
      NULL, NULL, run_identify },
    { "info", "", 0, 0, "Hosts, regions, policies and block sizes",
      NULL, NULL, run_info },
    { "regions", "", 0, 0, "Regions as a host sees them, and what is free",
      NULL, host_options, run_regions },
    { "extents", "", 0, 0, "What a host has accepted",
      NULL, host_options, run_extents },
    { "tags", "", 0, 0, "Tags, and which host has accepted or is offered them",
      NULL, NULL, run_tags },
    { NULL }
};
