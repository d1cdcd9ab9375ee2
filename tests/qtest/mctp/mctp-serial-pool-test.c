/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Fabric Manager's way to a pool of memory with two heads: the CCI of its
 * logical devices, over a line and by tunnels (CXL r3.2 7.6.7.3 to 7.6.7.6)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "mctp-line.h"
#include "tests/qtest/cxl/cxl-qtest-pool.h"

#define BLOCKS(k) ((uint64_t)(k) * CXL_BLOCK)

/* A command that succeeds; the answer's bytes, which the caller frees */
static GByteArray *ask(Line *l, uint16_t op, const void *in, size_t len)
{
    return answer_bytes(line_command(l, op, in, len));
}

static void refuses(Line *l, uint16_t op, const void *in, size_t len,
                    uint16_t rc)
{
    answer_is(line_command(l, op, in, len), rc);
}

static void it_says_what_it_is(Pool *t, Line *l, Line *head)
{
    g_autoptr(GByteArray) id = NULL, cel = NULL;
    id = ask(l, 0x0001, NULL, 0);
    g_assert_cmpuint(id->len, ==, 0x12);
    g_assert_cmphex(lduw_le_p(id->data), ==, 0x8086);
    g_assert_cmphex(ldq_le_p(id->data + 8), ==, 0x1234567890abcdef);
    g_assert_cmpuint(id->data[0x11], ==, 3);
    /* commands of a host's memory device are not here */
    refuses(l, 0x4000, NULL, 0, 0x03);
    refuses(l, 0x4801, "\0\0\0\0\0\0\0\0", 8, 0x03);
    refuses(l, 0x5405, NULL, 0, 0x03);
}

static void it_shows_logical_devices(Pool *t, Line *l, Line *head)
{
    static const uint8_t all[] = { 0, 8 }, beyond[] = { 2, 1 };
    g_autoptr(GByteArray) info = NULL, list = NULL, same = NULL;
    uint8_t set[4 + 2 * 0x10] = { 2, 0 };
    info = ask(l, 0x5400, NULL, 0);
    g_assert_cmpuint(info->len, ==, 0x0b);
    g_assert_cmphex(ldq_le_p(info->data), ==, POOL_SIZE + POOL_STATIC);
    g_assert_cmpuint(lduw_le_p(info->data + 8), ==, 2);

    list = ask(l, 0x5401, all, 2);
    g_assert_cmpuint(list->len, ==, 4 + 2 * 0x10);
    g_assert_cmpuint(list->data[0], ==, 2);
    g_assert_cmpuint(list->data[3], ==, 2);
    g_assert_cmpuint(ldq_le_p(list->data + 4), ==, 0);
    g_assert_cmpuint(ldq_le_p(list->data + 0x14), ==, 1);
    refuses(l, 0x5401, beyond, 2, 0x02);

    memcpy(set + 4, list->data + 4, 2 * 0x10);
    same = ask(l, 0x5402, set, sizeof(set));
    g_assert_cmpmem(same->data, same->len, set, sizeof(set));
    set[4] = 1;
    refuses(l, 0x5402, set, sizeof(set), 0x02);
    set[1] = 1;
    refuses(l, 0x5402, set, sizeof(set), 0x02);
}

static void it_shows_heads_and_their_links(Pool *t, Line *l, Line *head)
{
    static const uint8_t all[] = { 0, 2 }, lds[] = { 0, 9 };
    static const uint8_t beyond[] = { 1, 2 };
    g_autoptr(GByteArray) info = NULL, heads = NULL, gone = NULL;
    info = ask(l, 0x5500, lds, 2);
    g_assert_cmpmem(info->data, info->len, "\2\2\0\0\0\2\0\0\0\1", 10);
    refuses(l, 0x5500, "\2\1", 2, 0x02);

    heads = ask(l, 0x5501, all, 2);
    g_assert_cmpuint(heads->len, ==, 4 + 2 * 9);
    for (unsigned h = 0; h < 2; h++) {
        const uint8_t *link = heads->data + 4 + 9 * h;

        g_assert_cmpuint(link[1], ==, 16);
        g_assert_cmpuint(link[6], ==, 4);
        g_assert_cmpuint(link[8], ==, 4);
    }
    refuses(l, 0x5501, beyond, 2, 0x02);

    qtest_qmp_assert_success(t->qts, "{'execute': 'device_del', 'arguments': {"
                             "'id': 'head1'}}");
    map_pci_slot(t->qts, 60, 0, false);
    qtest_qmp_eventwait(t->qts, "DEVICE_DELETED");
    gone = ask(l, 0x5501, all, 2);
    g_assert_cmpmem(gone->data, 13, heads->data, 13);
    g_assert_cmpmem(gone->data + 13, 9, "\0\0\0\0\0\0\0\0\0", 9);
}

/* Header of 5604h, prescriptive, with one extent */
static GByteArray *offer(unsigned host, const CxlExtent *e)
{
    CxlReq r = { 0 };

    req16(&r, host);
    req8(&r, ADD_PRESCRIPTIVE);
    req_zero(&r, 1 + 8 + 16);
    req32(&r, 1);
    req_extent(&r, e->dpa, e->len, e->tag, e->seq);
    return g_byte_array_append(g_byte_array_new(), r.data, r.len);
}

