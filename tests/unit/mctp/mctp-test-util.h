/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Byte spans as text, and an endpoint that writes down what it is handed,
 * for the MCTP unit tests. Reference: DMTF DSP0236.
 */
#ifndef MCTP_TEST_UTIL_H
#define MCTP_TEST_UTIL_H

#include "hw/mctp/mctp_endpoint.h"

#define MS 1000000LL

/**
 * span() - bytes from text
 * @text: hex bytes separated by blanks; "5a*64" is 64 times 5a, "#100" are
 *        100 bytes that count up from 0, "|" is ignored
 */
GByteArray *span(const char *text);

/** hex() - text from bytes, "01 02 03"; the caller frees it */
char *hex(const void *data, size_t len);

/** assert_span() - bytes must be as text says */
void assert_span(const void *data, size_t len, const char *text);

/** struct Recorder - an endpoint, and what its handler was handed */
typedef struct Recorder {
    MCTPEndpoint *ep;
    /** @body: message bodies in order of arrival, of GByteArray */
    GPtrArray *body;
    /** @msg: the messages, of MCTPMessage without their bodies */
    GArray *msg;
} Recorder;

/** recorder_new() - an endpoint that takes messages of type 08 */
Recorder *recorder_new(const MCTPEndpointConfig *config);
void recorder_free(Recorder *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recorder, recorder_free)
/** record() - handler for mctp_endpoint_add_type(), opaque is a Recorder */
MCTPHandler record;

/** recorded_is() - asserts that message @n is as text says */
void recorded_is(const Recorder *r, unsigned n, const char *text);

/** feed() - hand a packet to an endpoint */
MCTPDrop feed(MCTPEndpoint *ep, const char *packet, uint32_t link,
              int64_t now);

/** feed_ok() - the same, and it is not dropped */
void feed_ok(MCTPEndpoint *ep, const char *packet, uint32_t link, int64_t now);

/**
 * expect_tx() - take a packet and have the link accept it
 * @packet: how it must look, %NULL if there must be none
 */
void expect_tx(MCTPEndpoint *ep, int64_t now, const char *packet);

#endif
