/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial lines and USB beside other CCIs to the same component: answers must
 * not depend on the CCI. And the life of mctp-serial-cxl: plug, unplug, reset,
 * migration.
 * Reference: DMTF DSP0236, DSP0253; CXL r3.2 7.6.3, 8.2.8.4.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "mctp-line.h"
#include "mctp-usb-line.h"
#include "tests/qtest/cxl/cxl-qtest.h"

#define EP_SWITCH 0x20
#define EP_DEVICE 0x22
#define I2C_EID_SWITCH 19
#define I2C_EID_DEVICE 20

/* Line 0 to the switch, 1 to its mailbox function, 2 to a memory device */
static char *machine_args(const LineKind *kind)
{
    g_autofree char *sw = kind->args(0, "us0");
    g_autofree char *mailbox = kind->args(1, "sw0");
    g_autofree char *mem = kind->args(2, "mem0");

    return g_strconcat(MCTP_MACHINE
        "-device cxl-downstream,id=ds0,bus=us0,port=0,chassis=0,slot=4 "
        "-device cxl-switch-mailbox-cci,id=sw0,bus=pcie.0,addr=06.0,"
        "target=us0 "
        "-object memory-backend-ram,id=vmem,size=256M "
        "-object memory-backend-ram,id=dcmem,size=512M "
        "-device cxl-type3,id=mem0,bus=ds0,volatile-memdev=vmem,"
        "volatile-dc-memdev=dcmem,num-dc-regions=2,sn=0x99 "
        "-device i2c_mctp_cxl,bus=dw.0,address=0x20,target=us0,eid=19 "
        "-device i2c_mctp_cxl,bus=dw.0,address=0x22,target=mem0,eid=20 ",
        kind->machine, sw, mailbox, mem, NULL);
}

static void start(DwI2c *t, const LineKind *kind)
{
    g_autofree char *args = machine_args(kind);

    dw_start_args(t, args);
    mctp_listen(t);
    if (kind->start) {
        kind->start(t->qts, t->pci);
    }
}

static void stop(DwI2c *t, const LineKind *kind)
{
    if (kind->stop) {
        kind->stop();
    }
    dw_stop(t);
}

typedef struct Request {
    uint16_t opcode;
    uint16_t len;
    uint8_t in[40];
} Request;

/* Everything that must not depend on the CCI: also errors do not */
static const Request switch_requests[] = {
    { 0x0001, 0 },
    { 0x0001, 1, { 0 } },
    { 0x0002, 0 },
    { 0x0300, 0 },
    { 0x0301, 8, { 0x15, 0xcd, 0x5b, 0x07, 0, 0, 0, 0 } },
    { 0x0301, 7, { 0 } },
    { 0x0400, 0 },
    { 0x0401, 24, { 0 } },
    { 0x0401, 25, { 0 } },
    { 0x5100, 0 },
    { 0x5100, 1, { 0 } },
    { 0x5101, 2, { 1, 0 } },
    { 0x5101, 3, { 0, 1, 0 } },
    { 0x5101, 2, { 1, 9 } },
    { 0x5102, 2, { 9, 0 } },
    { 0x5102, 2, { 0, 1 } },
    { 0x5103, 8, { 0, 0, 0xf0, 0 } },
    { 0x5103, 8, { 9, 0, 0xf0, 0 } },
    { 0x5104, 0 },
    { 0x5106, 1, { 0 } },
    { 0x5106, 1, { 1 } },
    { 0x5107, 1, { 0 } },
    { 0x5200, 4, { 0, 255, 1, 0 } },
    { 0x5200, 5, { 0, 255, 1, 0 } },
    { 0x5201, 6, { 0, 1, 0, 0, 0xff, 0xff } },
    { 0x5202, 3, { 0, 9, 2 } },
    { 0x5203, 40, { 0, 9, 0, 0, 0x10 } },
    { 0x0100, 1, { 0 } },
    { 0x0100, 1, { 9 } },
    { 0x0101, 8, { 0, 0, 1, 0, 0, 0, 1, 0 } },
    { 0x5300, 16, { 0, 0, 12, 0, 0, 0, 0, 1, 0, 0, 0, 0 } },
    { 0x5300, 4, { 0 } },
    { 0x5600, 0 },
    { 0x4000, 0 },
    { 0xff42, 3, { 1, 2, 3 } },
};

