/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers of the DesignWare I2C register tests.
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "dw-i2c-util.h"
#include "hw/pci/pci_regs.h"

#define SLOT 5

void dw_map(DwI2c *t)
{
    uint64_t size;

    if (t->pci) {
        g_free(t->dev);
        qpci_free_pc(t->pci);
    }
    t->pci = qpci_new_pc(t->qts, NULL);
    t->dev = qpci_device_find(t->pci, QPCI_DEVFN(SLOT, 0));
    g_assert_nonnull(t->dev);
    qpci_device_enable(t->dev);
    t->bar = qpci_iomap(t->dev, 0, &size);
    g_assert_cmphex(size, ==, 0x1000);
}

void dw_start_args(DwI2c *t, const char *args)
{
    memset(t, 0, sizeof(*t));
    t->qts = qtest_init(args);
    dw_map(t);
}

void dw_start(DwI2c *t, const char *extra)
{
    g_autofree char *args = g_strdup_printf("-M q35 -nodefaults "
                                            DW_I2C_DEVICES("dw") "%s",
                                            extra ? extra : "");

    dw_start_args(t, args);
}

void dw_stop(DwI2c *t)
{
    g_free(t->dev);
    if (t->pci) {
        qpci_free_pc(t->pci);
    }
    qtest_quit(t->qts);
    memset(t, 0, sizeof(*t));
}

/* Returns whether it has completed. */
static bool wait_for_migration(QTestState *qts)
{
    for (;;) {
        QDict *rsp = qtest_qmp(qts, "{'execute': 'query-migrate'}");
        g_autofree char *status = g_strdup(qdict_get_try_str(
            qdict_get_qdict(rsp, "return"), "status") ?: "none");

        qobject_unref(rsp);
        if (g_str_equal(status, "completed")) {
            return true;
        }
        if (g_str_equal(status, "failed")) {
            return false;
        }
        g_usleep(1000);
    }
}

