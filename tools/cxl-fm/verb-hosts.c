/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verb hosts: what each host of a component has (CXL r3.2 7.6.7.6.1, .2, .4)
 */
#include <inttypes.h>

#include "fm-app.h"

/**
 * struct tally - what one host has
 * @part: bytes of each region
 * @unanswered: extents that are offered, or kept by the FM alone
 * @leaving: bytes that it does not have any more, but may still reach
 */
struct tally {
    uint16_t host;
    unsigned regions;
    unsigned extents;
    uint64_t part[CXL_DC_REGIONS];
    uint64_t sum;
    uint64_t unanswered;
    uint64_t leaving;
};

static void count_extents(struct tally *t, const struct fm_regions *regions,
                          const GArray *list)
{
    t->extents = list->len;
    t->regions = regions->n;
    for (guint i = 0; i < list->len; i++) {
        const struct cxl_extent *e = &g_array_index(list, struct cxl_extent, i);

        t->sum += e->len;
        for (unsigned r = 0; r < regions->n; r++) {
            if (e->dpa >= regions->region[r].base &&
                e->dpa - regions->region[r].base < regions->region[r].len) {
                t->part[r] += e->len;
            }
        }
    }
}

static int count(struct cxl_conn *conn, struct tally *t)
{
    g_autoptr(GArray) list = NULL;
    struct fm_regions regions;
    uint32_t generation;
    int64_t more;
    int ret = fm_get_regions(conn, t->host, CXL_DC_REGIONS, 0, &regions) ?:
              fm_all_extents(conn, t->host, &list, &generation);

    if (!ret) {
        count_extents(t, &regions, list);
        more = (int64_t)regions.counts.extents - regions.counts.extents_free -
               t->extents;
        /* The host may have answered in between */
        t->unanswered = MAX(more, 0);
    }
    return ret;
}

static int count_leaving(struct cxl_conn *conn, struct tally *tally, unsigned n)
{
    struct fm_leaving *all;
    size_t len;
    int ret = fm_read_leaving(conn, &all, &len);

    for (size_t i = 0; !ret && i < len; i++) {
        if (all[i].host < n) {
            tally[all[i].host].leaving += all[i].len;
        }
    }
    free(all);
    return ret;
}

static void print_host(FILE *out, const struct tally *t)
{
    char text[FM_TEXT];
    const char *lead = " (";

    fprintf(out, "host %u: ", t->host);
    if (t->extents) {
        fprintf(out, "%s in %u extent%s", fm_text_size(text, t->sum),
                t->extents, t->extents == 1 ? "" : "s");
    } else {
        fputs("nothing", out);
    }
    for (unsigned r = 0; r < t->regions; r++) {
        if (t->part[r]) {
            fprintf(out, "%s%s of region %u", lead,
                    fm_text_size(text, t->part[r]), r);
            lead = ", ";
        }
    }
    fputs(t->extents ? ")" : "", out);
    if (t->unanswered) {
        fprintf(out, ", %" PRIu64 " more offered, or kept by the FM alone",
                t->unanswered);
    }
    if (t->leaving) {
        fprintf(out, ", %s leave", fm_text_size(text, t->leaving));
    }
    fputc('\n', out);
}

static void json_host(struct fm_json *j, const struct tally *t)
{
    fm_json_begin(j, NULL, '{');
    fm_json_num(j, "host", t->host);
    fm_json_num(j, "extents", t->extents);
    fm_json_num(j, "length", t->sum);
    fm_json_begin(j, "regions", '[');
    for (unsigned r = 0; r < t->regions; r++) {
        fm_json_num(j, NULL, t->part[r]);
    }
    fm_json_end(j);
    fm_json_num(j, "unanswered_extents", t->unanswered);
    fm_json_num(j, "leaving", t->leaving);
    fm_json_end(j);
}

static int count_hosts(struct cxl_conn *conn, unsigned *n)
{
    struct fm_regions regions;
    struct fm_dcd_info info;
    int ret = fm_get_dcd_info(conn, &info);

    if (!ret) {
        *n = info.hosts;
        if (fm_may_have_host(&info, *n) &&
            !fm_get_regions(conn, *n, CXL_DC_REGIONS, 0, &regions)) {
            (*n)++;
        }
    }
    return ret;
}

static int run_hosts(struct fm_app *app, int argc, char **argv)
{
    g_autofree struct tally *tally = NULL;
    unsigned hosts;
    int ret = fm_connect(app);

    if (ret) {
        return ret;
    }
    ret = count_hosts(app->conn, &hosts);
    if (ret) {
        return fm_fail(app, ret);
    }
    tally = g_new0(struct tally, hosts);
    for (unsigned h = 0; !ret && h < hosts; h++) {
        tally[h].host = h;
        ret = count(app->conn, &tally[h]);
    }
    ret = ret ?: count_leaving(app->conn, tally, hosts);
    if (ret) {
        return fm_fail(app, ret);
    }
    if (app->json) {
        fm_json_begin(&app->j, NULL, '{');
        fm_json_begin(&app->j, "hosts", '[');
    }
    for (unsigned h = 0; h < hosts; h++) {
        if (app->json) {
            json_host(&app->j, &tally[h]);
        } else {
            print_host(stdout, &tally[h]);
        }
    }
    if (app->json) {
        fm_json_end(&app->j);
        fm_json_end(&app->j);
    }
    return FM_DONE;
}

const struct fm_verb fm_verbs_hosts[] = {
    { "hosts", "", 0, 0, "What each host has, and what it still may reach",
      NULL, NULL, run_hosts },
    { NULL }
};
