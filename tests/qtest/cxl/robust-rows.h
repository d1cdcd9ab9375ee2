/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of the command tables, as test-cxl-command-table --rows tells them, and
 * requests made from them
 */
#ifndef TESTS_CXL_ROBUST_ROWS_H
#define TESTS_CXL_ROBUST_ROWS_H

/* Bits of CXLCCIKind */
#define KIND_MAILBOX    0x01
#define KIND_FM         0x02
#define KIND_LD         0x04
#define KIND_SWITCH     0x08
#define KIND_MHD        0x10

/* Bits of a row's flags */
#define ROW_BG          0x01
#define ROW_MEDIA       0x02

/* No end of a request but the CCI's own */
#define ROW_NO_MAX      0xffff

/**
 * struct RobustRow - one command
 * @min, @max: bytes of a request; of a list: the head
 * @record: bytes of a record of a list, 0: no list
 * @count_at, @count_size: where a list's head counts its records
 */
typedef struct RobustRow {
    unsigned opcode, kinds, effects, flags;
    unsigned min, max, record, count_at, count_size;
} RobustRow;

typedef enum RobustFill {
    FILL_ZEROS,
    FILL_ONES,
    FILL_RANDOM,
    FILL__COUNT,
} RobustFill;

/** robust_rows() - all rows of this build, ascending; the test's own */
const GArray *robust_rows(void);
/** robust_row() - the row of @opcode or NULL */
const RobustRow *robust_row(unsigned opcode);

/**
 * robust_lengths() - lengths worth sending: 0 and both sides of both bounds
 * @room: bytes of the CCI's longest request
 * Return: how many of @len are set; ascending
 */
unsigned robust_lengths(const RobustRow *row, unsigned room, unsigned len[5]);
/** robust_fits() - may a request of @len bytes be right? */
bool robust_fits(const RobustRow *row, unsigned room, unsigned len);
/**
 * robust_fill() - make a request
 *
 * Where @len fits a list, its head counts @more records than there are.
 */
void robust_fill(const RobustRow *row, RobustFill fill, GRand *rand,
                 uint8_t *in, unsigned len, unsigned more);

#endif
