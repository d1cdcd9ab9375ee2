/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers of the MCTP unit tests. Reference: DMTF DSP0236.
 */
#include "qemu/osdep.h"
#include "mctp-test-util.h"

GByteArray *span(const char *text)
{
    GByteArray *out = g_byte_array_new();
    g_auto(GStrv) word = g_strsplit_set(text, "| ", -1);

    for (size_t i = 0; word[i]; i++) {
        unsigned byte, count = 1;
        uint8_t value;

        if (!*word[i]) {
            continue;
        }
        if (sscanf(word[i], "#%u", &count) == 1) {
            for (unsigned n = 0; n < count; n++) {
                value = n;
                g_byte_array_append(out, &value, 1);
            }
            continue;
        }
        g_assert_cmpint(sscanf(word[i], "%x*%u", &byte, &count), >=, 1);
        g_assert_cmpuint(byte, <=, 0xff);
        value = byte;
        for (unsigned n = 0; n < count; n++) {
            g_byte_array_append(out, &value, 1);
        }
    }
    return out;
}

char *hex(const void *data, size_t len)
{
    const uint8_t *p = data;
    GString *s = g_string_new(NULL);

    for (size_t i = 0; i < len; i++) {
        g_string_append_printf(s, i ? " %02x" : "%02x", p[i]);
    }
    return g_string_free(s, FALSE);
}

void assert_span(const void *data, size_t len, const char *text)
{
    g_autoptr(GByteArray) want = span(text);
    g_autofree char *a = hex(data, len);
    g_autofree char *b = hex(want->data, want->len);

    g_assert_cmpstr(a, ==, b);
}

Recorder *recorder_new(const MCTPEndpointConfig *config)
{
    Recorder *r = g_new0(Recorder, 1);

    r->ep = mctp_endpoint_new(config);
    g_assert_true(mctp_endpoint_add_type(r->ep, 0x08, MCTP_VERSION_1_0,
                                         record, r));
    r->body = g_ptr_array_new_with_free_func(
        (GDestroyNotify)g_byte_array_unref);
    r->msg = g_array_new(false, false, sizeof(MCTPMessage));
    return r;
}

void recorder_free(Recorder *r)
{
    mctp_endpoint_free(r->ep);
    g_ptr_array_unref(r->body);
    g_array_unref(r->msg);
    g_free(r);
}

void record(void *opaque, MCTPEndpoint *ep, const MCTPMessage *msg)
{
    Recorder *r = opaque;
    GByteArray *body = g_byte_array_new();

    g_byte_array_append(body, msg->body, msg->len);
    g_ptr_array_add(r->body, body);
    g_array_append_val(r->msg, *msg);
}

void recorded_is(const Recorder *r, unsigned n, const char *text)
{
    const GByteArray *body;

    g_assert_cmpuint(r->body->len, >, n);
    body = g_ptr_array_index(r->body, n);
    assert_span(body->data, body->len, text);
}

MCTPDrop feed(MCTPEndpoint *ep, const char *packet, uint32_t link,
              int64_t now)
{
    g_autoptr(GByteArray) bytes = span(packet);

    return mctp_endpoint_receive(ep, bytes->data, bytes->len, link, now);
}

void feed_ok(MCTPEndpoint *ep, const char *packet, uint32_t link, int64_t now)
{
    g_assert_cmpint(feed(ep, packet, link, now), ==, MCTP_DROP_NONE);
}

void expect_tx(MCTPEndpoint *ep, int64_t now, const char *packet)
{
    MCTPTxQueue *tx = mctp_endpoint_tx(ep);
    MCTPTxPacket pkt;
    bool have = mctp_txqueue_peek(tx, now, &pkt);

    if (!packet) {
        g_assert_false(have);
        return;
    }
    g_assert_true(have);
    assert_span(pkt.data, pkt.len, packet);
    mctp_txqueue_sent(tx, pkt.id, now);
}
