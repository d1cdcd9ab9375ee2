/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbs that change who has which capacity: add and release (CXL r3.2
 * 7.6.7.6.5, .6)
 */
#include <inttypes.h>

#include "fm-app.h"
#include "fm-explain.h"
#include "fm-wait.h"

static int opt_host, opt_region = -1, opt_wait = -1;
static char *opt_policy, *opt_size, *opt_tag;
static char **opt_extents;
static gboolean opt_forced, opt_sanitize;

static const char *const policies[] = {
    [FM_ADD_FREE] = "free", [FM_ADD_CONTIGUOUS] = "contiguous",
    [FM_ADD_PRESCRIPTIVE] = "prescriptive", [FM_ADD_SHARED] = "shared",
};

static gboolean word_region(struct fm_app *app)
{
    if (opt_region < -1 || opt_region > G_MAXUINT8) {
        fm_usage(app, "--region %d: expected 0..%d", opt_region,
                 CXL_DC_REGIONS - 1);
        return FALSE;
    }
    return TRUE;
}

/* All --extent; a --tag is the tag of those that have none of their own */
static gboolean word_extents(struct fm_app *app, const guint8 tag[16],
                             GArray **list)
{
    static const guint8 none[16];

    *list = g_array_new(FALSE, FALSE, sizeof(struct cxl_extent));
    for (char **text = opt_extents; text && *text; text++) {
        struct cxl_extent ext;

        if (!fm_arg_extent(*text, &ext)) {
            fm_usage(app, "--extent %s: expected DPA+LENGTH or "
                     "DPA+LENGTH:TAG, as in 0x10000000+64M", *text);
            return FALSE;
        }
        if (!memcmp(ext.tag, none, sizeof(none))) {
            memcpy(ext.tag, tag, sizeof(none));
        }
        g_array_append_val(*list, ext);
    }
    return TRUE;
}

/* Geometry, which the device's one code for all mistakes does not tell */
static int check_extents(struct fm_app *app, const struct fm_order *order,
                         const struct fm_regions *regions, gboolean add)
{
    static const guint8 none[16];

    for (uint32_t i = 0; i < order->n; i++) {
        const struct cxl_extent *e = &order->ext[i];
        const struct fm_region *r = NULL;
        char size[FM_TEXT];

        for (unsigned k = 0; !r && k < regions->n; k++) {
            const struct fm_region *at = &regions->region[k];

            if (e->dpa >= at->base && e->len <= at->len &&
                e->dpa - at->base <= at->len - e->len) {
                r = at;
            }
        }
        if (!r) {
            return fm_usage(app, "--extent %s: in none of the regions of "
                            "host %u; cxl-fm regions lists them",
                            opt_extents[i], order->host);
        }
        if (!e->len || !r->block || (e->dpa - r->base) % r->block ||
            e->len % r->block) {
            return fm_usage(app, "--extent %s: expected multiples of %s, the "
                            "blocks of region %u", opt_extents[i],
                            fm_text_size(size, r->block),
                            (unsigned)(r - regions->region));
        }
        if (add && (r->attributes & FM_REGION_SHARABLE) &&
            !memcmp(e->tag, none, sizeof(none))) {
            return fm_usage(app, "--extent %s: --tag is missing, region %u is "
                            "sharable", opt_extents[i],
                            (unsigned)(r - regions->region));
        }
        for (uint32_t k = 0; k < i; k++) {
            if (e->dpa < order->ext[k].dpa + order->ext[k].len &&
                order->ext[k].dpa < e->dpa + e->len) {
                return fm_usage(app, "--extent %s overlaps --extent %s",
                                opt_extents[i], opt_extents[k]);
            }
        }
    }
    return FM_DONE;
}

static void json_order(struct fm_json *j, const char *what,
                       const struct fm_order *order)
{
    fm_json_begin(j, NULL, '{');
    fm_json_str(j, "done", what);
    fm_json_num(j, "host", order->host);
    if (order->ext) {
        fm_json_begin(j, "extents", '[');
        for (uint32_t i = 0; i < order->n; i++) {
            fm_json_extent(j, NULL, &order->ext[i]);
        }
        fm_json_end(j);
    } else {
        fm_json_tag(j, "tag", order->tag);
        if (order->len) {
            fm_json_num(j, "size", order->len);
        }
    }
}

