/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verb map: a picture of a host's regions, blocks by state and tag
 */
#include <inttypes.h>

#include "fm-app.h"

/* The frame of a row */
#define FRAME   2

static int opt_host, opt_width;

static gint by_address(gconstpointer a, gconstpointer b)
{
    const struct cxl_extent *x = a, *y = b;

    return x->dpa < y->dpa ? -1 : x->dpa > y->dpa;
}

/* What the host does not have any more, but may still reach */
static int gather_leaving(struct cxl_conn *conn, uint16_t host,
                          GArray **leaving)
{
    g_autoptr(GArray) own = g_array_new(FALSE, FALSE,
                                        sizeof(struct fm_leaving));
    struct fm_leaving *all;
    size_t n;
    int ret = fm_read_leaving(conn, &all, &n);

    for (size_t i = 0; !ret && i < n; i++) {
        if (all[i].host == host) {
            g_array_append_val(own, all[i]);
        }
    }
    free(all);
    if (!ret) {
        *leaving = g_steal_pointer(&own);
    }
    return ret;
}

/* Everything that the picture needs, or what went wrong */
static int gather(struct cxl_conn *conn, uint16_t host,
                  struct fm_regions *regions, GArray **ext, GArray **tags,
                  GArray **leaving)
{
    uint32_t generation;
    int ret = fm_get_regions(conn, host, CXL_DC_REGIONS, 0, regions);

    if (!ret) {
        ret = fm_all_extents(conn, host, ext, &generation);
    }
    if (!ret) {
        g_array_sort(*ext, by_address);
        ret = fm_all_tags(conn, tags, &generation);
    }
    return ret ?: gather_leaving(conn, host, leaving);
}

/* Offers have no place yet that the FM could see, only a tag and a number */
static void print_offers(FILE *out, uint16_t host, const GArray *tags,
                         gint64 unanswered)
{
    char text[FM_TEXT];

    if (unanswered > 0) {
        fprintf(out, " %" G_GINT64_FORMAT " extent%s for an answer (of "
                "withdrawn offers too), or kept by the FM alone\n", unanswered,
                unanswered == 1 ? " waits" : "s wait");
    }
    for (guint i = 0; i < tags->len; i++) {
        const struct fm_tag *t = &g_array_index(tags, struct fm_tag, i);

        if (fm_tag_offered(t, host)) {
            fprintf(out, " ? tag %s is offered\n", fm_text_tag(text, t->tag));
        } else if (t->withdrawn) {
            fprintf(out, " ! tag %s: offer withdrawn, waits for the host\n",
                    fm_text_tag(text, t->tag));
        }
    }
}

static void print_leaving(FILE *out, const GArray *leaving)
{
    char text[FM_TEXT];

    for (guint i = 0; i < leaving->len; i++) {
        const struct fm_leaving *l = &g_array_index(leaving, struct fm_leaving,
                                                    i);

        fprintf(out, " ~ %s at 0x%" PRIx64 " leave: %s\n",
                fm_text_size(text, l->len), l->dpa, l->wiped ?
                "they are being overwritten" : "the host may still reach them");
    }
}

static int draw(struct fm_app *app, uint16_t host, FILE *out, unsigned width)
{
    g_autoptr(GArray) ext = NULL, tags = NULL, leaving = NULL;
    struct fm_regions regions;
    struct fm_map map = { .regions = &regions };
    int ret = gather(app->conn, host, &regions, &ext, &tags, &leaving);

    if (ret) {
        return fm_fail(app, ret);
    }
    map.ext = (struct cxl_extent *)ext->data;
    map.nr_ext = ext->len;
    map.colour = fm_colour(app, out);
    fm_print_map(out, "", &map, width);
    print_offers(out, host, tags, (gint64)regions.counts.extents -
                 regions.counts.extents_free - ext->len);
    print_leaving(out, leaving);
    return FM_DONE;
}

int fm_draw_map(struct fm_app *app, uint16_t host, FILE *out)
{
    return draw(app, host, out, fm_columns(out) - FRAME);
}

