/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers of the DesignWare I2C register tests: a machine with the controller
 * and I2C devices, and the access sequences that the Linux driver uses.
 */
#ifndef TESTS_QTEST_I2C_DW_I2C_UTIL_H
#define TESTS_QTEST_I2C_DW_I2C_UTIL_H

#include "tests/qtest/libqtest.h"
#include "tests/qtest/libqos/pci.h"
#include "tests/qtest/libqos/pci-pc.h"

#define R_CON 0x00
#define R_TAR 0x04
#define R_SAR 0x08
#define R_DATA_CMD 0x10
#define R_INTR_STAT 0x2c
#define R_INTR_MASK 0x30
#define R_RAW_INTR_STAT 0x34
#define R_RX_TL 0x38
#define R_TX_TL 0x3c
#define R_CLR_INTR 0x40
#define R_CLR_RX_UNDER 0x44
#define R_CLR_TX_ABRT 0x54
#define R_CLR_STOP_DET 0x60
#define R_ENABLE 0x6c
#define R_STATUS 0x70
#define R_TXFLR 0x74
#define R_RXFLR 0x78
#define R_SDA_HOLD 0x7c
#define R_TX_ABRT_SOURCE 0x80
#define R_ENABLE_STATUS 0x9c
#define R_COMP_PARAM_1 0xf4
#define R_COMP_VERSION 0xf8
#define R_COMP_TYPE 0xfc

#define I_RX_UNDER 0x001
#define I_RX_OVER 0x002
#define I_RX_FULL 0x004
#define I_TX_OVER 0x008
#define I_TX_EMPTY 0x010
#define I_TX_ABRT 0x040
#define I_STOP_DET 0x200
#define I_ON_HOLD 0x2000

#define ST_ACTIVITY 0x01
#define ST_TX_NOT_FULL 0x02
#define ST_TX_EMPTY 0x04
#define ST_RX_NOT_EMPTY 0x08
#define ST_RX_FULL 0x10
#define ST_MASTER 0x20
#define ST_TARGET 0x40
#define ST_HOLD 0x80
#define ST_IDLE (ST_TX_NOT_FULL | ST_TX_EMPTY)

#define CMD_READ 0x100
#define CMD_STOP 0x200
#define CMD_RESTART 0x400
#define FIRST_BYTE 0x800

#define CON_LINUX_MASTER 0x65
#define CON_LINUX_TARGET 0x2a0
#define CON_TARGET_DISABLE 0x40
#define MASK_LINUX_MASTER 0x254
#define MASK_LINUX_TARGET 0x265

#define OWN 0x10
#define EEPROM 0x50
#define ECHO 0x30
#define ABSENT 0x2f

#define SETTLE_NS 40000
#define SETTLE_DOUBLINGS 7
#define HOLDOFF_NS 100000000
#define BUSY_NS 10000000
/* Shortest sleep of Linux between two polls of STATUS */
#define POLL_NS 251000

typedef struct DwI2c {
    QTestState *qts;
    QPCIBus *pci;
    QPCIDevice *dev;
    QPCIBar bar;
} DwI2c;

/* The devices that the tests address; the controller is named @id. */
#define DW_I2C_DEVICES(id) \
    "-device dw-i2c-pci,id=" id ",addr=05.0 " \
    "-device at24c-eeprom,bus=" id ".0,address=0x50,rom-size=256 " \
    "-device i2c-echo,bus=" id ".0,address=0x30 "

/* A q35 machine with DW_I2C_DEVICES and the further arguments @extra. */
void dw_start(DwI2c *t, const char *extra);
/* As dw_start() with a whole command line. */
void dw_start_args(DwI2c *t, const char *args);
/* Map the BAR, as after a reset. */
void dw_map(DwI2c *t);
void dw_stop(DwI2c *t);
/* Save the machine to a file: to unlink() and g_free(). */
char *dw_save(DwI2c *t);
/* Both halves of dw_load(): a machine that waits, the file into it. */
void dw_start_incoming(DwI2c *t, const char *args);
bool dw_load_incoming(DwI2c *t, const char *path, QPCIBar bar);
/*
 * Load a file into a new machine, where the BAR is as it was; false: the
 * machine did not take it.
 */
bool dw_load(DwI2c *t, const char *args, const char *path, QPCIBar bar);
/* Both: the machine goes on in a new one, @args is the command line of both. */
void dw_migrate(DwI2c *t, const char *args);
/*
 * Enter a test that gets a machine of its own, which @start starts; %NULL:
 * dw_start() without more arguments.
 */
void dw_add_test(const char *path, void (*run)(DwI2c *t),
                 void (*start)(DwI2c *t));

uint32_t dw_rd(DwI2c *t, unsigned offset);
void dw_wr(DwI2c *t, unsigned offset, uint32_t value);
/* Level of the function's INTx output. */
bool dw_line(DwI2c *t);
/*
 * Let bottom halves of the machine run.  Each command passes the main loop
 * once, and a chain of bottom halves is shorter than the number of commands.
 */
void dw_pump(DwI2c *t);

void dw_disable(DwI2c *t);
void dw_master_mode(DwI2c *t, uint32_t con, uint8_t address);
void dw_target_mode(DwI2c *t, uint8_t own);
/* Let the settle time after dw_target_mode() pass. */
void dw_settle(DwI2c *t);
/* Both: the driver is bound, what others write to OWN is presented. */
void dw_listen(DwI2c *t);
/* A complete write as master, asserts that it succeeded. */
void dw_write_bytes(DwI2c *t, uint8_t address, const uint8_t *buf, size_t len);
/*
 * Have i2c-echo write the bytes @a @b to address @to. The controller is
 * disabled in master mode when the packet arrives.
 */
void dw_echo(DwI2c *t, uint8_t to, uint8_t a, uint8_t b);
/* The same to OWN, and the driver listens: the packet is presented. */
void dw_present(DwI2c *t, uint8_t a, uint8_t b);
/* The same, and it is taken. */
void dw_deliver(DwI2c *t, uint8_t a, uint8_t b);
/* The same, but none is presented, as this one was refused. */
void dw_refuse(DwI2c *t, uint8_t a, uint8_t b);
/* Take one presented packet of two bytes the way the Linux handler does. */
void dw_take(DwI2c *t, uint8_t a, uint8_t b);
/* Nothing is presented and the line is low; no STATUS access. */
void dw_assert_quiet(DwI2c *t);

#endif
