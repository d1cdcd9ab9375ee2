/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: what the command line says, and what the state keeps of it
 */
#include "qemu/osdep.h"
#include <getopt.h>
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "poold.h"

static const char usage[] =
"Usage: cxl-poold [OPTION]... DIR\n"
"A pool of CXL memory for several virtual machines, with one Fabric Manager.\n"
"\n"
"DIR has the state, which is made with the first start, and the sockets:\n"
"  DIR/heads.sock   QEMUs: -chardev socket,id=c,path=DIR/heads.sock,reconnect-ms=500\n"
"                          -object cxl-pool,id=p,chardev=c\n"
"                          -device cxl-type3,...,pool=p,head=0\n"
"  DIR/fm.sock      Fabric Managers: cxl-fm -c unix:DIR/fm.sock hosts\n"
"\n"
"What the pool is made of; without these it is as it was:\n"
"  --size=SIZE          bytes of all dynamic capacity [4G]\n"
"  --heads=N            heads, and so hosts, 1 to 256 [4]\n"
"  --regions=N          dynamic capacity regions, 1 to 8 [1]\n"
"  --file=FILE          memory is that file and outlives a loss of power\n"
"  --huge-pages         memory is in huge pages\n"
"  --set NAME=VALUE     a property of the object cxl-pool: dcN-size,\n"
"                       dcN-block-size, dcN-block-sizes, dcN-sharable,\n"
"                       dcN-read-only, dcN-non-volatile, dcN-hw-coherent,\n"
"                       dcN-sanitize, dcN-sanitize-configurable,\n"
"                       dc-extents-max, dc-tags-max, dc-event-log-depth, sn\n"
"\n"
"Who may connect, besides the user who has started it and root:\n"
"  --allow-heads=WHO    as heads: user:NAME or group:NAME, or its number\n"
"  --allow-fm=WHO       as Fabric Managers\n"
"  --fm-tcp=HOST:PORT   Fabric Managers by TCP as well: whoever reaches that\n"
"\n"
"  --help               this text\n"
"  --version            the version\n"
"\n"
"It ends with SIGTERM. However it ends, it goes on where it was.\n";

typedef enum OptionType {
    OPTION_BOOL,
    OPTION_NUMBER,
    OPTION_SIZE,
} OptionType;

/* @bytes: width of the number at @offset */
typedef struct OptionName {
    const char *name;
    OptionType type;
    unsigned bytes;
    size_t offset;
} OptionName;

#define NAME(name_, type_, field) \
    { name_, type_, sizeof_field(PooldOptions, field), \
      offsetof(PooldOptions, field) }

static const OptionName option_names[] = {
    NAME("size", OPTION_SIZE, size),
    NAME("heads", OPTION_NUMBER, heads),
    NAME("regions", OPTION_NUMBER, regions),
    NAME("huge-pages", OPTION_BOOL, huge_pages),
    NAME("sn", OPTION_NUMBER, serial),
    NAME("dc-extents-max", OPTION_NUMBER, max_extents),
    NAME("dc-tags-max", OPTION_NUMBER, max_tags),
    NAME("dc-event-log-depth", OPTION_NUMBER, log_depth),
};

/* Of region N, with "dcN-" in front of the name */
static const OptionName option_region_names[] = {
    NAME("size", OPTION_SIZE, region[0].size),
    NAME("block-size", OPTION_SIZE, region[0].block_size),
    NAME("block-sizes", OPTION_NUMBER, region[0].block_sizes),
    NAME("sharable", OPTION_BOOL, region[0].sharable),
    NAME("read-only", OPTION_BOOL, region[0].read_only),
    NAME("non-volatile", OPTION_BOOL, region[0].non_volatile),
    NAME("hw-coherent", OPTION_BOOL, region[0].hw_coherent),
    NAME("sanitize", OPTION_BOOL, region[0].sanitize),
    NAME("sanitize-configurable", OPTION_BOOL, region[0].sanitize_configurable),
};

