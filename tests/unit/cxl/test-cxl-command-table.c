/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of all command sets: are they sane, and does the page agree?
 *
 * With --print it writes the page's table instead, with --rows what a program
 * needs to know of a row.  Linked with the tables and their handlers, but not
 * with what handlers call: none runs here.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_cci.h"

#define PAGE        "cxl-commands.rst"
#define BEGIN_MARK  ".. commands: begin (generated)\n"
#define END_MARK    ".. commands: end\n"

/* -- the table -------------------------------------------------------- */

static const CXLCCIKind kinds[] = {
    CXL_CCI_MAILBOX, CXL_CCI_FM, CXL_CCI_LD, CXL_CCI_SWITCH, CXL_CCI_MHD,
};

static void put_length(GString *s, const CXLLenRule *rule)
{
    switch ((CXLLenKind)rule->kind) {
    case CXL_LEN_IS_EXACT:
        g_string_append_printf(s, "%u", rule->min);
        break;
    case CXL_LEN_IS_AT_LEAST:
        g_string_append_printf(s, "%u or more", rule->min);
        break;
    case CXL_LEN_IS_RANGE:
        g_string_append_printf(s, "%u to %u", rule->min, rule->max);
        break;
    case CXL_LEN_IS_LIST:
        g_string_append_printf(s, "%u + %u n", rule->min, rule->record);
        break;
    }
}

static void put_row(GString *s, const CXLCmd *cmd)
{
    const char *comma = "";
    unsigned i;

    g_string_append_printf(s, "   %04Xh, %s, ", cmd->opcode, cmd->name);
    put_length(s, &cmd->len);
    g_string_append_printf(s, ", %04X, \"", cmd->effects);
    for (i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (cmd->where & kinds[i]) {
            g_string_append_printf(s, "%s%s", comma,
                                   cxl_cci_kind_name(kinds[i]));
            comma = ", ";
        }
    }
    g_string_append(s, "\"\n");
}

static char *command_table(void)
{
    GString *s = g_string_new("\n.. csv-table::\n   :header: Opcode, Command, "
                              "Request bytes, Effects, Interfaces\n\n");
    const CXLCmdSet *const *set;
    unsigned i;

    for (set = cxl_cmd_sets; *set; set++) {
        for (i = 0; i < (*set)->nr_cmds; i++) {
            put_row(s, &(*set)->cmds[i]);
        }
    }
    g_string_append_c(s, '\n');
    return g_string_free(s, false);
}

/*
 * For the qtest that sends every command in every length: one row a line, as
 * opcode, CCI kinds, effects, flags, shortest and longest request (of a list:
 * its head), bytes of a record, offset and width of the count of records
 */
static void print_rows(void)
{
    const CXLCmdSet *const *set;
    unsigned i;

    for (set = cxl_cmd_sets; *set; set++) {
        for (i = 0; i < (*set)->nr_cmds; i++) {
            const CXLCmd *cmd = &(*set)->cmds[i];
            const CXLLenRule *len = &cmd->len;
            unsigned max = len->kind == CXL_LEN_IS_RANGE ? len->max :
                           len->kind == CXL_LEN_IS_AT_LEAST ? UINT16_MAX :
                           len->min;

            printf("%x %x %x %x %x %x %x %x %x\n", cmd->opcode, cmd->where,
                   cmd->effects, cmd->flags, len->min, max, len->record,
                   len->count_at, len->count_size);
        }
    }
}

/* -- tests ------------------------------------------------------------ */

static void check_length_rule(const CXLLenRule *rule)
{
    switch ((CXLLenKind)rule->kind) {
    case CXL_LEN_IS_EXACT:
    case CXL_LEN_IS_AT_LEAST:
        return;
    case CXL_LEN_IS_RANGE:
        g_assert_cmpuint(rule->min, <, rule->max);
        return;
    case CXL_LEN_IS_LIST:
        g_assert(rule->count_size == 1 || rule->count_size == 2 ||
                 rule->count_size == 4);
        /* the count is read before anything else is known of the request */
        g_assert_cmpuint(rule->count_at + rule->count_size, <=, rule->min);
        g_assert_cmpuint(rule->record, >, 0);
        return;
    }
    g_assert_not_reached();
}