/* Two lines, I2C and PCI: four CCIs, one switch, one answer */
static void test_switch_ccis(gconstpointer data)
{
    const LineKind *kind = data;
    g_autoptr(Line) direct = NULL;
    g_autoptr(Line) mailbox = NULL;
    Mailbox m;
    DwI2c t;

    start(&t, kind);
    direct = kind->open(0);
    mailbox = kind->open(1);
    m = mailbox_open(&t, QPCI_DEVFN(6, 0), 0);
    for (size_t i = 0; i < ARRAY_SIZE(switch_requests); i++) {
        const Request *r = &switch_requests[i];
        Answer a = line_command(direct, r->opcode, r->in, r->len);
        Answer b = line_command(mailbox, r->opcode, r->in, r->len);
        Answer c = mctp_command(&t, EP_SWITCH, I2C_EID_SWITCH, r->opcode,
                                r->in, r->len);
        Answer d = mailbox_command(&m, r->opcode, r->in, r->len);

        g_test_message("%04x: return code %02x, %u bytes", r->opcode,
                       a.ret_code, a.payload->len);
        assert_equal_answers(&a, &b);
        assert_equal_answers(&a, &c);
        if (r->opcode == 0x0001 && a.ret_code == 0) {
            /* the size of the CCI's own messages */
            a.payload->data[16] = d.payload->data[16] = 0;
        }
        /* only a message based CCI has a message limit, its log tells so */
        if (r->opcode != 0x0400 && r->opcode != 0x0401) {
            assert_equal_answers(&a, &d);
        }
        answer_clear(&a);
        answer_clear(&b);
        answer_clear(&c);
        answer_clear(&d);
    }
    line_quiet(direct);
    line_quiet(mailbox);
    mailbox_close(&m);
    stop(&t, kind);
}

static const Request device_requests[] = {
    { 0x0001, 0 },
    { 0x0300, 0 },
    { 0x0400, 0 },
    { 0x5600, 0 },
    { 0x5601, 3, { 0, 2, 0 } },
    { 0x5601, 3, { 0, 9, 0 } },
    { 0x5603, 12, { 0 } },
    { 0x5300, 4, { 0 } },
    { 0x5100, 0 },
    { 0x5600, 1, { 0 } },
};

/* The same on a memory device; requests of both CCIs cross on their way */
static void test_device_ccis(gconstpointer data)
{
    const LineKind *kind = data;
    g_autoptr(Line) l = NULL;
    DwI2c t;

    start(&t, kind);
    l = kind->open(2);
    for (size_t i = 0; i < ARRAY_SIZE(device_requests); i++) {
        const Request *r = &device_requests[i];
        g_autoptr(GByteArray) body = NULL;
        MCTPHeader hdr;
        Answer a, b;

        line_request(l, PEER_EID, 1, i, r->opcode, r->in, r->len);
        b = mctp_command(&t, EP_DEVICE, I2C_EID_DEVICE, r->opcode, r->in,
                         r->len);
        body = line_message(l, &hdr);
        a = line_answer(body, i, r->opcode);
        g_assert_cmphex(hdr.src, ==, LINE_EID(2));
        if (r->opcode != 0x0300 || a.ret_code) {
            assert_equal_answers(&a, &b);
        }
        answer_clear(&a);
        answer_clear(&b);
    }
    line_quiet(l);
    stop(&t, kind);
}

static void get_uuid(Line *l, uint8_t *uuid)
{
    static const uint8_t packet[] = { 1, 0, PEER_EID, 0xc8, 0, 0x80, 3 };
    g_autoptr(GByteArray) body = NULL;
    MCTPHeader hdr;

    line_send_packet(l, packet, sizeof(packet));
    body = line_message(l, &hdr);
    g_assert_cmpuint(body->len, ==, 4 + 16);
    g_assert_cmphex(body->data[3], ==, 0);
    memcpy(uuid, body->data + 4, 16);
}

/* CCIs of one component say so */
static void test_uuid(gconstpointer data)
{
    const LineKind *kind = data;
    g_autoptr(Line) sw = NULL;
    g_autoptr(Line) mailbox = NULL;
    g_autoptr(Line) mem = NULL;
    uint8_t uuid[3][16];
    DwI2c t;

    start(&t, kind);
    sw = kind->open(0);
    mailbox = kind->open(1);
    mem = kind->open(2);
    get_uuid(sw, uuid[0]);
    get_uuid(mailbox, uuid[1]);
    get_uuid(mem, uuid[2]);
    g_assert_cmpmem(uuid[0], 16, uuid[1], 16);
    g_assert_true(memcmp(uuid[0], uuid[2], 16));
    stop(&t, kind);
}

