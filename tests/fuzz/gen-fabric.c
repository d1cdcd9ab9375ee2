/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in the commands of a Fabric Manager (CXL r3.2 7.6.7), and the ways
 * of commands through mailboxes and tunnels (7.6.7.3.1, 8.2.8.4)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "gen-command.h"

#define OP_TUNNEL 0x5300
#define TUNNEL_HEAD 4
#define MESSAGE_HEAD 12

/* The highest return code that there is a name for */
#define LAST_RC 0x20

static const uint8_t ports[] = { 3, 4, 3, 4, 3, 4, 7, 0, 1, 0xff };

/* Registers of a port or a device that something comes of */
static const uint16_t registers[] = {
    0x00, 0x04, 0x10, 0x18, 0x1c, 0x20, 0x3e, 0x50, 0x90, 0x98, 0xa0, 0xa8,
    0x104, 0x110, 0x200, 0xfff,
};

/* Bits of an AER error that 5203h takes */
static const uint8_t errors[] = { 0, 4, 5, 12, 13, 14, 15, 18, 20, 22, 31 };

unsigned fuzz_host(Fuzz *f)
{
    unsigned n = fuzz_below(f, 3);

    return f->m.has_pool ? n : 0;
}

/* 5604h, 5605h: a length under a tag, or a list of @n extents */
static void put_order(Fuzz *f, const FuzzFn *fn, FuzzCommand *c, bool listed,
                      unsigned n)
{
    uint64_t dpa, len;

    fuzz_extent(f, fn, &dpa, &len);
    command_put(c, 0, 2, fuzz_one_in(f, 30) ? fuzz_odd(f) : fuzz_host(f));
    command_put(c, 4, 8, len);
    memset(c->data + 12, fuzz_below(f, 6), 16);
    c->len = 28;
    if (listed) {
        command_put(c, 28, 4, n);
        c->len = 32 + 40 * n;
    }
    for (unsigned at = 32; at < c->len; at += 40) {
        fuzz_extent(f, fn, &dpa, &len);
        memset(c->data + at, 0, 40);
        command_put(c, at, 8, dpa);
        command_put(c, at + 8, 8, len);
        if (c->opcode == 0x5604) {
            memcpy(c->data + at + 16, c->data + 12, 16);
            command_put(c, at + 32, 2, fuzz_below(f, 3) ? 0 : at / 40 + 1);
        }
    }
}

static void put_add(Fuzz *f, const FuzzFn *fn, FuzzCommand *c)
{
    unsigned policy = fuzz_below(f, 9) ? fuzz_below(f, 4) : fuzz_below(f, 256);
    unsigned n = fuzz_below(f, 10) ? 1 + fuzz_below(f, 3) : fuzz_below(f, 40);

    put_order(f, fn, c, policy == 2, n);
    command_put(c, 2, 1, policy);
    command_put(c, 3, 1, fuzz_below(f, fuzz_one_in(f, 10) ? 9 : 2));
}

static void put_release(Fuzz *f, const FuzzFn *fn, FuzzCommand *c)
{
    unsigned policy = fuzz_below(f, 2), flags = fuzz_below(f, 4) << 4;

    put_order(f, fn, c, policy == 1, 1 + fuzz_below(f, 3));
    command_put(c, 2, 2, policy | flags);
}

static void put_io(Fuzz *f, FuzzCommand *c)
{
    static const uint64_t at[] = { 0, 2 << 20, (2 << 20) + 0x88, 1 << 20 };
    unsigned len = 1 + fuzz_below(f, fuzz_one_in(f, 4) ? 512 : 8);
    bool write = fuzz_one_in(f, 2);
    uint64_t base = 0xc0000000ull + (fuzz_below(f, 10) << 22);
    unsigned offset = fuzz_below(f, 256);

    c->data[0] = FUZZ_PICK(f, ports);
    command_put(c, 1, 3, 0xf << 16 | write << 23);
    command_put(c, 4, 2, fuzz_one_in(f, 9));
    command_put(c, 6, 2, len);
    command_put(c, 8, 8, base + FUZZ_PICK(f, at) + offset);
    c->len = 16 + (write ? len : 0);
}

static void put_register(Fuzz *f, FuzzCommand *c, unsigned at)
{
    unsigned reg = FUZZ_PICK(f, registers), how = fuzz_below(f, 32);

    /* 5103h, 5301h: register, byte enables, write */
    reg += fuzz_below(f, 4);
    command_put(c, at, 3, reg | (how & 15) << 16 | how >> 4 << 23);
}

