/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of a command line: sizes, tags, extents
 */
#ifndef FM_ARGS_H
#define FM_ARGS_H

#include "fm-cmds.h"

/** fm_arg_u64() - decimal or 0x..., with an optional suffix K, M, G or T. */
bool fm_arg_u64(const char *text, uint64_t *value);
/**
 * fm_arg_tag() - a UUID, or up to 32 hexadecimal digits that fill the tag from
 * its front; "-" is the zero tag
 */
bool fm_arg_tag(const char *text, uint8_t tag[16]);
/** fm_arg_extent() - "DPA+LENGTH" or "DPA+LENGTH:TAG". */
bool fm_arg_extent(const char *text, struct cxl_extent *ext);

#endif /* FM_ARGS_H */