static void device_add(QTestState *qts, const char *props,
                       const char *want_error)
{
    g_autofree char *text = g_strdup_printf(
        "{'driver': 'mctp-serial-cxl', 'id': 'new', %s}", props);
    QDict *rsp = qtest_qmp(qts, "{'execute': 'device_add',"
                           " 'arguments': %p}",
                           qobject_from_json(text, &error_abort));

    if (want_error) {
        const char *desc = qdict_get_str(qdict_get_qdict(rsp, "error"),
                                         "desc");

        g_test_message("%s", desc);
        g_assert_nonnull(strstr(desc, want_error));
        qobject_unref(rsp);
    } else {
        g_assert_true(qdict_haskey(rsp, "return"));
        qobject_unref(rsp);
    }
}

static void device_del(QTestState *qts, const char *id)
{
    qtest_qmp_assert_success(qts, "{'execute': 'device_del',"
                             " 'arguments': {'id': %s}}", id);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
}

/* Gone and back again in the middle of a message, on the same chardev */
static void test_hotplug(void)
{
    static const uint8_t in[100];
    g_autoptr(GByteArray) request = line_cci(LINE_EID(0), PEER_EID, 3, 0x55,
                                             1, in, sizeof(in));
    g_autoptr(Line) l = NULL;
    g_autoptr(Line) mem = NULL;
    DwI2c t;

    start(&t, &line_serial);
    mem = line_open(2);
    l = line_open(0);
    line_quiet(l);
    line_write(l, request->data, request->len / 2);
    device_del(t.qts, "link0");

    /* each is refused, and leaves the chardev free */
    device_add(t.qts, "'target': 'us0'", "chardev");
    device_add(t.qts, "'chardev': 'chr0'", "target");
    device_add(t.qts, "'chardev': 'chr0', 'target': 'ds0'",
               "'target' is 'ds0'");
    device_add(t.qts, "'chardev': 'chr0', 'target': 'us0', 'eid': 7", "eid");
    device_add(t.qts, "'chardev': 'chr2', 'target': 'us0'", "chr2");
    device_add(t.qts, "'chardev': 'chr0', 'target': 'us0', 'eid': 9", NULL);

    /* the peer stayed connected; what it sends now meets a new endpoint */
    line_write(l, request->data + request->len / 2,
               request->len - request->len / 2);
    line_resync(l);
    answer_is(line_command(l, 1, NULL, 0), 0);
    line_quiet(mem);
    device_del(t.qts, "new");
    line_quiet(mem);
    dw_stop(&t);
}

/* A reset loses what is under way and what was assigned, not the line */
static void test_reset(void)
{
    static const uint8_t set_eid[] = {
        1, 0, PEER_EID, 0xc8, 0, 0x80, 1, 0, 0x42,
    };
    static const uint8_t in[100];
    g_autoptr(GByteArray) request = line_cci(LINE_EID(0), PEER_EID, 3, 0x55,
                                             1, in, sizeof(in));
    const unsigned first = 6 + 4 + 64;
    g_autoptr(GByteArray) body = NULL;
    g_autoptr(Line) l = NULL;
    MCTPHeader hdr;
    DwI2c t;

    start(&t, &line_serial);
    l = line_open(0);
    line_send_packet(l, set_eid, sizeof(set_eid));
    body = line_message(l, &hdr);
    g_assert_cmphex(body->data[3], ==, 0);
    l->eid = 0x42;
    line_quiet(l);
    g_byte_array_unref(request);
    request = line_cci(0x42, PEER_EID, 3, 0x55, 1, in, sizeof(in));
    line_write(l, request->data, first);
    line_quiet(l);
    qtest_system_reset(t.qts);
    l->eid = LINE_EID(0);
    line_write(l, request->data + first, request->len - first);
    line_quiet(l);
    answer_is(line_command(l, 1, NULL, 0), 0);
    dw_stop(&t);
}

/*
 * Half a message goes along to a machine whose line has a peer already: it
 * sends the other half there. The assigned EID goes along too.
 */
