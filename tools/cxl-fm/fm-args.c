/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of a command line: sizes, tags, extents, connections
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fm-args.h"

/* What an endpoint surely takes: the FM's CCI of QEMU's devices */
#define MCTP_PAYLOAD 1024

static int digit_of(char c)
{
    if (isdigit((unsigned char)c)) {
        return c - '0';
    }
    return isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : 99;
}

bool fm_arg_u64(const char *text, uint64_t *value)
{
    static const char suffix[] = "KMGT";
    int base = !strncmp(text, "0x", 2) ? 16 : 10;
    const char *end = text + (base == 16 ? 2 : 0), *found;

    *value = 0;
    if (digit_of(*end) >= base) {
        return false;
    }
    for (; digit_of(*end) < base; end++) {
        if (*value > (UINT64_MAX - digit_of(*end)) / base) {
            return false;
        }
        *value = *value * base + digit_of(*end);
    }
    if (!*end) {
        return true;
    }
    found = strchr(suffix, toupper((unsigned char)*end));
    if (!found || end[1]) {
        return false;
    }
    for (const char *s = suffix; s <= found; s++) {
        if (*value > UINT64_MAX / 1024) {
            return false;
        }
        *value *= 1024;
    }
    return true;
}

bool fm_arg_tag(const char *text, uint8_t tag[16])
{
    unsigned digits = 0;

    memset(tag, 0, 16);
    if (!strcmp(text, "-")) {
        return true;
    }
    for (; *text; text++) {
        if (*text == '-') {
            continue;
        }
        if (!isxdigit((unsigned char)*text) || digits == 32) {
            return false;
        }
        tag[digits / 2] |= digit_of(*text) << (digits % 2 ? 0 : 4);
        digits++;
    }
    return digits > 0;
}

bool fm_arg_extent(const char *text, struct cxl_extent *ext)
{
    char *copy = strdup(text), *len, *tag;
    bool ok = false;

    memset(ext, 0, sizeof(*ext));
    if (!copy) {
        return false;
    }
    len = strchr(copy, '+');
    if (len) {
        *len++ = '\0';
        tag = strchr(len, ':');
        if (tag) {
            *tag++ = '\0';
        }
        ok = fm_arg_u64(copy, &ext->dpa) && fm_arg_u64(len, &ext->len) &&
             (!tag || fm_arg_tag(tag, ext->tag));
    }
    free(copy);
    return ok;
}

struct cxl_conn *fm_arg_connect(const char *text)
{
    unsigned net, eid;
    char rest;

    if (strncmp(text, "mctp:", 5)) {
        return cxl_conn_open_ioctl(text);
    }
    if (sscanf(text, "mctp:%u,%u%c", &net, &eid, &rest) != 2 || eid < 8 ||
        eid > 254) {
        errno = EINVAL;
        return NULL;
    }
    return cxl_conn_open_mctp(net, eid, MCTP_PAYLOAD);
}
