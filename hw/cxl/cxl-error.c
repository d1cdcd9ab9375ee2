/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error messages of the CXL layer: texts that a user gave.
 * Reference: none, this is QEMU's own.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_error.h"

/* Not the first byte of a character of UTF-8 */
static bool echo_error_in_character(char byte)
{
    return (byte & 0xc0) == 0x80;
}

char *cxl_echo(const char *text)
{
    const size_t part = (CXL_ECHO_MAX - strlen("...")) / 2;
    size_t len = strlen(text), head = part;
    const char *tail;

    if (len <= CXL_ECHO_MAX) {
        return g_strdup(text);
    }
    tail = text + len - part;
    while (head && echo_error_in_character(text[head])) {
        head--;
    }
    while (echo_error_in_character(*tail)) {
        tail++;
    }
    return g_strdup_printf("%.*s...%s", (int)head, text, tail);
}
