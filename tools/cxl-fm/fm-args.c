/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of a command line: sizes, tags, extents
 */
#include <ctype.h>
#include <stdlib.h>

#include "fm-args.h"

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

/* A UUID has dashes after 8, 12, 16 and 20 digits: 8-4-4-4-12 */
static bool dash_after(unsigned digits)
{
    return digits == 8 || digits == 12 || digits == 16 || digits == 20;
}

bool fm_arg_tag(const char *text, uint8_t tag[16])
{
    bool uuid = strlen(text) > 1 && strchr(text, '-');
    unsigned digits = 0;

    memset(tag, 0, 16);
    if (!strcmp(text, "-")) {
        return true;
    }
    for (; *text; text++) {
        if (uuid && dash_after(digits) && text[-1] != '-') {
            if (*text != '-') {
                return false;
            }
            continue;
        }
        if (!isxdigit((unsigned char)*text) || digits == 32) {
            return false;
        }
        tag[digits / 2] |= digit_of(*text) << (digits % 2 ? 0 : 4);
        digits++;
    }
    return uuid ? digits == 32 : digits > 0;
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
