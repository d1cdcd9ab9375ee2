/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mailboxes of a memory device and of a switch, the same components over
 * MCTP, and a logical device behind a tunnel (CXL r3.2 8.2.8.4, 7.6.3, 7.6.7.3)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cxl-log-uuids.h"
#include "robust-ccis.h"
#include "robust-rows.h"

#define EP_SWITCH   0x20
#define EP_DEVICE   0x21
#define EP_POOL     0x22
#define EID_SWITCH  9
#define EID_DEVICE  10
#define EID_POOL    11

#define MACHINE MCTP_MACHINE \
    "-device cxl-downstream,id=ds0,bus=us0,port=0,chassis=0,slot=4 " \
    "-object memory-backend-file,id=vm1,size=256M,share=on,mem-path=/tmp " \
    "-device cxl-type3,id=mem1,bus=ds0,volatile-memdev=vm1 " \
    "-device cxl-switch-mailbox-cci,id=sw0,bus=pcie.0,addr=06.0,target=us0 " \
    "-object memory-backend-file,id=vm0,size=256M,share=on,mem-path=/tmp " \
    "-object memory-backend-file,id=pm0,size=256M,share=on,mem-path=/tmp " \
    "-object memory-backend-file,id=lsa0,size=64K,share=on,mem-path=/tmp " \
    "-object memory-backend-file,id=dc0,size=512M,share=on,mem-path=/tmp " \
    "-device cxl-type3,id=mem0,bus=pcie.0,addr=07.0,volatile-memdev=vm0," \
    "persistent-memdev=pm0,lsa=lsa0,volatile-dc-memdev=dc0," \
    "num-dc-regions=2,sn=0x99 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x20,target=us0 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x21,target=mem0 " \
    "-object memory-backend-file,id=medium,size=512M,share=on,mem-path=/tmp " \
    "-object cxl-pool,id=pool0,memdev=medium,heads=2,num-dc-regions=2 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x22,target=pool0 "

#define OP_TUNNEL       0x5300
#define TUNNEL_HEAD     4
#define MSG_HEAD        12

/* The last code of Table 8-50 that there is a name for */
#define LAST_RC         0x20

static const uint8_t cel_uuid[] = CXL_LOG_UUID_EFFECTS;

static void find_all(RobustMachine *m)
{
    mctp_listen(&m->i2c);
    mctp_assign(&m->i2c, EP_SWITCH, EID_SWITCH);
    mctp_assign(&m->i2c, EP_DEVICE, EID_DEVICE);
    mctp_assign(&m->i2c, EP_POOL, EID_POOL);
    m->sw = mailbox_open(&m->i2c, QPCI_DEVFN(6, 0), 0);
    m->device = mailbox_open(&m->i2c, QPCI_DEVFN(7, 0), 2);
}

void robust_start(RobustMachine *m)
{
    robust_start_args(m, "");
}

void robust_start_args(RobustMachine *m, const char *more)
{
    g_autofree char *args = g_strconcat(MACHINE, more, NULL);

    memset(m, 0, sizeof(*m));
    dw_start_args(&m->i2c, args);
    find_all(m);
}

void robust_reset(RobustMachine *m)
{
    mailbox_close(&m->device);
    mailbox_close(&m->sw);
    qtest_system_reset(m->i2c.qts);
    dw_map(&m->i2c);
    find_all(m);
}

void robust_stop(RobustMachine *m)
{
    mailbox_close(&m->device);
    mailbox_close(&m->sw);
    dw_stop(&m->i2c);
}

static Answer run_device_mailbox(RobustMachine *m, uint16_t opcode,
                                 const void *in, size_t len)
{
    return mailbox_command(&m->device, opcode, in, len);
}

static Answer run_switch_mailbox(RobustMachine *m, uint16_t opcode,
                                 const void *in, size_t len)
{
    return mailbox_command(&m->sw, opcode, in, len);
}

static Answer run_device_mctp(RobustMachine *m, uint16_t opcode,
                              const void *in, size_t len)
{
    return mctp_command(&m->i2c, EP_DEVICE, EID_DEVICE, opcode, in, len);
}

static Answer run_switch_mctp(RobustMachine *m, uint16_t opcode,
                              const void *in, size_t len)
{
    return mctp_command(&m->i2c, EP_SWITCH, EID_SWITCH, opcode, in, len);
}

static Answer run_pool_mctp(RobustMachine *m, uint16_t opcode, const void *in,
                            size_t len)
{
    return mctp_command(&m->i2c, EP_POOL, EID_POOL, opcode, in, len);
}

