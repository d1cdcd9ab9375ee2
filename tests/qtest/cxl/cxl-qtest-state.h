/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of a running machine, as bytes that a test may spoil
 *
 * Snapshots in an image that the test can write to as well.  Memory of
 * STATE_MEMORY() is left out of them, so that a load takes some milliseconds.
 */
#ifndef TESTS_CXL_QTEST_STATE_H
#define TESTS_CXL_QTEST_STATE_H

#include "cxl-qtest.h"

#define STATE_MEMORY(id, size) \
    "-object memory-backend-file,id=" id ",size=" size ",share=on," \
    "mem-path=/tmp "
/* For the command line of the machine; @size as in -m */
#define STATE_RAM(size) \
    STATE_MEMORY("ram0", size) "-machine memory-backend=ram0 "

/**
 * struct State - one snapshot
 * @image: its file
 * @at: where the state is in there
 * @len: bytes of it, and what is behind
 * @data: as it was saved
 * @said: by the last load, "" if it was accepted
 */
typedef struct State {
    QTestState *qts;
    char *image;
    size_t at;
    size_t len;
    uint8_t *data;
    char *said;
} State;

/**
 * struct StateSection - what one device has in the state
 * @name: of the device, with its place
 * @start: first byte of its data
 * @end: the byte behind the last
 */
typedef struct StateSection {
    char *name;
    size_t start;
    size_t end;
} StateSection;

/** state_save() - the first time this gives the machine an image */
void state_save(State *s, QTestState *qts);
/** state_free() - forget it; to be done before the machine ends */
void state_free(State *s);

/**
 * state_load() - load state; the machine runs afterwards
 * @data: instead of what was saved, @s->len bytes
 * Return: was it accepted?
 */
bool state_load(State *s, const void *data);
/** state_again() - save and load what is there now, leave no snapshot */
void state_again(QTestState *qts);

/**
 * state_sections() - those with @what in their name
 * Return: StateSection, free with g_array_unref()
 */
GArray *state_sections(const State *s, const char *what);

/** state_find() - where @pattern is; it must be there, once */
size_t state_find(const State *s, const void *pattern, size_t len);

#endif