void fuzz_fm_payload(Fuzz *f, const FuzzFn *fn, FuzzCommand *c)
{
    switch (c->opcode) {
    case 0x5101:
        for (unsigned i = 1; i < c->len; i++) {
            c->data[i] = FUZZ_PICK(f, ports);
        }
        break;
    case 0x5102:
        c->data[0] = FUZZ_PICK(f, ports);
        c->data[1] = fuzz_below(f, 3);
        break;
    case 0x5103:
        c->data[0] = FUZZ_PICK(f, ports);
        put_register(f, c, 1);
        command_put(c, 4, 4, fuzz_odd(f));
        break;
    case 0x5200:
        c->data[0] = fuzz_below(f, 4);
        c->data[1] = fuzz_odd(f);
        break;
    case 0x5201:
        memset(c->data, 0, 6);
        c->data[1] = fuzz_below(f, 3);
        c->data[2] = c->data[1] + 2;
        command_put(c, 4, 2, 0xffff);
        break;
    case 0x5202:
        c->data[0] = 0;
        c->data[1] = fuzz_below(f, 3);
        c->data[2] = fuzz_below(f, 3);
        break;
    case 0x5203:
        memset(c->data, 0, 4);
        c->data[1] = fuzz_below(f, 3);
        command_put(c, 4, 4, 1u << FUZZ_PICK(f, errors));
        break;
    case 0x5300:
        fuzz_command(f, fn, c);
        if (c->opcode != OP_TUNNEL) {
            fuzz_tunnel(c, fn->port);
        }
        break;
    case 0x5301:
        c->data[0] = FUZZ_PICK(f, ports);
        put_register(f, c, 1);
        command_put(c, 4, 4, fuzz_one_in(f, 9));
        command_put(c, 8, 4, fuzz_odd(f));
        break;
    case 0x5302:
        put_io(f, c);
        break;
    case 0x5602:
        memset(c->data, 0, 16);
        c->data[0] = fuzz_below(f, 3);
        command_put(c, 4, 8, fuzz_one_in(f, 4) ? fuzz_odd(f) : FUZZ_BLOCK);
        c->data[12] = fuzz_below(f, 2);
        break;
    case 0x5603:
        command_put(c, 0, 4, fuzz_one_in(f, 9) + fuzz_host(f));
        command_put(c, 4, 4, fuzz_one_in(f, 3) ? fuzz_odd(f) : 40);
        command_put(c, 8, 4, fuzz_one_in(f, 3) ? fuzz_below(f, 9) : 0);
        break;
    case 0x5604:
        put_add(f, fn, c);
        break;
    case 0x5605:
        put_release(f, fn, c);
        break;
    case 0x5606: case 0x5607:
        memset(c->data, fuzz_below(f, 6), 16);
        break;
    }
}

void fuzz_tunnel(FuzzCommand *c, uint8_t port)
{
    unsigned len = MIN(c->len, 2048 - TUNNEL_HEAD - MESSAGE_HEAD);

    memmove(c->data + TUNNEL_HEAD + MESSAGE_HEAD, c->data, len);
    memset(c->data, 0, TUNNEL_HEAD + MESSAGE_HEAD);
    c->data[0] = port;
    command_put(c, 2, 2, MESSAGE_HEAD + len);
    c->data[TUNNEL_HEAD + 1] = 0x5a;
    command_put(c, TUNNEL_HEAD + 3, 2, c->opcode);
    command_put(c, TUNNEL_HEAD + 5, 3, len);
    c->opcode = OP_TUNNEL;
    c->len = TUNNEL_HEAD + MESSAGE_HEAD + len;
}

/* -- mailboxes -- */

static void seen_status(void *opaque, uint64_t value)
{
    unsigned rc = value >> 32 & 0xffff;
    Fuzz *f = opaque;

    if (value != UINT64_MAX && rc > LAST_RC && !f->lies) {
        fuzz_wrong(f, "a mailbox answers %04xh", rc);
    }
}

void fuzz_post_command(Fuzz *f, const FuzzFn *fn, const FuzzCommand *c)
{
    uint64_t at = fuzz_registers(fn);
    QemuLink *l = f->link;

    link_post_bytes(l, at + MAILBOX_PAYLOAD, c->data, c->len);
    link_post(l, "writeq 0x%" PRIx64 " 0x%" PRIx64, at + MAILBOX_COMMAND,
              c->opcode | (uint64_t)c->len << 16);
    link_post(l, "writel 0x%" PRIx64 " 0x%x", at + MAILBOX_CONTROL,
              1 | (c->data[0] & 2));
    link_post_seen(l, seen_status, "readq 0x%" PRIx64, at + MAILBOX_STATUS);
}

void fuzz_gen_mailbox(Fuzz *f)
{
    const FuzzFn *fn = fuzz_pick_kind(f, FUZZ_MEMORY, FUZZ_SWITCH_MAILBOX);
    FuzzCommand c;

    fuzz_command(f, fn, &c);
    if (fuzz_op(f, FUZZ_MAILBOX, "%s %04xh, %u bytes %02x %02x %02x %02x...",
                fn->id, c.opcode, c.len, c.data[0], c.data[1], c.data[2],
                c.data[3])) {
        fuzz_post_command(f, fn, &c);
    }
}

/*
 * Through the switch to a memory device, or through a memory device's
 * FM-owned side to its logical device; both, too
 */
void fuzz_gen_tunnel(Fuzz *f)
{
    const FuzzFn *to = fuzz_pick_kind(f, FUZZ_MEMORY, FUZZ_MEMORY);
    const FuzzFn *by = fuzz_pick_kind(f, FUZZ_SWITCH_MAILBOX, FUZZ_MEMORY);
    bool deep = fuzz_one_in(f, 4), any = fuzz_one_in(f, 16);
    uint8_t port = FUZZ_PICK(f, ports);
    FuzzCommand c;
    uint16_t opcode;

    fuzz_command(f, to, &c);
    opcode = c.opcode;
    if (deep) {
        fuzz_tunnel(&c, 0);
    }
    fuzz_tunnel(&c, any ? port : to->port);
    if (any) {
        c.data[port & 15] ^= 1 << (port & 7);
    }
    if (fuzz_op(f, FUZZ_TUNNEL, "%s to %s %04xh, %u bytes%s%s", by->id, to->id,
                opcode, c.len, deep ? ", deep" : "", any ? ", odd" : "")) {
        fuzz_post_command(f, by, &c);
    }
}
