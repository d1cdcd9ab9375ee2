/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Monitor commands about CXL, with right, odd and wrong arguments
 */
#include "qemu/osdep.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"
#include "fuzz.h"

#define OF_ANY_RECORD \
    "*maint-op-class=b *maint-op-subclass=b *ld-id=h *head-id=b " \
    "*is-comp-id-pldm=y *sub-type=b"

/*
 * Arguments are name=kind, with * before those that may be left out:
 * p path, f path of any function, l event log, b h w q numbers of 8 to 64 bits,
 * i number with a sign, d address in the device, z size, s text, e extents,
 * t tag, a selection policy, r removal policy, y yes or no, u uncorrectable
 * errors, c correctable error, m list of numbers, T target of faults, F kind of
 * a fault and what it takes, W when it acts
 */
static const struct {
    const char *name, *args;
    unsigned weight;
} commands[] = {
    { "cxl-inject-general-media-event",
      "path=p log=l flags=b dpa=d descriptor=b type=b transaction-type=b "
      "*channel=b *rank=b *device=w *component-id=s *cme-ev-flags=b "
      "*cme-count=w " OF_ANY_RECORD, 2 },
    { "cxl-inject-dram-event",
      "path=p log=l flags=b dpa=d descriptor=b type=b transaction-type=b "
      "*channel=b *rank=b *nibble-mask=w *bank-group=b *bank=b *row=w "
      "*column=h *correction-mask=m *component-id=s *sub-channel=b "
      "*cme-ev-flags=b *cvme-count=w " OF_ANY_RECORD, 2 },
    { "cxl-inject-memory-module-event",
      "path=p log=l flags=b type=b health-status=b media-status=b "
      "additional-status=b life-used=b temperature=i dirty-shutdown-count=w "
      "corrected-volatile-error-count=w corrected-persistent-error-count=w "
      "*component-id=s " OF_ANY_RECORD, 2 },
    { "cxl-inject-poison", "path=p start=d length=z", 3 },
    { "cxl-inject-uncorrectable-errors", "path=f errors=u", 3 },
    { "cxl-inject-correctable-error", "path=f type=c", 3 },
    { "cxl-add-dynamic-capacity",
      "path=p host-id=0 region=1 selection-policy=a *length=z *extents=e "
      "*tag=t", 8 },
    { "cxl-release-dynamic-capacity",
      "path=p host-id=0 removal-policy=r *region=1 *extents=e *tag=t *length=z "
      "*sanitize-on-release=y *forced-removal=y", 8 },
    { "query-cxl-dynamic-capacity", "path=p *limit=w", 2 },
    { "query-cxl-memory-map", "*limit=b", 1 },
    { "query-status", "", 1 },
    { "cxl-inject-fault",
      "kind=F *when=W *n=b *probability=b *count=b", 10 },
    { "cxl-clear-fault", "*path=T *id=b", 1 },
    { "query-cxl-faults", "*path=T", 1 },
    { "qom-set", "path=P property=o value=i", 3 },
};

static const char *const uncorrectable[] = {
    "cache-data-parity", "cache-address-parity", "cache-be-parity",
    "cache-data-ecc", "mem-data-parity", "mem-address-parity",
    "mem-be-parity", "mem-data-ecc", "reinit-threshold", "rsvd-encoding",
    "poison-received", "receiver-overflow", "internal", "cxl-ide-tx",
    "cxl-ide-rx",
};
/* Words of which one is taken */
static const struct {
    char kind;
    const char *const word[8];
} words[] = {
    { 'l', { "informational", "warning", "failure", "fatal", "none" } },
    { 'a', { "prescriptive", "prescriptive", "free", "contiguous",
             "enable-shared-access" } },
    { 'r', { "prescriptive", "tag-based" } },
    { 't', { "", "11111111-1111-1111-1111-111111111111",
             "01010101-0101-0101-0101-010101010101",
             "02020202-0202-0202-0202-020202020202",
             "00000000-0000-0000-0000-000000000000", "tag" } },
    { 'c', { "cache-data-ecc", "mem-data-ecc", "crc-threshold",
             "retry-threshold", "cache-poison-received", "mem-poison-received",
             "physical" } },
    { 'o', { "life-used", "temperature", "corrected-volatile-errors",
             "corrected-persistent-errors", "backpressure" } },
    { 'W', { "next", "nth", "every-nth", "probably" } },
    { 's', { "component" } },
};

/* Of commands that answer with lists and of those that the checks run */
static const uint16_t opcodes[] = {
    0x0001, 0x0100, 0x0400, 0x0401, 0x4000, 0x4300, 0x4801, 0x5101, 0x5603,
};