char *dw_save(DwI2c *t)
{
    g_autofree char *uri = NULL;
    char *path;
    int fd = g_file_open_tmp("dw-i2c-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    uri = g_strdup_printf("file:%s", path);
    qtest_qmp_assert_success(t->qts, "{'execute': 'migrate',"
                             " 'arguments': {'uri': %s}}", uri);
    g_assert_true(wait_for_migration(t->qts));
    return path;
}

void dw_start_incoming(DwI2c *t, const char *args)
{
    g_autofree char *incoming = g_strdup_printf("%s -incoming defer", args);

    memset(t, 0, sizeof(*t));
    t->qts = qtest_init(incoming);
}

bool dw_load_incoming(DwI2c *t, const char *path, QPCIBar bar)
{
    g_autofree char *uri = g_strdup_printf("file:%s", path);

    qtest_qmp_assert_success(t->qts, "{'execute': 'migrate-incoming',"
                             " 'arguments': {'uri': %s,"
                             " 'exit-on-error': false}}", uri);
    if (!wait_for_migration(t->qts)) {
        return false;
    }
    qtest_qmp_eventwait(t->qts, "RESUME");
    t->pci = qpci_new_pc(t->qts, NULL);
    t->dev = qpci_device_find(t->pci, QPCI_DEVFN(SLOT, 0));
    g_assert_nonnull(t->dev);
    t->bar = bar;
    return true;
}

bool dw_load(DwI2c *t, const char *args, const char *path, QPCIBar bar)
{
    dw_start_incoming(t, args);
    return dw_load_incoming(t, path, bar);
}

void dw_migrate(DwI2c *t, const char *args)
{
    g_autofree char *path = dw_save(t);
    QPCIBar bar = t->bar;

    dw_stop(t);
    g_assert_true(dw_load(t, args, path, bar));
    unlink(path);
}

typedef struct DwTest {
    void (*run)(DwI2c *t);
    void (*start)(DwI2c *t);
} DwTest;

static void dw_test_run(const void *data)
{
    const DwTest *test = data;
    DwI2c t;

    if (test->start) {
        test->start(&t);
    } else {
        dw_start(&t, NULL);
    }
    test->run(&t);
    dw_stop(&t);
}

void dw_add_test(const char *path, void (*run)(DwI2c *t),
                 void (*start)(DwI2c *t))
{
    DwTest *test = g_new(DwTest, 1);

    *test = (DwTest) { run, start };
    qtest_add_data_func_full(path, test, dw_test_run, g_free);
}

uint32_t dw_rd(DwI2c *t, unsigned offset)
{
    return qpci_io_readl(t->dev, t->bar, offset);
}

void dw_wr(DwI2c *t, unsigned offset, uint32_t value)
{
    qpci_io_writel(t->dev, t->bar, offset, value);
}

bool dw_line(DwI2c *t)
{
    return qpci_config_readw(t->dev, PCI_STATUS) & PCI_STATUS_INTERRUPT;
}

void dw_pump(DwI2c *t)
{
    int i;

    for (i = 0; i < 32; i++) {
        g_assert_cmphex(dw_rd(t, R_COMP_TYPE), ==, 0x44570140);
    }
}

void dw_disable(DwI2c *t)
{
    dw_rd(t, R_RAW_INTR_STAT);
    dw_rd(t, R_STATUS);
    dw_rd(t, R_ENABLE);
    dw_wr(t, R_ENABLE, 0);
    g_assert_cmphex(dw_rd(t, R_ENABLE_STATUS), ==, 0);
}

void dw_master_mode(DwI2c *t, uint32_t con, uint8_t address)
{
    dw_disable(t);
    dw_wr(t, R_TX_TL, 0x80);
    dw_wr(t, R_RX_TL, 0);
    dw_wr(t, R_CON, con);
    dw_wr(t, R_TAR, address);
    dw_wr(t, R_INTR_MASK, 0);
    dw_wr(t, R_ENABLE, 1);
    g_assert_cmphex(dw_rd(t, R_ENABLE_STATUS), ==, 1);
    dw_rd(t, R_CLR_INTR);
    dw_wr(t, R_INTR_MASK, MASK_LINUX_MASTER);
}

void dw_target_mode(DwI2c *t, uint8_t own)
{
    dw_wr(t, R_ENABLE, 0);
    dw_wr(t, R_TX_TL, 0);
    dw_wr(t, R_RX_TL, 0);
    dw_wr(t, R_CON, CON_LINUX_TARGET);
    dw_wr(t, R_SAR, own);
    dw_wr(t, R_INTR_MASK, MASK_LINUX_TARGET);
    dw_wr(t, R_ENABLE, 1);
}

void dw_settle(DwI2c *t)
{
    qtest_clock_step(t->qts, SETTLE_NS);
}

void dw_listen(DwI2c *t)
{
    dw_target_mode(t, OWN);
    dw_settle(t);
}

void dw_write_bytes(DwI2c *t, uint8_t address, const uint8_t *buf, size_t len)
{
    size_t i;

    dw_master_mode(t, CON_LINUX_MASTER, address);
    for (i = 0; i < len; i++) {
        dw_wr(t, R_DATA_CMD, buf[i] | (i == len - 1 ? CMD_STOP : 0));
    }
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET | I_TX_EMPTY);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);
}

void dw_echo(DwI2c *t, uint8_t to, uint8_t a, uint8_t b)
{
    uint8_t bytes[3] = { to, a, b };

    dw_write_bytes(t, ECHO, bytes, sizeof(bytes));
    dw_disable(t);
    dw_pump(t);
}

void dw_assert_quiet(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, 0);
    g_assert_cmphex(dw_rd(t, R_RXFLR), ==, 0);
    g_assert_false(dw_line(t));
}

/* What both runs of the handler do before they look at the bits. */
static uint32_t snapshot(DwI2c *t)
{
    g_assert_true(dw_line(t));
    g_assert_cmphex(dw_rd(t, R_ENABLE), ==, 1);
    dw_rd(t, R_RAW_INTR_STAT);
    dw_rd(t, R_STATUS);
    return dw_rd(t, R_INTR_STAT);
}

void dw_take(DwI2c *t, uint8_t a, uint8_t b)
{
    g_assert_cmphex(snapshot(t), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, a | FIRST_BYTE);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==,
                    ST_IDLE | ST_RX_NOT_EMPTY | ST_ACTIVITY | ST_TARGET);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, b);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE | ST_ACTIVITY | ST_TARGET);

    g_assert_cmphex(snapshot(t), ==, I_STOP_DET);
    dw_rd(t, R_CLR_STOP_DET);
}

void dw_present(DwI2c *t, uint8_t a, uint8_t b)
{
    dw_echo(t, OWN, a, b);
    dw_listen(t);
}

void dw_deliver(DwI2c *t, uint8_t a, uint8_t b)
{
    dw_present(t, a, b);
    dw_take(t, a, b);
}

void dw_refuse(DwI2c *t, uint8_t a, uint8_t b)
{
    dw_present(t, a, b);
    dw_assert_quiet(t);
}
