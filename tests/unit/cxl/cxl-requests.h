/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of CXL commands, from one table of their layouts
 */
#ifndef TESTS_CXL_REQUESTS_H
#define TESTS_CXL_REQUESTS_H

/**
 * cxl_request_pack() - write the fields of a request, little endian
 * @opcode: must be in the table of cxl-requests.c
 * @values: one for each field there that has a name, @n of them.  A field of
 *   more than 8 bytes, as tags and passphrases are, has it in each byte.
 *
 * Return: bytes written.  What the request may have behind these fields, such
 * as extents, is the caller's.
 */
size_t cxl_request_pack(uint8_t *buf, size_t size, uint16_t opcode,
                        const uint64_t *values, size_t n);

/* The last two arguments of such a function, from a list of values */
#define CXL_VALUES(...) ((const uint64_t []) { __VA_ARGS__ })
#define CXL_COUNT(...)  (sizeof(CXL_VALUES(__VA_ARGS__)) / sizeof(uint64_t))

#endif