/* "2 extents, 64 MiB" or "64 MiB with tag ..." */
static char *order_text(const struct fm_order *order)
{
    char size[FM_TEXT], tag[FM_TEXT];
    guint64 sum = fm_order_bytes(order);

    fm_text_size(size, sum);
    if (order->ext) {
        return g_strdup_printf("%u extent%s, %s", order->n,
                               order->n == 1 ? "" : "s", size);
    }
    fm_text_tag(tag, order->tag);
    return g_strdup_printf("%s with%s tag%s%s",
                           order->len ? size : "the capacity",
                           *tag == '-' ? "out a" : "", *tag == '-' ? "" : " ",
                           *tag == '-' ? "" : tag);
}

/* -- what add and release have in common --------------------------------- */

/**
 * struct deed - a command about capacity, and the words for it
 * @check: options to order; FALSE after a complaint
 * @prepare: what must be asked before; may choose other words. Return: exit
 *           status
 * @command: the command itself
 * @wait: until the host has reacted. Return: exit status
 * @explain: tell why the command failed, if a code does not tell enough.
 *           Return: exit status
 * @done: what the FM has done, in JSON
 * @before, @after: the same around the host's number
 * @past: what the host does then
 * @at_once: the host is not waited for, what it has done is no news
 * @policies: names of the order's policy, if any
 */
struct deed {
    gboolean (*check)(struct fm_app *app, struct fm_order *order,
                      guint8 tag[16], GArray **list);
    int (*prepare)(struct fm_app *app, struct fm_order *order, GArray *list,
                   struct deed *deed);
    int (*command)(struct cxl_conn *conn, const struct fm_order *order);
    int (*wait)(struct fm_app *app, const struct fm_order *order,
                struct fm_wait *wait);
    int (*explain)(struct fm_app *app, const struct fm_order *order, int rc);
    const char *done, *before, *after, *past;
    gboolean at_once;
    const char *const *policies;
};

static int send_order(struct fm_app *app, const struct deed *deed,
                      const struct fm_order *order, struct fm_wait *wait)
{
    int ret = 0;

    if (opt_wait >= 0) {
        ret = fm_wait_begin(app->conn, order, wait);
    }
    if (ret) {
        return fm_fail(app, ret);
    }
    ret = deed->command(app->conn, order);
    return !ret ? FM_DONE : deed->explain ? deed->explain(app, order, ret) :
           fm_fail(app, ret);
}

static void tell_end(struct fm_app *app, const struct deed *deed,
                     const struct fm_order *order, const struct fm_wait *wait)
{
    char size[FM_TEXT];

    if (app->json) {
        json_order(&app->j, deed->done, order);
        if (deed->policies) {
            fm_json_str(&app->j, "policy", deed->policies[order->policy]);
        }
        if (opt_wait >= 0) {
            fm_json_num(&app->j, deed->past, wait->bytes);
        }
        fm_json_end(&app->j);
    } else if (opt_wait >= 0 && !deed->at_once) {
        printf("host %u has %s %s\n", order->host, deed->past,
               fm_text_size(size, wait->bytes));
    }
}

static int do_deed(struct fm_app *app, const struct deed *what)
{
    struct deed copy = *what, *deed = &copy;
    g_autoptr(GArray) list = NULL;
    g_autofree char *text = NULL;
    struct fm_order order = { 0 };
    struct fm_wait wait = { .seconds = opt_wait };
    guint8 tag[16] = { 0 };
    int status;

    if (!deed->check(app, &order, tag, &list)) {
        return FM_USAGE;
    }
    status = fm_connect(app);
    status = status ? status : deed->prepare(app, &order, list, deed);
    status = status ? status : send_order(app, deed, &order, &wait);
    if (status) {
        return status;
    }
    text = order_text(&order);
    if (!app->json) {
        printf("%s %u%s %s\n", deed->before, order.host, deed->after, text);
        fflush(stdout);
    }
    if (opt_wait >= 0) {
        status = deed->wait(app, &order, &wait);
    }
    if (!status) {
        tell_end(app, deed, &order, &wait);
    }
    return status;
}

