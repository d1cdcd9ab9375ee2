/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Fabric Manager for the command line: one command, one decoded answer
 * (CXL r3.2 7.6.7.6)
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "fm-args.h"
#include "fm-print.h"

/* Extents of one prescriptive command: more than any payload carries */
#define EXTENTS_MAX 128

/* Exit status for a wrong command line; 1 is a failed command */
#define USAGE       2

/** struct job - a connection and the words behind the command's name */
struct job {
    struct cxl_conn *conn;
    int argc;
    char **argv;
};

static uint16_t host_arg(const struct job *job)
{
    uint64_t host = 0;

    if (job->argc && (!fm_arg_u64(job->argv[0], &host) || host > 0xffff)) {
        fprintf(stderr, "%s is not a host\n", job->argv[0]);
        exit(USAGE);
    }
    return host;
}

static uint64_t number(const char *text)
{
    uint64_t value;

    if (!fm_arg_u64(text, &value)) {
        fprintf(stderr, "%s is not a number\n", text);
        exit(USAGE);
    }
    return value;
}

static void tag_arg(const char *text, uint8_t tag[16])
{
    if (!fm_arg_tag(text, tag)) {
        fprintf(stderr, "%s is not a tag\n", text);
        exit(USAGE);
    }
}

static int do_identify(const struct job *job)
{
    struct fm_identity id;
    int ret = fm_identify(job->conn, &id);

    if (!ret) {
        fm_print_identity(stdout, "", &id);
    }
    return ret;
}

static int do_commands(const struct job *job)
{
    static struct fm_cel cel;
    int ret = fm_read_cel(job->conn, &cel);

    for (size_t i = 0; !ret && i < cel.n; i++) {
        printf("%04x effects %04x\n", cel.entry[i].opcode,
               cel.entry[i].effects);
    }
    return ret;
}

static int do_info(const struct job *job)
{
    struct fm_dcd_info info;
    int ret = fm_get_dcd_info(job->conn, &info);

    if (!ret) {
        fm_print_info(stdout, "", &info);
    }
    return ret;
}

static int do_regions(const struct job *job)
{
    struct fm_regions regions;
    int ret = fm_get_regions(job->conn, host_arg(job), CXL_DC_REGIONS, 0,
                             &regions);

    if (!ret) {
        fm_print_regions(stdout, "", &regions);
    }
    return ret;
}

/* How many extents fit an answer of this connection */
static uint32_t page_size(const struct cxl_conn *conn)
{
    return (conn->max_rsp - 0x18) / CXL_EXTENT_SIZE;
}

static int do_extents(const struct job *job)
{
    static struct cxl_extent_page page;
    uint32_t at = 0;
    int ret;

    do {
        ret = fm_get_extents(job->conn, host_arg(job), page_size(job->conn),
                             at, &page);
        if (!ret) {
            fm_print_extents(stdout, "", &page);
            at += page.n;
        }
    } while (!ret && page.n && at < page.total);
    return ret;
}

static int do_map(const struct job *job)
{
    static struct cxl_extent_page page;
    struct fm_map map = { .accepted = page.ext };
    struct fm_regions regions;
    int ret = fm_get_regions(job->conn, host_arg(job), CXL_DC_REGIONS, 0,
                             &regions);

    if (!ret) {
        ret = fm_get_extents(job->conn, host_arg(job), page_size(job->conn),
                             0, &page);
    }
    if (!ret) {
        map.regions = &regions;
        map.nr_accepted = page.n;
        fm_print_map(stdout, "", &map, 64);
        if (page.n < page.total) {
            printf("only the first %" PRIu32 " of %" PRIu32 " extents\n",
                   page.n, page.total);
        }
    }
    return ret;
}

static int do_tags(const struct job *job)
{
    static struct fm_tags tags;
    uint32_t max = (job->conn->max_rsp - 0x10) / CXL_TAG_SIZE, at = 0;
    int ret;

    do {
        ret = fm_list_tags(job->conn, at, max, &tags);
        if (!ret) {
            fm_print_tags(stdout, "", &tags);
            at += tags.n;
        }
    } while (!ret && tags.n && at < tags.total);
    return ret;
}

static int do_events(const struct job *job)
{
    static struct cxl_dc_events events;
    int ret;

    do {
        ret = fm_read_dc_events(job->conn, &events);
        for (unsigned i = 0; !ret && i < events.n; i++) {
            fm_print_event(stdout, "", &events.ev[i]);
        }
        if (!ret && events.n) {
            ret = fm_clear_dc_events(job->conn, &events, events.n);
        }
    } while (!ret && events.n);
    return ret;
}

static int do_set_region(const struct job *job)
{
    uint64_t region = number(job->argv[0]);

    return fm_set_region(job->conn, region > 0xff ? 0xff : region,
                         number(job->argv[1]),
                         job->argc > 2 && number(job->argv[2]));
}

