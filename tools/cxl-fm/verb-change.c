/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbs that change who has which capacity: add, release, set-region,
 * reference (CXL r3.2 7.6.7.6.3, .5 to .8)
 */
#include <inttypes.h>

#include "fm-app.h"
#include "fm-wait.h"

static int opt_host, opt_region = -1, opt_wait = -1;
static char *opt_policy, *opt_size, *opt_tag, *opt_block, *opt_sanitize_set;
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
 * @prepare: what must be asked before. Return: exit status
 * @command: the command itself
 * @wait: until the host has reacted. Return: exit status
 * @done: what the FM has done, in JSON
 * @before, @after: the same around the host's number
 * @past: what the host does then
 * @at_once: the host is not waited for, what it has done is no news
 * @policies: names of the order's policy, if any
 */
struct deed {
    gboolean (*check)(struct fm_app *app, struct fm_order *order,
                      guint8 tag[16], GArray **list);
    int (*prepare)(struct fm_app *app, struct fm_order *order, GArray *list);
    int (*command)(struct cxl_conn *conn, const struct fm_order *order);
    int (*wait)(struct fm_app *app, const struct fm_order *order,
                struct fm_wait *wait);
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
    if (!ret) {
        ret = deed->command(app->conn, order);
    }
    return ret ? fm_fail(app, ret) : FM_DONE;
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

static int do_deed(struct fm_app *app, const struct deed *deed)
{
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
    status = status ? status : deed->prepare(app, &order, list);
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
    if (opt_tag && !strcmp(opt_tag, "new")) {
        g_free(opt_tag);
        opt_tag = g_uuid_string_random();
    }
    if (!fm_word_host(app, opt_host) || !word_region(app) ||
        (opt_tag && !fm_word_tag(app, opt_tag, tag)) ||
        !word_extents(app, tag, list)) {
        return FALSE;
    }
    if (order->policy <= FM_ADD_CONTIGUOUS) {
        if (!opt_size) {
            fm_usage(app, "say how much with --size, or which with --extent");
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
        fm_usage(app, "--policy shared: say with --tag what to share");
        return FALSE;
    }
    order->host = opt_host;
    order->region = MAX(opt_region, 0);
    order->tag = tag;
    if (by_extent) {
        order->ext = (struct cxl_extent *)(*list)->data;
        order->n = (*list)->len;
    }
    return TRUE;
}

/*
 * Sharable capacity is numbered: 0, 1, ... within a tag (CXL r3.2 table 8-63).
 * Elsewhere the number is 0.
 */
static int number_extents(struct fm_app *app, GArray *list)
{
    struct fm_regions regions;
    int ret = fm_get_regions(app->conn, opt_host, CXL_DC_REGIONS, 0, &regions);

    for (guint i = 0; !ret && i < list->len; i++) {
        struct cxl_extent *ext = &g_array_index(list, struct cxl_extent, i);

        for (unsigned r = 0; r < regions.n; r++) {
            const struct fm_region *region = &regions.region[r];

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
    return ret;
}

static int prepare_add(struct fm_app *app, struct fm_order *order,
                       GArray *list)
{
    int ret = order->ext ? number_extents(app, list) : 0;

    return ret ? fm_fail(app, ret) : FM_DONE;
}

static int run_add(struct fm_app *app, int argc, char **argv)
{
    static const struct deed offer = {
        check_add, prepare_add, fm_add, fm_wait_answer,
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
        fm_usage(app, "say what with either --tag or --extent");
        return FALSE;
    }
    if (!fm_word_host(app, opt_host) ||
        (opt_tag && !fm_word_tag(app, opt_tag, tag)) ||
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

/* A tag alone means all that the host has of it */
static int prepare_release(struct fm_app *app, struct fm_order *order,
                           GArray *list)
{
    int ret;

    if (!opt_tag || opt_size) {
        return FM_DONE;
    }
    ret = fm_held_bytes(app->conn, order, &order->len);
    if (ret) {
        return fm_fail(app, ret);
    }
    return order->len ? FM_DONE :
           fm_usage(app, "host %u has accepted nothing with this tag; "
                    "an offer that it has not answered needs --size",
                    order->host);
}

static int run_release(struct fm_app *app, int argc, char **argv)
{
    static const struct deed ask = {
        check_release, prepare_release, fm_release, fm_wait_release,
        .done = "asked", .before = "host", .after = " is asked to release",
        .past = "released",
    };
    static const struct deed take = {
        check_release, prepare_release, fm_release, fm_wait_release,
        .done = "taken", .before = "taken back from host", .after = ":",
        .past = "released", .at_once = TRUE,
    };

    return do_deed(app, opt_forced ? &take : &ask);
}

/* -- set-region --------------------------------------------------------- */

static int run_set_region(struct fm_app *app, int argc, char **argv)
{
    struct fm_regions regions;
    gboolean sanitize = FALSE;
    guint64 block = 0;
    int ret;

    if (opt_region < 0 || (!opt_block && !opt_sanitize_set)) {
        return fm_usage(app, "say --region, and --block-size, --sanitize or "
                        "both");
    }
    if (!word_region(app) ||
        (opt_block && !fm_word_size(app, "--block-size", opt_block, &block))) {
        return FM_USAGE;
    }
    if (opt_sanitize_set) {
        sanitize = !strcmp(opt_sanitize_set, "on");
        if (!sanitize && strcmp(opt_sanitize_set, "off")) {
            return fm_usage(app, "--sanitize %s: expected on or off",
                            opt_sanitize_set);
        }
    }
    ret = fm_connect(app);
    if (ret) {
        return ret;
    }
    /* what is not said stays; of a region that is not there, all is said */
    ret = fm_get_regions(app->conn, 0, CXL_DC_REGIONS, 0, &regions);
    if (!ret && opt_region < regions.n) {
        const struct fm_region *r = &regions.region[opt_region];

        block = opt_block ? block : r->block;
        sanitize = opt_sanitize_set ? sanitize : r->sanitize;
    }
    if (!ret) {
        ret = fm_set_region(app->conn, opt_region, block, sanitize);
    }
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
    if (!fm_word_tag(app, argv[1], tag)) {
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

#define OPTION_HOST(what) \
    { "host", 'H', 0, G_OPTION_ARG_INT, &opt_host, what, "N" }
#define OPTION_EXTENT \
    { "extent", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &opt_extents, \
      "These addresses; may be given several times", "DPA+LENGTH[:TAG]" }
#define OPTION_WAIT \
    { "wait", 'w', 0, G_OPTION_ARG_INT, &opt_wait, \
      "Wait this long for the host to do it", "SECONDS" }

static const GOptionEntry add_options[] = {
    OPTION_HOST("Whom to offer it, an LD-ID [0]"),
    { "policy", 'p', 0, G_OPTION_ARG_STRING, &opt_policy,
      "free, contiguous, prescriptive or shared [free]", "POLICY" },
    { "region", 'r', 0, G_OPTION_ARG_INT, &opt_region,
      "Region to take it from [0]", "N" },
    { "size", 's', 0, G_OPTION_ARG_STRING, &opt_size,
      "How much, as 256M or 2G", "SIZE" },
    { "tag", 't', 0, G_OPTION_ARG_STRING, &opt_tag,
      "Its name, a UUID; 'new' invents one", "TAG" },
    OPTION_EXTENT,
    OPTION_WAIT,
    { NULL }
};

static const GOptionEntry release_options[] = {
    OPTION_HOST("Who has it, an LD-ID [0]"),
    { "tag", 't', 0, G_OPTION_ARG_STRING, &opt_tag,
      "Capacity with this tag", "TAG" },
    { "size", 's', 0, G_OPTION_ARG_STRING, &opt_size,
      "How much of the tag [all that the host has accepted]", "SIZE" },
    OPTION_EXTENT,
    { "forced", 'f', 0, G_OPTION_ARG_NONE, &opt_forced,
      "Take it at once, without asking the host", NULL },
    { "sanitize", 'z', 0, G_OPTION_ARG_NONE, &opt_sanitize,
      "Wipe it before anybody can have it again", NULL },
    OPTION_WAIT,
    { NULL }
};

static const GOptionEntry region_options[] = {
    { "region", 'r', 0, G_OPTION_ARG_INT, &opt_region, "Which region", "N" },
    { "block-size", 'b', 0, G_OPTION_ARG_STRING, &opt_block,
      "Unit of its extents, as 2M [as it is]", "SIZE" },
    { "sanitize", 'z', 0, G_OPTION_ARG_STRING, &opt_sanitize_set,
      "Wipe what is released [as it is]", "on|off" },
    { NULL }
};

const struct fm_verb fm_verbs_change[] = {
    { "add", "", 0, 0, "Offer capacity to a host",
      "The host answers when it likes; --wait waits for that.\n\n"
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
    { "set-region", "", 0, 0, "Set block size and sanitizing of a region",
      "The region must be out of use, by every host.\n\nExample:\n"
      "  cxl-fm set-region --region 0 --block-size 64M --sanitize on",
      region_options, run_set_region },
    { "reference", "add|remove TAG", 2, 2,
      "Keep shared capacity while no host has it", NULL, NULL,
      run_reference },
    { NULL }
};
