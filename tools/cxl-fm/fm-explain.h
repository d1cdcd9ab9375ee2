/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command is called and what its return codes mean
 */
#ifndef FM_EXPLAIN_H
#define FM_EXPLAIN_H

#include <stdint.h>

/** fm_command_name() - "Get DCD Info"; NULL if this program has no name. */
const char *fm_command_name(uint16_t opcode);

/**
 * fm_explain() - why a component answers @rc to @opcode, for the user
 * Return: NULL if the code's name says all there is to say
 */
const char *fm_explain(uint16_t opcode, uint16_t rc);

#endif /* FM_EXPLAIN_H */