static bool option_store(void *at, const OptionName *n, const char *value)
{
    uint64_t v;
    bool on;

    if (n->type == OPTION_BOOL) {
        on = !strcmp(value, "on");
        *(bool *)at = on;
        return on || !strcmp(value, "off");
    }
    if (n->type == OPTION_SIZE ? qemu_strtosz(value, NULL, &v)
                               : qemu_strtou64(value, NULL, 0, &v)) {
        return false;
    }
    if (n->bytes < 8 && v >> (n->bytes * 8)) {
        return false;
    }
    switch (n->bytes) {
    case 1:
        *(uint8_t *)at = v;
        return true;
    case 2:
        *(uint16_t *)at = v;
        return true;
    case 4:
        *(uint32_t *)at = v;
        return true;
    case 8:
        *(uint64_t *)at = v;
        return true;
    }
    g_assert_not_reached();
}

static bool option_set(PooldOptions *o, const char *name, const char *value,
                       Error **errp)
{
    const OptionName *n = NULL;
    char *at = (char *)o;

    for (unsigned i = 0; i < ARRAY_SIZE(option_names); i++) {
        if (!strcmp(name, option_names[i].name)) {
            n = &option_names[i];
        }
    }
    if (g_str_has_prefix(name, "dc") && g_ascii_isdigit(name[2]) &&
        name[2] - '0' < CXL_DC_MAX_REGIONS && name[3] == '-') {
        for (unsigned i = 0; i < ARRAY_SIZE(option_region_names); i++) {
            if (!strcmp(name + 4, option_region_names[i].name)) {
                n = &option_region_names[i];
                at += (name[2] - '0') * sizeof(CXLDCRegionProps);
            }
        }
    }
    if (!n) {
        error_setg(errp, "there is no '%s' to be set; --help lists the names",
                   name);
        return false;
    }
    if (!option_store(at + n->offset, n, value)) {
        error_setg(errp, "%s cannot be '%s': give %s", name, value,
                   n->type == OPTION_BOOL ? "on or off" :
                   n->type == OPTION_SIZE ? "a size as 512M or 4G" :
                   "a number that fits");
        return false;
    }
    return true;
}

static bool option_set_pair(PooldOptions *o, const char *pair, Error **errp)
{
    g_auto(GStrv) part = g_strsplit(pair, "=", 2);

    if (g_strv_length(part) != 2) {
        error_setg(errp, "'%s' is not NAME=VALUE", pair);
        return false;
    }
    return option_set(o, part[0], part[1], errp);
}

static void option_defaults(PooldOptions *o)
{
    o->size = 4 * GiB;
    o->heads = 4;
    o->regions = 1;
    o->max_extents = CXL_DC_DEFAULT_EXTENTS;
    o->max_tags = CXL_DC_DEFAULT_TAGS;
    o->log_depth = 1024;
    for (unsigned i = 0; i < CXL_DC_MAX_REGIONS; i++) {
        o->region[i].block_size = 2 * MiB;
        o->region[i].sanitize = true;
        o->region[i].sanitize_configurable = true;
    }
}

static bool option_check(PooldOptions *o, Error **errp)
{
    for (unsigned i = o->regions; i < CXL_DC_MAX_REGIONS; i++) {
        o->region[i].sanitize = false;
    }
    if (o->heads < 1 || o->heads > CXL_DC_MAX_HOSTS) {
        error_setg(errp, "--heads is %u: give 1 to %d", o->heads,
                   CXL_DC_MAX_HOSTS);
        return false;
    }
    if (o->regions < 1 || o->regions > CXL_DC_MAX_REGIONS) {
        error_setg(errp, "--regions is %u: give 1 to %d", o->regions,
                   CXL_DC_MAX_REGIONS);
        return false;
    }
    if (o->log_depth < 1 || o->log_depth > UINT16_MAX) {
        error_setg(errp, "dc-event-log-depth is %" PRIu32 ": give 1 to %d",
                   o->log_depth, UINT16_MAX);
        return false;
    }
    if (o->file && o->huge_pages) {
        error_setg(errp, "--huge-pages is about memory, but --file says that "
                   "it is a file");
        return false;
    }
    return true;
}

