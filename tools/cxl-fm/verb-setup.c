/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbs that set up what capacity is like: set-region, reference (CXL r3.2
 * 7.6.7.6.3, .7, .8)
 */
#include <inttypes.h>

#include "fm-app.h"

static int opt_region = -1;
static char *opt_block, *opt_sanitize;

/* -- set-region --------------------------------------------------------- */

static int run_set_region(struct fm_app *app, int argc, char **argv)
{
    struct fm_dcd_info info;
    struct fm_regions regions;
    gboolean sanitize = FALSE;
    guint64 block = 0;
    int ret;

    if (opt_region < 0 || (!opt_block && !opt_sanitize)) {
        return fm_usage(app, "give --region, and --block-size, --sanitize or "
                        "both");
    }
    if (opt_region > G_MAXUINT8) {
        return fm_usage(app, "--region %d: expected 0..%d", opt_region,
                        CXL_DC_REGIONS - 1);
    }
    if (opt_block && !fm_word_size(app, "--block-size", opt_block, &block)) {
        return FM_USAGE;
    }
    if (opt_sanitize) {
        sanitize = !strcmp(opt_sanitize, "on");
        if (!sanitize && strcmp(opt_sanitize, "off")) {
            return fm_usage(app, "--sanitize %s: expected on or off",
                            opt_sanitize);
        }
    }
    ret = fm_connect(app);
    if (ret) {
        return ret;
    }
    ret = fm_get_dcd_info(app->conn, &info);
    if (!ret) {
        ret = fm_get_regions(app->conn, 0, CXL_DC_REGIONS, 0, &regions);
    }
    if (ret) {
        return fm_fail(app, ret);
    }
    /* both of these would be the same code of the device */
    if (opt_region >= regions.n) {
        return fm_usage(app, "--region %d: there is no such region; the device "
                        "has %u, counted from 0", opt_region, regions.n);
    }
    if (opt_block && (!block || block & (block - 1) ||
                      !(info.block_mask[opt_region] & block))) {
        return fm_usage(app, "--block-size %s: region %d cannot have blocks of "
                        "this size; 'cxl-fm info' lists those it can have",
                        opt_block, opt_region);
    }
    /* what is not said stays */
    block = opt_block ? block : regions.region[opt_region].block;
    sanitize = opt_sanitize ? sanitize : regions.region[opt_region].sanitize;
    ret = fm_set_region(app->conn, opt_region, block, sanitize);
    if (ret) {
        return fm_fail(app, ret);
    }
    if (app->json) {
        fm_json_begin(&app->j, NULL, '{');
        fm_json_num(&app->j, "region", opt_region);
        fm_json_num(&app->j, "block_size", block);
        fm_json_bool(&app->j, "sanitize", sanitize);
        fm_json_end(&app->j);
    } else {
        char size[FM_TEXT];

        printf("region %d has blocks of %s and is%s sanitized on release\n",
               opt_region, fm_text_size(size, block), sanitize ? "" : " not");
    }
    return FM_DONE;
}

/* -- reference ---------------------------------------------------------- */

static int run_reference(struct fm_app *app, int argc, char **argv)
{
    gboolean add = !strcmp(argv[0], "add");
    char text[FM_TEXT];
    guint8 tag[16];
    int ret;

    if (!add && strcmp(argv[0], "remove")) {
        return fm_usage(app, "%s: expected add or remove", argv[0]);
    }
    if (!fm_word_tag(app, "TAG", argv[1], tag)) {
        return FM_USAGE;
    }
    ret = fm_connect(app);
    if (ret) {
        return ret;
    }
    ret = add ? fm_add_reference(app->conn, tag) :
                fm_remove_reference(app->conn, tag);
    if (ret) {
        return fm_fail(app, ret);
    }
    if (app->json) {
        fm_json_begin(&app->j, NULL, '{');
        fm_json_tag(&app->j, "tag", tag);
        fm_json_bool(&app->j, "referenced", add);
        fm_json_end(&app->j);
    } else {
        printf("tag %s is %s by the FM\n", fm_text_tag(text, tag),
               add ? "kept" : "no longer kept");
    }
    return FM_DONE;
}

static const GOptionEntry region_options[] = {
    { "region", 'r', 0, G_OPTION_ARG_INT, &opt_region, "Which region", "N" },
    { "block-size", 'b', 0, G_OPTION_ARG_STRING, &opt_block,
      "Unit of its extents, as 2M [as it is]", "SIZE" },
    { "sanitize", 'z', 0, G_OPTION_ARG_STRING, &opt_sanitize,
      "Wipe what is released [as it is]", "on|off" },
    { NULL }
};

const struct fm_verb fm_verbs_setup[] = {
    { "set-region", "", 0, 0, "Set block size and sanitizing of a region",
      "The region must be out of use, by every host.\n\nExample:\n"
      "  cxl-fm set-region --region 0 --block-size 64M --sanitize on",
      region_options, run_set_region },
    { "reference", "add|remove TAG", 2, 2,
      "Keep shared capacity while no host has it", NULL, NULL,
      run_reference },
    { NULL }
};
