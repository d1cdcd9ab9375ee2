/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device state as bytes in memory, for tests that save, spoil and load it
 */
#ifndef TESTS_CXL_STATE_BYTES_H
#define TESTS_CXL_STATE_BYTES_H

#include "migration/vmstate.h"

/** state_save() - the stream of @opaque; free with g_byte_array_unref() */
GByteArray *state_save(const VMStateDescription *vmsd, void *opaque);
/** state_load() - 0 if all of @opaque was there and accepted */
int state_load(const VMStateDescription *vmsd, void *opaque,
               const void *data, size_t len);

/** state_is_refused() - state_load() that is meant to fail, and quietly */
bool state_is_refused(const VMStateDescription *vmsd, void *opaque,
                      const void *data, size_t len);

/** state_machine_runs() - call who waits for the machine to run after a load */
void state_machine_runs(void);

#endif