/* -- add ---------------------------------------------------------------- */

/* DPA+LENGTH:TAG */
static gboolean extents_tagged(void)
{
    for (char **text = opt_extents; text && *text; text++) {
        if (strchr(*text, ':')) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean check_add(struct fm_app *app, struct fm_order *order,
                          guint8 tag[16], GArray **list)
{
    gboolean by_extent = opt_extents != NULL;

    order->policy = by_extent ? FM_ADD_PRESCRIPTIVE : FM_ADD_FREE;
    if (opt_policy) {
        order->policy = 0;
        while (order->policy < G_N_ELEMENTS(policies) &&
               strcmp(opt_policy, policies[order->policy])) {
            order->policy++;
        }
        if (order->policy == G_N_ELEMENTS(policies)) {
            fm_usage(app, "--policy %s: expected free, contiguous, "
                     "prescriptive or shared", opt_policy);
            return FALSE;
        }
    }
    if (by_extent != (order->policy == FM_ADD_PRESCRIPTIVE)) {
        fm_usage(app, "--extent and --policy prescriptive belong together");
        return FALSE;
    }
    /* Nothing but a tag tells this offer from others */
    if (opt_tag ? !strcmp(opt_tag, "new") :
        opt_wait >= 0 && order->policy != FM_ADD_SHARED && !extents_tagged()) {
        g_free(opt_tag);
        opt_tag = g_uuid_string_random();
    }
    if (!fm_word_host(app, opt_host) || !word_region(app) ||
        (opt_tag && !fm_word_tag(app, "--tag", opt_tag, tag)) ||
        !word_extents(app, tag, list)) {
        return FALSE;
    }
    if (order->policy <= FM_ADD_CONTIGUOUS) {
        if (!opt_size) {
            fm_usage(app, "give --size or --extent");
            return FALSE;
        }
        if (!fm_word_size(app, "--size", opt_size, &order->len)) {
            return FALSE;
        }
    } else if (opt_size) {
        fm_usage(app, "--size has no meaning with --policy %s",
                 policies[order->policy]);
        return FALSE;
    }
    if (order->policy == FM_ADD_SHARED && !opt_tag) {
        fm_usage(app, "--policy shared: give the --tag to share");
        return FALSE;
    }
    order->host = opt_host;
    order->region = MAX(opt_region, 0);
    order->tag = tag;
    if (by_extent) {
        order->ext = (struct cxl_extent *)(*list)->data;
        order->n = (*list)->len;
    }
    if (opt_wait >= 0 && !fm_wait_tag(order)) {
        fm_usage(app, "--wait: only a tag tells the offer from others; give "
                 "another --tag, or none");
        return FALSE;
    }
    return TRUE;
}

/*
 * Sharable capacity is numbered: 0, 1, ... within a tag (CXL r3.2 table 8-63).
 * Elsewhere the number is 0.
 */
static void number_extents(const struct fm_regions *regions, GArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        struct cxl_extent *ext = &g_array_index(list, struct cxl_extent, i);

        for (unsigned r = 0; r < regions->n; r++) {
            const struct fm_region *region = &regions->region[r];

            if (!(region->attributes & FM_REGION_SHARABLE) ||
                ext->dpa < region->base ||
                ext->dpa - region->base >= region->len) {
                continue;
            }
            for (guint k = 0; k < i; k++) {
                ext->seq += !memcmp(g_array_index(list, struct cxl_extent,
                                                  k).tag, ext->tag, 16);
            }
        }
    }
}

/* The arguments that the device's one code for all would not tell apart */
static int check_device(struct fm_app *app, const struct fm_order *order,
                        struct fm_regions *regions)
{
    const struct fm_region *r;
    struct fm_dcd_info info;
    char size[FM_TEXT];
    int ret = fm_get_dcd_info(app->conn, &info);

    if (!ret && !fm_may_have_host(&info, order->host)) {
        return fm_usage(app, "--host %u: there is no such host; the device "
                        "has %u, counted from 0", order->host, info.hosts);
    }
    if (!ret) {
        ret = fm_get_regions(app->conn, order->host, CXL_DC_REGIONS, 0,
                             regions);
    }
    if (ret) {
        return fm_fail(app, ret);
    }
    if (order->policy != FM_ADD_SHARED &&
        !(info.add_policies >> order->policy & 1)) {
        return fm_usage(app, "--policy %s: the device does not offer it",
                        policies[order->policy]);
    }
    if (order->policy == FM_ADD_PRESCRIPTIVE) {
        return check_extents(app, order, regions, TRUE);
    }
    if (order->region >= regions->n) {
        return fm_usage(app, "--region %u: there is no such region; host %u "
                        "has %u, counted from 0", order->region, order->host,
                        regions->n);
    }
    r = &regions->region[order->region];
    if (order->policy == FM_ADD_SHARED) {
        return r->attributes & FM_REGION_SHARABLE ? FM_DONE :
               fm_usage(app, "--policy shared: region %u is not sharable",
                        order->region);
    }
    if (!order->len || !r->block || order->len % r->block) {
        return fm_usage(app, "--size %s: expected a multiple of %s, the "
                        "blocks of region %u", opt_size,
                        fm_text_size(size, r->block), order->region);
    }
    if (r->attributes & FM_REGION_SHARABLE && !opt_tag) {
        return fm_usage(app, "--tag is missing: region %u is sharable",
                        order->region);
    }
    return FM_DONE;
}

static int prepare_add(struct fm_app *app, struct fm_order *order,
                       GArray *list, struct deed *deed)
{
    struct fm_regions regions;
    int status = check_device(app, order, &regions);

    if (!status && order->ext) {
        number_extents(&regions, list);
    }
    return status;
}

/* What 5600h and 5601h do not tell is about tags */
static int explain_add(struct fm_app *app, const struct fm_order *order,
                       int rc)
{
    uint16_t opcode = app->conn->last_opcode;
    g_autofree char *why = NULL;
    char text[FM_TEXT];

    if (rc != CXL_RC_INVALID_INPUT) {
        return fm_fail(app, rc);
    }
    for (uint32_t i = 0; !why && i < MAX(order->n, 1); i++) {
        const guint8 *tag = order->ext ? order->ext[i].tag : order->tag;
        struct fm_tag entry;
        gboolean found;

        if (fm_find_tag(app->conn, tag, &entry, &found)) {
            break;
        }
        fm_text_tag(text, tag);
        if (order->policy == FM_ADD_SHARED) {
            why = !found ? g_strdup_printf("no shared capacity has tag %s",
                                           text) :
                  fm_tag_accepted(&entry, order->host) ||
                  fm_tag_offered(&entry, order->host) ?
                  g_strdup_printf("host %u has tag %s already, or is offered "
                                  "it", order->host, text) :
                  g_strdup_printf("tag %s cannot be shared in region %u",
                                  text, order->region);
        } else if (found) {
            why = g_strdup_printf("tag %s is in use", text);
        }
    }
    return fm_refused(app, opcode, rc, why ? why : fm_explain(opcode, rc));
}

static int run_add(struct fm_app *app, int argc, char **argv)
{
    static const struct deed offer = {
        check_add, prepare_add, fm_add, fm_wait_answer, explain_add,
        .done = "offered", .before = "host", .after = " is offered",
        .past = "accepted", .policies = policies,
    };

    return do_deed(app, &offer);
}

/* -- release ------------------------------------------------------------ */

static gboolean check_release(struct fm_app *app, struct fm_order *order,
                              guint8 tag[16], GArray **list)
{
    if (!opt_tag == !opt_extents) {
        fm_usage(app, "give either --tag or --extent");
        return FALSE;
    }
    if (!fm_word_host(app, opt_host) ||
        (opt_tag && !fm_word_tag(app, "--tag", opt_tag, tag)) ||
        (opt_size && !fm_word_size(app, "--size", opt_size, &order->len)) ||
        !word_extents(app, tag, list)) {
        return FALSE;
    }
    if (opt_extents && opt_size) {
        fm_usage(app, "--size belongs to --tag");
        return FALSE;
    }
    order->host = opt_host;
    order->policy = (opt_extents ? FM_RELEASE_PRESCRIPTIVE : FM_RELEASE_TAG) |
                    (opt_forced ? FM_RELEASE_FORCED : 0) |
                    (opt_sanitize ? FM_RELEASE_SANITIZE : 0);
    order->tag = tag;
    if (opt_extents) {
        order->ext = (struct cxl_extent *)(*list)->data;
        order->n = (*list)->len;
    }
    return TRUE;
}

static void word_withdrawn(struct deed *deed)
{
    deed->done = "withdrawn";
    deed->before = "the offer to host";
    deed->after = " is withdrawn:";
}

/* By tag: all that the host has of it, or, by force, an offer of it */
static int prepare_tag(struct fm_app *app, struct fm_order *order,
                       guint64 held, struct deed *deed)
{
    struct fm_tag entry;
    char text[FM_TEXT];
    gboolean found;
    int ret;

    if (held) {
        order->len = order->len ? order->len : held;
        return FM_DONE;
    }
    ret = fm_find_tag(app->conn, order->tag, &entry, &found);
    if (ret) {
        return fm_fail(app, ret);
    }
    fm_text_tag(text, order->tag);
    if (!found || !(entry.withdrawn || fm_tag_offered(&entry, order->host))) {
        return fm_usage(app, "--tag %s: host %u has nothing with this tag",
                        text, order->host);
    }
    if (!opt_forced) {
        return fm_usage(app, "--tag %s: host %u has not answered the offer; "
                        "--forced withdraws it", text, order->host);
    }
    word_withdrawn(deed);
    return FM_DONE;
}

static int prepare_release(struct fm_app *app, struct fm_order *order,
                           GArray *list, struct deed *deed)
{
    struct fm_dcd_info info;
    struct fm_regions regions;
    guint64 held = 0;
    int status, ret = fm_get_dcd_info(app->conn, &info);

    if (!ret && !fm_may_have_host(&info, order->host)) {
        return fm_usage(app, "--host %u: there is no such host; the device "
                        "has %u, counted from 0", order->host, info.hosts);
    }
    if (!ret) {
        ret = fm_get_regions(app->conn, order->host, CXL_DC_REGIONS, 0,
                             &regions);
    }
    if (!ret && (opt_tag || opt_forced)) {
        ret = fm_held_bytes(app->conn, order, &held);
    }
    if (ret) {
        return fm_fail(app, ret);
    }
    if (opt_tag) {
        return prepare_tag(app, order, held, deed);
    }
    status = check_extents(app, order, &regions, FALSE);
    if (status) {
        return status;
    }
    if (opt_forced && !held) {
        word_withdrawn(deed);
    } else if (opt_forced && held < fm_order_bytes(order)) {
        deed->after = ", as far as accepted; the rest is withdrawn:";
    }
    return FM_DONE;
}

/*
 * How much is offered under a tag stands in no list. Each length up to that
 * withdraws the whole offer; for shared capacity it must be the right one.
 */
static int withdraw_tag(struct cxl_conn *conn, const struct fm_order *order)
{
    struct fm_order guess = *order;
    struct fm_regions regions;
    int ret = fm_get_regions(conn, order->host, CXL_DC_REGIONS, 0, &regions);

    if (ret) {
        return ret;
    }
    for (unsigned r = 0; r < regions.n; r++) {
        const struct fm_region *region = &regions.region[r];
        guint64 low = 1, high = region->block ? region->len / region->block : 0;

        for (guint64 blocks = 1; low <= high;
             blocks = low + (high - low) / 2) {
            guess.len = blocks * region->block;
            ret = fm_release(conn, &guess);
            if (ret == CXL_RC_RESOURCES) {
                high = blocks - 1;
            } else if (ret == CXL_RC_INVALID_INPUT) {
                low = blocks + 1;
            } else {
                return ret;
            }
        }
    }
    return ret;
}

static int take(struct cxl_conn *conn, const struct fm_order *order)
{
    return order->ext || order->len ? fm_release(conn, order) :
                                      withdraw_tag(conn, order);
}

static int run_release(struct fm_app *app, int argc, char **argv)
{
    static const struct deed ask = {
        check_release, prepare_release, fm_release, fm_wait_release,
        .done = "asked", .before = "host", .after = " is asked to release",
        .past = "released",
    };
    static const struct deed force = {
        check_release, prepare_release, take, fm_wait_release,
        .done = "taken", .before = "taken back from host", .after = ":",
        .past = "released", .at_once = TRUE,
    };

    return do_deed(app, opt_forced ? &force : &ask);
}

#define OPTION_HOST(what) \
    { "host", 'H', 0, G_OPTION_ARG_INT, &opt_host, what, "N" }
#define OPTION_EXTENT \
    { "extent", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &opt_extents, \
      "These addresses; may be given several times", "DPA+LENGTH[:TAG]" }
#define OPTION_WAIT \
    { "wait", 'w', 0, G_OPTION_ARG_INT, &opt_wait, \
      "Wait this long for the host to do it", "SECONDS" }

static const GOptionEntry add_options[] = {
    OPTION_HOST("Host (LD-ID) to offer the capacity to [0]"),
    { "policy", 'p', 0, G_OPTION_ARG_STRING, &opt_policy,
      "free, contiguous, prescriptive or shared [free]", "POLICY" },
    { "region", 'r', 0, G_OPTION_ARG_INT, &opt_region,
      "Region to take it from [0]", "N" },
    { "size", 's', 0, G_OPTION_ARG_STRING, &opt_size,
      "How much, as 256M or 2G", "SIZE" },
    { "tag", 't', 0, G_OPTION_ARG_STRING, &opt_tag,
      "Its name, a UUID; 'new' makes a random one", "TAG" },
    OPTION_EXTENT,
    OPTION_WAIT,
    { NULL }
};

static const GOptionEntry release_options[] = {
    OPTION_HOST("Host (LD-ID) that has it [0]"),
    { "tag", 't', 0, G_OPTION_ARG_STRING, &opt_tag,
      "Capacity with this tag", "TAG" },
    { "size", 's', 0, G_OPTION_ARG_STRING, &opt_size,
      "How much of the tag [all that the host has of it]", "SIZE" },
    OPTION_EXTENT,
    { "forced", 'f', 0, G_OPTION_ARG_NONE, &opt_forced,
      "Forced release: without asking the host; withdraws offers", NULL },
    { "sanitize", 'z', 0, G_OPTION_ARG_NONE, &opt_sanitize,
      "Overwrite it before any host can have it again", NULL },
    OPTION_WAIT,
    { NULL }
};

const struct fm_verb fm_verbs_change[] = {
    { "add", "", 0, 0, "Offer capacity to a host",
      "The host answers when it likes; --wait waits for that. A tag tells this "
      "offer\nfrom others: capacity that the device picks gets one then, as by "
      "--tag new.\n\n"
      "Examples:\n"
      "  cxl-fm add --size 256M --tag new --wait 10\n"
      "  cxl-fm add --policy contiguous --region 1 --size 2G --tag "
      "5be13bce-ae34-4a77-b6c3-16df975fcf1a\n"
      "  cxl-fm add --extent 0x10000000+64M --extent 0x20000000+64M\n"
      "  cxl-fm add --policy shared --region 1 --host 1 --tag 5be13bce",
      add_options, run_add },
    { "release", "", 0, 0, "Ask a host for capacity, or take it",
      "Examples:\n"
      "  cxl-fm release --tag 5be13bce --wait 30\n"
      "  cxl-fm release --extent 0x10000000+64M --forced --sanitize",
      release_options, run_release },
    { NULL }
};