static void add_number(Fuzz *f, GString *json, unsigned bits)
{
    bool wide = fuzz_one_in(f, 30), small = fuzz_one_in(f, 2);
    uint64_t any = fuzz_odd(f);

    any = wide || bits == 64 ? any : any & ((1ull << bits) - 1);
    g_string_append_printf(json, "%" PRIu64, small ? any & 7 : any);
}

static void add_extents(Fuzz *f, GString *json)
{
    unsigned n = fuzz_below(f, 4);

    g_string_append(json, "[");
    for (unsigned i = 0; i < n; i++) {
        uint64_t dpa, len;

        fuzz_extent(f, NULL, &dpa, &len);
        g_string_append_printf(json, "%s{\"offset\": %" PRIu64 ", \"len\": %"
                               PRIu64 "}", i ? ", " : "",
                               (dpa - FUZZ_STATIC) % FUZZ_REGION, len);
    }
    g_string_append(json, "]");
}

static void add_errors(Fuzz *f, GString *json)
{
    unsigned n = fuzz_below(f, 5);

    g_string_append(json, "[");
    for (unsigned i = 0; i < n; i++) {
        const char *type = FUZZ_PICK(f, uncorrectable);
        unsigned words = fuzz_below(f, fuzz_one_in(f, 9) ? 40 : 4);

        g_string_append_printf(json, "%s{\"type\": \"%s\", \"header\": [",
                               i ? ", " : "", type);
        for (unsigned k = 0; k < words; k++) {
            g_string_append_printf(json, "%s%u", k ? ", " : "", k);
        }
        g_string_append(json, "]}");
    }
    g_string_append(json, "]");
}

static const FuzzFn *pick_device(Fuzz *f)
{
    return fuzz_one_in(f, 40) ? fuzz_pick(f) :
                                fuzz_pick_kind(f, FUZZ_MEMORY, FUZZ_MEMORY);
}

/* A link's end of MCTP: on a serial line or on I2C */
static void add_endpoint(Fuzz *f, GString *json)
{
    unsigned n = fuzz_below(f, FUZZ_SERIALS);

    g_string_append_printf(json, "\"/machine/peripheral/%s%u\"",
                           fuzz_one_in(f, 2) ? "link" : "i2c", n);
}

static void add_target(Fuzz *f, GString *json)
{
    const FuzzFn *fn = fuzz_pick(f);

    if (fuzz_one_in(f, 3)) {
        add_endpoint(f, json);
    } else {
        g_string_append_printf(json, "\"/machine/peripheral/%s\"", fn->id);
    }
}

/* What faults of that name are narrowed down by, or change something to */
static uint64_t fault_argument(Fuzz *f, const char *name)
{
    uint64_t any = fuzz_odd(f);
    uint16_t opcode = FUZZ_PICK(f, opcodes);

    return g_str_equal(name, "opcode") ? opcode :
           g_str_equal(name, "log") ? any % 5 :
           g_str_equal(name, "vector") ? any % 8 :
           g_str_equal(name, "offset") ? any % 8 :
           g_str_equal(name, "width") ? 1 << any % 4 :
           g_str_equal(name, "delay") ? any % 5000 : any;
}

/* A fault that is mostly one of its target's, with what it takes */
static void add_fault(Fuzz *f, GString *json)
{
    const QListEntry *entry, *take;
    uint32_t any = fuzz_random(f);
    QList *list = qdict_get_qlist(f->kinds, "return");
    QDict *kind = NULL;
    uint64_t n = any % qlist_size(list);

    QLIST_FOREACH_ENTRY(list, entry) {
        if (n-- == 0) {
            kind = qobject_to(QDict, qlist_entry_obj(entry));
            break;
        }
    }
    g_string_append_printf(json, "\"%s\", \"path\": ",
                           qdict_get_str(kind, "kind"));
    if (g_str_equal(qdict_get_str(kind, "family"), "mctp")) {
        add_endpoint(f, json);
    } else if (fuzz_one_in(f, 4)) {
        add_target(f, json);
    } else {
        g_string_append_printf(json, "\"/machine/peripheral/%s\"",
                               pick_device(f)->id);
    }
    QLIST_FOREACH_ENTRY(qdict_get_qlist(kind, "takes"), take) {
        const char *name = qstring_get_str(qobject_to(QString,
                                                      qlist_entry_obj(take)));
        uint64_t value = fault_argument(f, name);

        if (!fuzz_one_in(f, 3)) {
            g_string_append_printf(json, ", \"%s\": %" PRIu64, name, value);
        }
    }
}

