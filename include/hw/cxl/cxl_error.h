/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error messages of the CXL layer: texts that a user gave.
 * Reference: none, this is QEMU's own.
 */
#ifndef HW_CXL_ERROR_H
#define HW_CXL_ERROR_H

/* Bytes of a user's text that an error repeats at most */
#define CXL_ECHO_MAX 128

/**
 * cxl_echo() - what an error repeats of an argument, an id or a file name.
 * @text: the user's text, of any length
 *
 * Of a text that is too long the middle is left out, because the end of a path
 * tells as much as its beginning.  No character of UTF-8 is cut.
 *
 * Return: the text, which the caller frees.
 */
char *cxl_echo(const char *text);

#endif /* HW_CXL_ERROR_H */