static void json_map(struct fm_json *j, uint16_t host,
                     const struct fm_regions *regions, const GArray *ext,
                     const GArray *tags, const GArray *leaving)
{
    fm_json_begin(j, NULL, '{');
    fm_json_num(j, "host", host);
    fm_json_begin(j, "regions", '[');
    for (unsigned i = 0; i < regions->n; i++) {
        const struct fm_region *r = &regions->region[i];

        fm_json_begin(j, NULL, '{');
        fm_json_num(j, "region", i);
        fm_json_num(j, "base", r->base);
        fm_json_num(j, "length", r->len);
        fm_json_num(j, "block_size", r->block);
        fm_json_begin(j, "extents", '[');
        for (guint k = 0; k < ext->len; k++) {
            const struct cxl_extent *e = &g_array_index(ext, struct cxl_extent,
                                                        k);

            if (e->dpa >= r->base && e->dpa - r->base < r->len) {
                fm_json_extent(j, NULL, e);
            }
        }
        fm_json_end(j);
        fm_json_end(j);
    }
    fm_json_end(j);
    fm_json_num(j, "unanswered_extents", regions->counts.extents -
                regions->counts.extents_free - ext->len);
    fm_json_begin(j, "leaving", '[');
    for (guint i = 0; i < leaving->len; i++) {
        const struct fm_leaving *l = &g_array_index(leaving, struct fm_leaving,
                                                    i);

        fm_json_begin(j, NULL, '{');
        fm_json_num(j, "dpa", l->dpa);
        fm_json_num(j, "length", l->len);
        fm_json_bool(j, "overwritten", l->wiped);
        fm_json_end(j);
    }
    fm_json_end(j);
    fm_json_begin(j, "offered_tags", '[');
    for (guint i = 0; i < tags->len; i++) {
        const struct fm_tag *t = &g_array_index(tags, struct fm_tag, i);

        if (fm_tag_offered(t, host)) {
            fm_json_tag(j, NULL, t->tag);
        }
    }
    fm_json_end(j);
    fm_json_begin(j, "withdrawn_tags", '[');
    for (guint i = 0; i < tags->len; i++) {
        const struct fm_tag *t = &g_array_index(tags, struct fm_tag, i);

        if (t->withdrawn) {
            fm_json_tag(j, NULL, t->tag);
        }
    }
    fm_json_end(j);
    fm_json_end(j);
}

static int run_map(struct fm_app *app, int argc, char **argv)
{
    int ret;

    if (opt_width < 0 || opt_width > 4096) {
        return fm_usage(app, "--width %d: expected 0..4096", opt_width);
    }
    ret = fm_word_host(app, opt_host) ? fm_connect(app) : FM_USAGE;
    if (ret) {
        return ret;
    }
    if (app->json) {
        g_autoptr(GArray) ext = NULL, tags = NULL, leaving = NULL;
        struct fm_regions regions;

        ret = gather(app->conn, opt_host, &regions, &ext, &tags, &leaving);
        if (ret) {
            return fm_fail(app, ret);
        }
        json_map(&app->j, opt_host, &regions, ext, tags, leaving);
        return FM_DONE;
    }
    return opt_width ? draw(app, opt_host, stdout, opt_width) :
                       fm_draw_map(app, opt_host, stdout);
}

static const GOptionEntry map_options[] = {
    { "host", 'H', 0, G_OPTION_ARG_INT, &opt_host,
      "Host (LD-ID) to look at [0]", "N" },
    { "width", 'W', 0, G_OPTION_ARG_INT, &opt_width,
      "Most cells in a row [what the terminal has room for]", "CELLS" },
    { NULL }
};

const struct fm_verb fm_verbs_map[] = {
    { "map", "", 0, 0, "Draw a host's regions, blocks by tag",
      "A letter is capacity with one tag, '#' capacity without a tag, '.' is "
      "free,\n'+' a cell of which a part is in use.", map_options, run_map },
    { NULL }
};