static void add_word(Fuzz *f, GString *json, char kind)
{
    unsigned i = 0, n = 0;

    while (words[i].kind != kind) {
        i++;
    }
    while (n < ARRAY_SIZE(words[i].word) && words[i].word[n]) {
        n++;
    }
    g_string_append_printf(json, "\"%s\"", words[i].word[fuzz_below(f, n)]);
}

static void add_value(Fuzz *f, GString *json, char kind)
{
    uint64_t any = fuzz_odd(f);
    unsigned n = fuzz_below(f, 5);

    switch (kind) {
    case 'p':
        if (f->m.has_pool && (any & 7) == 1) {
            g_string_append(json, "\"" FUZZ_POOL "\"");
            break;
        }
        /* mostly the whole path: QEMU searches all there is for part of one */
        g_string_append_printf(json, "\"%s%s\"",
                               n ? "/machine/peripheral/" : "",
                               pick_device(f)->id);
        break;
    case 'f':
        g_string_append_printf(json, "\"/machine/peripheral/%s\"",
                               fuzz_pick(f)->id);
        break;
    case 'P':
        g_string_append_printf(json, "\"/machine/peripheral/%s\"",
                               pick_device(f)->id);
        break;
    case 'b': case 'h': case 'w': case 'q':
        add_number(f, json, kind == 'b' ? 8 : kind == 'h' ? 16 :
                            kind == 'w' ? 32 : 64);
        break;
    case 'i':
        g_string_append_printf(json, "%d", (int)(any & 0xff) - 128);
        break;
    case '0':
        g_string_append_printf(json, "%u", n == 0 ? any == 0 : fuzz_host(f));
        break;
    case '1':
        g_string_append_printf(json, "%u", n == 0 ? (unsigned)any & 9 : n & 1);
        break;
    case 'd':
        g_string_append_printf(json, "%" PRIu64, (uint64_t)(fuzz_dpa(f, NULL) &
                               (n ? ~63ull : ~0ull)));
        break;
    case 'z':
        g_string_append_printf(json, "%" PRIu64, n == 0 ? any :
                               n == 1 ? 64 : n == 2 ? 4096 : n * FUZZ_BLOCK);
        break;
    case 'e':
        add_extents(f, json);
        break;
    case 'y':
        g_string_append(json, n & 1 ? "true" : "false");
        break;
    case 'u':
        add_errors(f, json);
        break;
    case 'T':
        add_target(f, json);
        break;
    case 'F':
        add_fault(f, json);
        break;
    case 'm':
        g_string_append_printf(json, "[%u, %u]", n, (unsigned)(any & 0xffff));
        break;
    default:
        add_word(f, json, kind);
    }
}

static char *command(Fuzz *f, const char **name)
{
    static const char *const strange[] = {
        "null", "[]", "{}", "\"\"", "-1", "1e300", "true",
        "18446744073709551615", "\"\\u0000\"",
    };
    unsigned total = 0, n, i;
    g_auto(GStrv) args = NULL;
    GString *json;

    for (i = 0; i < ARRAY_SIZE(commands); i++) {
        total += commands[i].weight;
    }
    n = fuzz_below(f, total);
    for (i = 0; n >= commands[i].weight; i++) {
        n -= commands[i].weight;
    }
    *name = commands[i].name;
    args = g_strsplit(commands[i].args, " ", 0);
    json = g_string_new("{\"execute\": \"");
    g_string_append_printf(json, "%s\", \"arguments\": {", *name);
    for (i = n = 0; args[i] && *args[i]; i++) {
        const char *arg = args[i] + (args[i][0] == '*');
        size_t len = strcspn(arg, "=");
        bool without = arg != args[i] ? fuzz_one_in(f, 2) : fuzz_one_in(f, 60);
        bool wrong = fuzz_one_in(f, 60);

        if (without) {
            continue;
        }
        g_string_append_printf(json, "%s\"%.*s\": ", n++ ? ", " : "", (int)len,
                               arg);
        if (wrong) {
            g_string_append(json, FUZZ_PICK(f, strange));
        } else {
            add_value(f, json, arg[len + 1]);
        }
    }
    g_string_append(json, "}}");
    return g_string_free(json, false);
}

void fuzz_gen_monitor(Fuzz *f)
{
    const char *name;
    g_autofree char *json = command(f, &name);

    if (fuzz_op(f, FUZZ_MONITOR, "%s", json)) {
        bool fault = g_str_equal(name, "cxl-inject-fault");

        if (fault) {
            f->lies = f->lied = true;
        }
        f->did.faults += link_qmp_ok(f->link, json) && fault;
    }
}