static uint32_t extents_arg(const struct job *job, struct cxl_extent *ext)
{
    uint32_t n = 0;

    for (int i = 1; i < job->argc && n < EXTENTS_MAX; i++, n++) {
        if (!fm_arg_extent(job->argv[i], &ext[n])) {
            fprintf(stderr, "%s is not an extent\n", job->argv[i]);
            exit(USAGE);
        }
    }
    return n;
}

static int do_add(const struct job *job)
{
    static const char *const policy[] = { "free", "contiguous",
                                          "prescriptive", "shared" };
    static struct cxl_extent ext[EXTENTS_MAX];
    struct fm_order order = { .host = 0 };
    uint8_t tag[16];

    while (order.policy < 4 && strcmp(job->argv[0], policy[order.policy])) {
        order.policy++;
    }
    if (order.policy == FM_ADD_PRESCRIPTIVE) {
        order.ext = ext;
        order.n = extents_arg(job, ext);
        return fm_add(job->conn, &order);
    }
    if (order.policy > FM_ADD_SHARED || job->argc < 4) {
        return -EINVAL;
    }
    order.region = number(job->argv[1]);
    order.len = number(job->argv[2]);
    tag_arg(job->argv[3], tag);
    order.tag = tag;
    return fm_add(job->conn, &order);
}

/* Leading words "forced" and "sanitize" are options of both policies */
static int do_release(const struct job *job)
{
    static struct cxl_extent ext[EXTENTS_MAX];
    struct fm_order order = { .host = 0 };
    struct job rest = *job;
    uint8_t tag[16];

    for (; rest.argc; rest.argc--, rest.argv++) {
        if (!strcmp(rest.argv[0], "forced")) {
            order.policy |= FM_RELEASE_FORCED;
        } else if (!strcmp(rest.argv[0], "sanitize")) {
            order.policy |= FM_RELEASE_SANITIZE;
        } else {
            break;
        }
    }
    if (rest.argc == 3 && !strcmp(rest.argv[0], "tag")) {
        tag_arg(rest.argv[1], tag);
        order.tag = tag;
        order.len = number(rest.argv[2]);
    } else if (rest.argc > 1 && !strcmp(rest.argv[0], "extents")) {
        order.policy |= FM_RELEASE_PRESCRIPTIVE;
        order.ext = ext;
        order.n = extents_arg(&rest, ext);
    } else {
        return -EINVAL;
    }
    return fm_release(job->conn, &order);
}

static int do_reference(const struct job *job)
{
    uint8_t tag[16];

    tag_arg(job->argv[0], tag);
    return fm_add_reference(job->conn, tag);
}

static int do_unreference(const struct job *job)
{
    uint8_t tag[16];

    tag_arg(job->argv[0], tag);
    return fm_remove_reference(job->conn, tag);
}

static const struct {
    const char *name;
    int words;                  /* at least */
    int (*run)(const struct job *job);
    const char *usage;
} commands[] = {
    { "identify", 0, do_identify, "" },
    { "commands", 0, do_commands, "" },
    { "info", 0, do_info, "" },
    { "regions", 0, do_regions, "[HOST]" },
    { "extents", 0, do_extents, "[HOST]" },
    { "map", 0, do_map, "[HOST]" },
    { "tags", 0, do_tags, "" },
    { "events", 0, do_events, "" },
    { "set-region", 2, do_set_region, "REGION BLOCKSIZE [SANITIZE]" },
    { "add", 1, do_add, "free|contiguous|shared REGION LENGTH TAG\n"
      "         prescriptive DPA+LENGTH[:TAG]..." },
    { "release", 1, do_release, "[forced] [sanitize] tag TAG LENGTH\n"
      "         [forced] [sanitize] extents DPA+LENGTH..." },
    { "reference", 1, do_reference, "TAG" },
    { "unreference", 1, do_unreference, "TAG" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(void)
{
    puts("usage: cxl-fm WHERE COMMAND...\n"
         "WHERE is /dev/cxl/memN or mctp:NET,EID. Commands:");
    for (size_t i = 0; i < NR_COMMANDS; i++) {
        printf("  %s %s\n", commands[i].name, commands[i].usage);
    }
    return USAGE;
}

int main(int argc, char **argv)
{
    struct job job = { .argc = argc - 3, .argv = argv + 3 };
    size_t i = 0;
    int ret;

    if (argc < 3) {
        return usage();
    }
    while (i < NR_COMMANDS && strcmp(argv[2], commands[i].name)) {
        i++;
    }
    if (i == NR_COMMANDS || job.argc < commands[i].words) {
        return usage();
    }
    job.conn = fm_arg_connect(argv[1]);
    if (!job.conn) {
        perror(argv[1]);
        return 1;
    }
    ret = commands[i].run(&job);
    if (ret) {
        fprintf(stderr, "%s: %s\n", argv[2], cxl_rc_name(ret));
    }
    cxl_conn_close(job.conn);
    return ret != 0;
}