static void it_manages_every_host(Pool *t, Line *l, Line *head)
{
    g_autoptr(GByteArray) info = NULL, add = NULL, done = NULL, log = NULL;
    const CxlExtent e = { POOL_DPA(1, POOL_PLAIN, 5), BLOCKS(3), 9 };
    info = ask(l, 0x5600, NULL, 0);
    g_assert_cmpuint(info->data[0], ==, 2);
    add = offer(1, &e);
    done = ask(l, 0x5604, add->data, add->len);
    g_assert_cmpuint(done->len, ==, 0);
    g_assert_cmphex(host_answer(&t->head[1], 0x4802, &e, 1, false), ==, 0);
    host_has(&t->head[1], &e, 1);
    /* the pool's log tells the Fabric Manager who has accepted it */
    log = ask(l, 0x0100, "\4", 1);
    g_assert_cmpuint(lduw_le_p(log->data + 0x14), ==, 1);
    g_assert_cmpuint(log->data[0x20 + 0x30], ==, 4);
    g_assert_cmpuint(lduw_le_p(log->data + 0x20 + 0x32), ==, 1);
    g_assert_cmphex(ldq_le_p(log->data + 0x20 + 0x38), ==, e.dpa);
    stw_le_p(add->data, 2);
    refuses(l, 0x5604, add->data, add->len, 0x02);
}

/* @op without payload, in a tunnel; @rc: of what is enclosed */
static GByteArray *tunnel(Line *l, uint8_t id, uint8_t type, uint16_t op,
                          uint16_t rc)
{
    uint8_t in[16] = { id, type, 12 };
    GByteArray *out;

    stw_le_p(in + 4 + 3, op);
    out = ask(l, 0x5300, in, sizeof(in));
    g_assert_cmpuint(out->len, >=, 16);
    g_assert_cmphex(lduw_le_p(out->data + 4 + 8), ==, rc);
    return out;
}

static void tunnels_lead_from_pool_to_head_and_back(Pool *t, Line *l,
                                                    Line *head)
{
    g_autoptr(GByteArray) ld = NULL, pool = NULL, heads = NULL;
    uint8_t in[16] = { 2, 0, 12 };
    /* logical device 1: Identify Memory Device tells of its static capacity */
    ld = tunnel(l, 1, 0, 0x4000, 0);
    g_assert_cmpuint(ldq_le_p(ld->data + 16 + 0x10), ==, 1);
    pool = tunnel(head, 0, 1, 0x5600, 0);
    g_assert_cmpuint(pool->data[16], ==, 2);
    /* no such logical device; the pool is in no pool */
    stw_le_p(in + 4 + 3, 0x4000);
    refuses(l, 0x5300, in, sizeof(in), 0x02);
    in[0] = 0;
    in[1] = 1;
    refuses(l, 0x5300, in, sizeof(in), 0x02);
    in[1] = 2;
    refuses(head, 0x5300, in, sizeof(in), 0x02);
    /* a head answers for all of them */
    heads = ask(head, 0x5500, "\0\2", 2);
    g_assert_cmpuint(heads->data[1], ==, 2);
}

static const struct {
    const char *name;
    void (*run)(Pool *t, Line *l, Line *head);
} tests[] = {
    { "identity", it_says_what_it_is },
    { "logical-devices", it_shows_logical_devices },
    { "heads", it_shows_heads_and_their_links },
    { "hosts", it_manages_every_host },
    { "tunnels", tunnels_lead_from_pool_to_head_and_back },
};

/* Line 0 to the pool, 1 to the out-of-band CCI of head 0 */
static void run(gconstpointer data)
{
    g_autofree char *pool = pool_args(",sn=0x1234567890abcdef");
    g_autofree char *to_pool = line_args(0, "pool0");
    g_autofree char *to_head = line_args(1, "head0");
    g_autofree char *args = g_strconcat(pool, to_pool, to_head, NULL);
    g_autoptr(Line) l = NULL, head = NULL;
    Pool t;

    pool_attach(&t, qtest_init(args));
    l = line_open(0);
    head = line_open(1);
    tests[GPOINTER_TO_UINT(data)].run(&t, l, head);
    pool_stop(&t);
}

static void a_pool_with_an_endpoint_stays(void)
{
    g_autofree char *to_pool = line_args(0, "pool0");
    g_autofree char *args = g_strconcat(
        "-M q35,cxl=on -nodefaults -display none "
        "-device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=52 "
        "-device cxl-rp,id=rp0,bus=hb0,chassis=0,slot=0,port=0 "
        "-object memory-backend-ram,id=dc,size=256M "
        "-object cxl-pool,id=pool0,memdev=dc ", to_pool, NULL);
    QTestState *qts = qtest_init(args);
    QDict *rsp = qtest_qmp(qts, "{'execute': 'object-del', 'arguments': {"
                           "'id': 'pool0'}}");

    g_assert_nonnull(qdict_get_qdict(rsp, "error"));
    qobject_unref(rsp);
    qtest_qmp_device_del(qts, "link0");
    qtest_qmp_assert_success(qts, "{'execute': 'object-del', 'arguments': {"
                             "'id': 'pool0'}}");
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *path = g_strdup_printf("/mctp/serial-pool/%s",
                                                tests[i].name);

        qtest_add_data_func(path, GUINT_TO_POINTER(i), run);
    }
    qtest_add_func("/mctp/serial-pool/life", a_pool_with_an_endpoint_stays);
    return line_test_main();
}