/* The logical device 0 of the memory device, through its FM-owned side */
static Answer run_tunnel(RobustMachine *m, uint16_t opcode, const void *in,
                         size_t len)
{
    g_autofree uint8_t *msg = g_malloc0(TUNNEL_HEAD + MSG_HEAD + len);
    Answer a;

    stw_le_p(msg + 2, MSG_HEAD + len);
    msg[TUNNEL_HEAD + 1] = 0x5a;
    stw_le_p(msg + TUNNEL_HEAD + 3, opcode);
    stl_le_p(msg + TUNNEL_HEAD + 5, len);
    if (len) {
        memcpy(msg + TUNNEL_HEAD + MSG_HEAD, in, len);
    }
    a = run_device_mctp(m, OP_TUNNEL, msg, TUNNEL_HEAD + MSG_HEAD + len);
    if (a.ret_code) {
        return a;
    }
    g_assert_cmpuint(a.payload->len, >=, TUNNEL_HEAD + MSG_HEAD);
    g_assert_cmpuint(lduw_le_p(a.payload->data), ==,
                     a.payload->len - TUNNEL_HEAD);
    g_assert_cmphex(a.payload->data[TUNNEL_HEAD], ==, 1);
    g_assert_cmphex(a.payload->data[TUNNEL_HEAD + 1], ==, 0x5a);
    g_assert_cmphex(lduw_le_p(a.payload->data + TUNNEL_HEAD + 3), ==, opcode);
    a.ret_code = lduw_le_p(a.payload->data + TUNNEL_HEAD + 8);
    g_byte_array_remove_range(a.payload, 0, TUNNEL_HEAD + MSG_HEAD);
    return a;
}

const RobustCCI robust_ccis[] = {
    { "device-mailbox", KIND_MAILBOX, 0x4000, 0x45, false,
      run_device_mailbox },
    { "switch-mailbox", KIND_SWITCH, 0x0001, 0x12, false,
      run_switch_mailbox },
    { "device-mctp", KIND_FM, 0x0001, 0x12, true, run_device_mctp },
    { "switch-mctp", KIND_SWITCH, 0x0001, 0x12, true, run_switch_mctp },
    { "tunnel", KIND_LD, 0x0001, 0x12, true, run_tunnel },
    { "pool-mctp", KIND_MHD, 0x0001, 0x12, true, run_pool_mctp },
};
const unsigned robust_nr_ccis = ARRAY_SIZE(robust_ccis);

Answer robust_run(RobustMachine *m, const RobustCCI *cci, uint16_t opcode,
                  const void *in, size_t len)
{
    Answer a = cci->run(m, opcode, in, len);

    g_assert_cmphex(a.ret_code, <=, LAST_RC);
    if (a.ret_code) {
        g_assert_cmpuint(a.payload->len, ==, 0);
    }
    return a;
}

uint16_t robust_rc(RobustMachine *m, const RobustCCI *cci, uint16_t opcode,
                   const void *in, size_t len)
{
    Answer a = robust_run(m, cci, opcode, in, len);

    answer_clear(&a);
    return a.ret_code;
}

bool robust_is_there(RobustMachine *m, const RobustCCI *cci)
{
    g_autoptr(GArray) cel = NULL;

    if (cci->run != run_tunnel) {
        return true;
    }
    cel = robust_cel(m, &robust_ccis[2]);
    return robust_cel_has(cel, OP_TUNNEL);
}

unsigned robust_room(RobustMachine *m, const RobustCCI *cci)
{
    Answer a = robust_run(m, cci, 0x0001, NULL, 0);
    unsigned room;

    g_assert_cmphex(a.ret_code, ==, 0);
    room = 1u << a.payload->data[16];
    answer_clear(&a);
    return room;
}

static unsigned cel_size(RobustMachine *m, const RobustCCI *cci)
{
    Answer a = robust_run(m, cci, 0x0400, NULL, 0);
    unsigned i, size = 0;

    g_assert_cmphex(a.ret_code, ==, 0);
    for (i = 8; i + 20 <= a.payload->len; i += 20) {
        if (!memcmp(a.payload->data + i, cel_uuid, sizeof(cel_uuid))) {
            size = ldl_le_p(a.payload->data + i + 16);
        }
    }
    answer_clear(&a);
    g_assert_cmpuint(size, >=, 4);
    return size;
}

GArray *robust_cel(RobustMachine *m, const RobustCCI *cci)
{
    GArray *cel = g_array_new(false, false, sizeof(uint16_t));
    uint8_t in[24] = { 0 };
    unsigned i;
    Answer a;

    memcpy(in, cel_uuid, sizeof(cel_uuid));
    stl_le_p(in + 20, cel_size(m, cci));
    a = robust_run(m, cci, 0x0401, in, sizeof(in));
    g_assert_cmphex(a.ret_code, ==, 0);
    for (i = 0; i + 4 <= a.payload->len; i += 4) {
        uint16_t opcode = lduw_le_p(a.payload->data + i);

        g_array_append_val(cel, opcode);
    }
    answer_clear(&a);
    return cel;
}

bool robust_cel_has(const GArray *cel, unsigned opcode)
{
    unsigned i;

    for (i = 0; i < cel->len; i++) {
        if (g_array_index(cel, uint16_t, i) == opcode) {
            return true;
        }
    }
    return false;
}

bool robust_bg_runs(RobustMachine *m, const RobustCCI *cci)
{
    Answer a = robust_run(m, cci, 0x0002, NULL, 0);
    bool runs;

    g_assert_cmphex(a.ret_code, ==, 0);
    runs = a.payload->data[0] & 1;
    answer_clear(&a);
    return runs;
}