bool options_parse(PooldOptions *o, int argc, char **argv, int *status)
{
    static const struct option longs[] = {
        { "size", required_argument, NULL, 's' },
        { "heads", required_argument, NULL, 'n' },
        { "regions", required_argument, NULL, 'r' },
        { "file", required_argument, NULL, 'f' },
        { "huge-pages", no_argument, NULL, 'p' },
        { "set", required_argument, NULL, 'S' },
        { "allow-heads", required_argument, NULL, 'H' },
        { "allow-fm", required_argument, NULL, 'F' },
        { "fm-tcp", required_argument, NULL, 'T' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { }
    };
    Error *err = NULL;
    int c;

    option_defaults(o);
    *status = EXIT_FAILURE;
    while (!err && (c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        o->given |= strchr("snrfpS", c) != NULL;
        switch (c) {
        case 's':
            option_set(o, "size", optarg, &err);
            break;
        case 'n':
            option_set(o, "heads", optarg, &err);
            break;
        case 'r':
            option_set(o, "regions", optarg, &err);
            break;
        case 'f':
            g_free(o->file);
            o->file = g_canonicalize_filename(optarg, NULL);
            break;
        case 'p':
            o->huge_pages = true;
            break;
        case 'S':
            option_set_pair(o, optarg, &err);
            break;
        case 'H':
            access_add(&o->allow_heads, optarg, &err);
            break;
        case 'F':
            access_add(&o->allow_fm, optarg, &err);
            break;
        case 'T':
            if (!o->fm_tcp) {
                o->fm_tcp = g_ptr_array_new_with_free_func(g_free);
            }
            g_ptr_array_add(o->fm_tcp, g_strdup(optarg));
            break;
        case 'h':
            fputs(usage, stdout);
            *status = EXIT_SUCCESS;
            return false;
        case 'V':
            puts("cxl-poold " QEMU_VERSION);
            *status = EXIT_SUCCESS;
            return false;
        default:
            error_printf("cxl-poold --help lists the options\n");
            return false;
        }
    }
    if (!err && optind + 1 != argc) {
        error_setg(&err, "%s; cxl-poold --help says more", optind == argc ?
                   "DIR is missing, the folder of sockets and state" :
                   "there is one DIR, and options are in front of it");
    }
    if (err || !option_check(o, &err)) {
        error_report_err(err);
        return false;
    }
    o->dir = g_canonicalize_filename(argv[optind], NULL);
    return true;
}

void options_free(PooldOptions *o)
{
    g_clear_pointer(&o->dir, g_free);
    g_clear_pointer(&o->file, g_free);
    g_clear_pointer(&o->fm_tcp, g_ptr_array_unref);
    access_clear(&o->allow_heads);
    access_clear(&o->allow_fm);
}

/* -- as the state keeps them ---------------------------------------------- */

static void option_print(GString *s, const char *prefix, const OptionName *n,
                         const void *at)
{
    uint64_t v = n->type == OPTION_BOOL ? *(const bool *)at :
                 n->bytes == 1 ? *(const uint8_t *)at :
                 n->bytes == 2 ? *(const uint16_t *)at :
                 n->bytes == 4 ? *(const uint32_t *)at :
                                 *(const uint64_t *)at;

    if (n->type == OPTION_BOOL) {
        g_string_append_printf(s, "%s%s=%s\n", prefix, n->name,
                               v ? "on" : "off");
    } else {
        g_string_append_printf(s, "%s%s=%" PRIu64 "\n", prefix, n->name, v);
    }
}

char *options_text(const PooldOptions *o)
{
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(option_names); i++) {
        option_print(s, "", &option_names[i],
                     (const char *)o + option_names[i].offset);
    }
    for (unsigned r = 0; r < o->regions; r++) {
        char prefix[] = { 'd', 'c', '0' + r, '-', '\0' };

        for (unsigned i = 0; i < ARRAY_SIZE(option_region_names); i++) {
            option_print(s, prefix, &option_region_names[i],
                         (const char *)o + option_region_names[i].offset +
                         r * sizeof(CXLDCRegionProps));
        }
    }
    if (o->file) {
        g_string_append_printf(s, "file=%s\n", o->file);
    }
    return g_string_free(s, FALSE);
}

bool options_load(PooldOptions *o, const char *text, Error **errp)
{
    g_auto(GStrv) line = g_strsplit(text, "\n", -1);

    option_defaults(o);
    g_clear_pointer(&o->file, g_free);
    for (unsigned i = 0; line[i]; i++) {
        if (g_str_has_prefix(line[i], "file=")) {
            g_free(o->file);
            o->file = g_strdup(line[i] + strlen("file="));
        } else if (*line[i] && !option_set_pair(o, line[i], errp)) {
            return false;
        }
    }
    return option_check(o, errp);
}