static void test_rows_are_sane(void)
{
    const CXLCmdSet *const *set;
    uint32_t last = 0;
    unsigned i;

    for (set = cxl_cmd_sets; *set; set++) {
        g_assert_cmpuint((*set)->nr_cmds, >, 0);
        for (i = 0; i < (*set)->nr_cmds; i++) {
            const CXLCmd *cmd = &(*set)->cmds[i];

            /* ascending over all sets, so no opcode has two rows */
            g_assert_cmphex(cmd->opcode, >, last);
            last = cmd->opcode;
            g_assert_cmphex(cmd->opcode >> 8, ==,
                            (*set)->cmds[0].opcode >> 8);
            g_assert_nonnull(cmd->handler);
            g_assert_cmpuint(strlen(cmd->name), >, 0);
            g_assert_cmphex(cmd->where, !=, 0);
            check_length_rule(&cmd->len);
            if (cmd->flags & CXL_CMD_BG) {
                g_assert_true(cmd->effects & CXL_EFF_BACKGROUND);
            }
            if (cmd->effects & (CXL_EFF_CONFIG_CONV_RESET |
                                CXL_EFF_CONFIG_CXL_RESET)) {
                g_assert_true(cmd->effects & CXL_EFF_RESET_BITS_VALID);
            }
            g_assert_cmphex(cmd->effects >> 12, ==, 0);
        }
    }
}

/* This file may be a link into another tree; the page is where it leads to */
static char *find_page(void)
{
    g_autofree char *here = g_test_build_filename(G_TEST_DIST, "cxl",
                                                  "test-cxl-command-table.c",
                                                  NULL);
    g_autofree char *real = realpath(here, NULL);
    g_autofree char *dir = real ? g_path_get_dirname(real) : NULL;

    return dir ? g_build_filename(dir, "..", "..", "..", "docs", "system",
                                  "devices", PAGE, NULL) : NULL;
}

/* Rows of @here that @there lacks, for a reader: the table has 20 KB */
static unsigned show_missing(const char *what, const char *here,
                             const char *there)
{
    g_auto(GStrv) rows = g_strsplit(here, "\n", -1);
    g_auto(GStrv) others = g_strsplit(there, "\n", -1);
    unsigned i, n = 0;

    for (i = 0; rows[i]; i++) {
        if (!g_strv_contains((const char *const *)others, rows[i])) {
            g_test_message("%s: %s", what, rows[i]);
            n++;
        }
    }
    return n;
}

static void test_page_has_the_table(void)
{
    g_autofree char *path = find_page();
    g_autofree char *text = NULL;
    g_autofree char *table = command_table();
    char *begin, *end;

    if (!path || !g_file_get_contents(path, &text, NULL, NULL)) {
        g_test_skip("no " PAGE " above this test");
        return;
    }
    begin = strstr(text, BEGIN_MARK);
    g_assert_nonnull(begin);
    begin += strlen(BEGIN_MARK);
    end = strstr(begin, END_MARK);
    g_assert_nonnull(end);
    *end = 0;
    if (strcmp(begin, table)) {
        if (show_missing("only in the code", table, begin) +
            show_missing("only in " PAGE, begin, table) == 0) {
            g_test_message("the rows have another order");
        }
        g_test_message("renew " PAGE ": scripts/update-commands.py");
        g_test_fail();
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--print")) {
        g_autofree char *table = command_table();

        fputs(table, stdout);
        return 0;
    }
    if (argc == 2 && !strcmp(argv[1], "--rows")) {
        print_rows();
        return 0;
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cxl/command-table/rows", test_rows_are_sane);
    g_test_add_func("/cxl/command-table/page", test_page_has_the_table);
    return g_test_run();
}
