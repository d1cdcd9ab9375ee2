/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processors that do what a test tells them, see cxl-qtest-cpu.h
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "cxl-qtest-cpu.h"

/* Where things are in RAM beside the mailboxes, as low as these */
#define GDTR 0x600
#define GDT 0x610
#define PROGRAM 0x8000
#define STARTUP 0x9000          /* of the second processor, vector 9 */
#define PML4 0x10000
#define PDPT 0x11000
#define ROM_SIZE (64 * KiB)

/* From real mode to the program, with pages of 1 GiB over all addresses */
static const uint8_t startup[] = {
    0xfa,                                       /* cli */
    0x31, 0xc0, 0x8e, 0xd8,                     /* ds = 0 */
    0x66, 0x0f, 0x01, 0x16, 0x00, 0x06,         /* lgdtl GDTR */
    0x66, 0xb8, 0x20, 0x00, 0x00, 0x00,         /* cr4 = PAE */
    0x0f, 0x22, 0xe0,
    0x66, 0xb8, 0x00, 0x00, 0x01, 0x00,         /* cr3 = PML4 */
    0x0f, 0x22, 0xd8,
    0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0,         /* efer = LME */
    0x66, 0x31, 0xd2,
    0x66, 0xb8, 0x00, 0x01, 0x00, 0x00,
    0x0f, 0x30,
    0x66, 0xb8, 0x01, 0x00, 0x00, 0x80,         /* cr0 = PG, PE */
    0x0f, 0x22, 0xc0,
    0x66, 0xea, 0x00, 0x80, 0x00, 0x00, 0x08, 0x00 /* ljmpl 8:PROGRAM */
};

static const uint8_t program[] = {
    0xb8, 0x01, 0x00, 0x00, 0x00, 0x0f, 0xa2,   /* APIC ID: which one am I? */
    0xc1, 0xeb, 0x18, 0xc1, 0xe3, 0x08,
    0x8d, 0xbb, 0x00, 0x70, 0x00, 0x00,         /* edi = my mailbox */
    0x8d, 0xa3, 0x00, 0x71, 0x00, 0x00,         /* esp = its end */
    0x85, 0xdb, 0x75, 0x16,                     /* the first one */
    0xb8, 0xf0, 0x00, 0xe0, 0xfe,               /* switches its APIC on */
    0xc7, 0x00, 0xff, 0x01, 0x00, 0x00,
    0xb8, 0x00, 0x03, 0xe0, 0xfe,               /* and starts all others */
    0xc7, 0x00, 0x09, 0x46, 0x0c, 0x00,
    /* loop: */
    0x48, 0x8b, 0x77, 0x20, 0x48, 0x8b, 0x1e,   /* load from [IDLE] */
    0x48, 0x8b, 0x2f, 0x48, 0x39, 0x6f, 0x08,   /* TOLD == DONE? */
    0x74, 0xf0,                                 /* je loop */
    0x48, 0x8b, 0x4f, 0x10, 0x48, 0x8b, 0x47, 0x18, /* ADDR, VALUE */
    0x80, 0x7f, 0x28, 0x01, 0x72, 0x06, 0x74, 0x09, /* WHAT */
    0xff, 0xd1, 0xeb, 0x08,                     /* call *ADDR */
    0x48, 0x8b, 0x01, 0xeb, 0x03,               /* or load */
    0x48, 0x89, 0x01,                           /* or store */
    0x48, 0x89, 0x47, 0x18,                     /* VALUE */
    0x48, 0x89, 0x6f, 0x08, 0xeb, 0xca,         /* DONE; jmp loop */
};

char *cpu_rom(void)
{
    static const uint8_t jump[] = { 0xe9, 0x0d, 0x00 };
    g_autofree uint8_t *rom = g_malloc0(ROM_SIZE);
    char *path;
    int fd = g_file_open_tmp("cxl-rom-XXXXXX", &path, NULL);

    /* The reset vector is 16 bytes from the end, so the rest is before it */
    g_assert_cmpint(fd, >=, 0);
    memcpy(rom + ROM_SIZE - 16, jump, sizeof(jump));
    memcpy(rom, startup, sizeof(startup));
    g_assert_cmpint(write(fd, rom, ROM_SIZE), ==, ROM_SIZE);
    close(fd);
    return path;
}

void cpu_start(QTestState *qts, unsigned n)
{
    qtest_writew(qts, GDTR, 16 - 1);
    qtest_writel(qts, GDTR + 2, GDT);
    qtest_writeq(qts, GDT, 0);
    qtest_writeq(qts, GDT + 8, 0x00209a0000000000ull);  /* 64-bit code */
    qtest_writeq(qts, PML4, PDPT | 3);
    for (unsigned i = 0; i < 512; i++) {
        qtest_writeq(qts, PDPT + 8 * i, i * GiB | 0x83);
    }
    qtest_memwrite(qts, PROGRAM, program, sizeof(program));
    qtest_memwrite(qts, STARTUP, startup, sizeof(startup));
    for (unsigned cpu = 0; cpu < n; cpu++) {
        qtest_memset(qts, MAILBOX(cpu), 0, 0x100);
        qtest_writeq(qts, MAILBOX(cpu) + IDLE, MAILBOX(cpu));
    }
    qtest_qmp_assert_success(qts, "{'execute': 'cont'}");
}

void cpu_tell(QTestState *qts, unsigned cpu, int what, uint64_t addr,
              uint64_t value)
{
    uint64_t box = MAILBOX(cpu);

    qtest_writeq(qts, box + WHAT, what);
    qtest_writeq(qts, box + ADDR, addr);
    qtest_writeq(qts, box + VALUE, value);
    qtest_writeq(qts, box + TOLD, qtest_readq(qts, box + TOLD) + 1);
}

uint64_t cpu_wait(QTestState *qts, unsigned cpu)
{
    uint64_t box = MAILBOX(cpu);

    while (qtest_readq(qts, box + DONE) != qtest_readq(qts, box + TOLD)) {
        g_usleep(50);
    }
    return qtest_readq(qts, box + VALUE);
}