static void test_migrate(void)
{
    static const uint8_t set_eid[] = {
        1, 0, PEER_EID, 0xc8, 0, 0x80, 1, 0, 0x42,
    };
    static const uint8_t in[100];
    g_autoptr(GByteArray) request = line_cci(0x42, PEER_EID, 3, 0x55, 1, in,
                                             sizeof(in));
    const unsigned first = 6 + 4 + 64;
    g_autofree char *from_line = line_args(0, "us0");
    g_autofree char *from_args = NULL, *to_args = NULL, *uri = NULL;
    g_autoptr(GByteArray) set = NULL;
    g_autoptr(GByteArray) body = NULL;
    g_autoptr(Line) from = NULL;
    g_autoptr(Line) to = NULL;
    QTestState *src, *dst;
    MCTPHeader hdr;
    Answer a;

    /* what is the same on both sides is named the same */
    g_autofree char *same = g_strdup_printf(
        "-chardev socket,id=chr0,path=%s,server=on,wait=off "
        "-device mctp-serial-cxl,id=link0,chardev=chr0,target=us0,eid=%u ",
        line_path(1), LINE_EID(0));

    from_args = g_strconcat(MCTP_MACHINE, from_line, NULL);
    to_args = g_strconcat(MCTP_MACHINE, same, "-incoming defer", NULL);
    src = qtest_init(from_args);
    from = line_open(0);
    line_send_packet(from, set_eid, sizeof(set_eid));
    set = line_message(from, &hdr);
    from->eid = 0x42;
    /* one packet and the half of the next one's frame */
    line_write(from, request->data, first);
    line_quiet(from);
    line_write(from, request->data + first, 8);
    for (int i = 0; i < 100; i++) {
        qtest_readb(src, 0);
    }

    dst = qtest_init(to_args);
    to = line_open(1);
    to->eid = 0x42;
    /* the connection must be seen before the state is loaded */
    for (int i = 0; i < 100; i++) {
        qtest_readb(dst, 0);
    }
    uri = g_strdup_printf("unix:%s", line_path(2));
    qtest_qmp_assert_success(dst, "{'execute': 'migrate-incoming',"
                             " 'arguments': {'uri': %s}}", uri);
    qtest_qmp_assert_success(src, "{'execute': 'migrate',"
                             " 'arguments': {'uri': %s}}", uri);
    qtest_qmp_eventwait(src, "STOP");
    qtest_qmp_eventwait(dst, "RESUME");

    line_write(to, request->data + first + 8, request->len - first - 8);
    body = line_message(to, &hdr);
    a = line_answer(body, 0x55, 1);
    g_assert_cmphex(a.ret_code, ==, 0x16);
    g_assert_cmphex(hdr.src, ==, 0x42);
    answer_clear(&a);
    line_quiet(to);
    qtest_quit(src);
    qtest_quit(dst);
}

/* Without its component a line still is an endpoint, with nothing behind */
static void test_component_unplugged(void)
{
    QTestState *qts;
    CxlDev dev;
    g_autofree char *line = line_args(0, "cxl-mem0");
    g_autofree char *base = cxl_args(CXL_BACKENDS "-device " CXL_DCD_DEVICE
                                     " ");
    g_autofree char *args = g_strconcat(base, line, NULL);
    g_autoptr(GByteArray) request = line_cci(LINE_EID(0), PEER_EID, 3, 0x55,
                                             1, NULL, 0);
    g_autoptr(Line) l = NULL;

    qts = qtest_init(args);
    cxl_probe(qts, 0, &dev);
    l = line_open(0);
    answer_is(line_command(l, 1, NULL, 0), 0);

    cxl_slot_power(qts, 0, true);
    qtest_qmp_assert_success(qts, "{'execute': 'device_del',"
                             " 'arguments': {'id': 'cxl-mem0'}}");
    cxl_slot_power(qts, 0, false);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    line_write(l, request->data, request->len);
    line_quiet(l);
    device_del(qts, "link0");
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    qtest_add_data_func("/mctp-serial/ccis/switch", &line_serial,
                        test_switch_ccis);
    qtest_add_data_func("/mctp-serial/ccis/device", &line_serial,
                        test_device_ccis);
    qtest_add_data_func("/mctp-serial/ccis/uuid", &line_serial, test_uuid);
    qtest_add_data_func("/mctp-usb/ccis/switch", &line_usb, test_switch_ccis);
    qtest_add_data_func("/mctp-usb/ccis/device", &line_usb, test_device_ccis);
    qtest_add_data_func("/mctp-usb/ccis/uuid", &line_usb, test_uuid);
    qtest_add_func("/mctp-serial/life/hotplug", test_hotplug);
    qtest_add_func("/mctp-serial/life/reset", test_reset);
    qtest_add_func("/mctp-serial/life/migrate", test_migrate);
    qtest_add_func("/mctp-serial/life/component-unplugged",
                   test_component_unplugged);
    ret = g_test_run();
    line_cleanup();
    return ret;
}
