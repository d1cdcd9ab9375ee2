/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of QEMU's monitor: a line of JSON for a command, one for its answer,
 * with events between them
 */
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <math.h>

#include "fm-qmp.h"

struct fm_qmp {
    GSocketConnection *link;
    GDataInputStream *in;
    const char *url;
};

GQuark fm_qmp_error_quark(void)
{
    return g_quark_from_static_string("fm-qmp-error");
}

static void qmp_set_link_error(const struct fm_qmp *q, const char *why,
                               GError **error)
{
    g_set_error(error, FM_QMP_ERROR, FM_QMP_LINK, "%s: %s", q->url, why);
}

/* -- lines -------------------------------------------------------------- */

static char *qmp_read_line(struct fm_qmp *q, GError **error)
{
    g_autoptr(GError) why = NULL;
    char *line = g_data_input_stream_read_line(q->in, NULL, NULL, &why);

    if (!line) {
        qmp_set_link_error(q, why ? why->message :
                           "the monitor closed the connection", error);
    }
    return line;
}

/* The next object, or NULL with @error */
static JsonNode *qmp_read(struct fm_qmp *q, GError **error)
{
    g_autofree char *line = qmp_read_line(q, error);
    g_autoptr(JsonNode) node = NULL;

    if (!line) {
        return NULL;
    }
    node = json_from_string(line, NULL);
    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        qmp_set_link_error(q, "what is there is no monitor (QMP)", error);
        return NULL;
    }
    return g_steal_pointer(&node);
}

static gboolean qmp_write(struct fm_qmp *q, JsonObject *object, GError **error)
{
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
    g_autofree char *text = json_to_string(node, FALSE);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(q->link));
    g_autoptr(GError) why = NULL;

    if (!g_output_stream_write_all(out, line, strlen(line), NULL, NULL, &why)) {
        qmp_set_link_error(q, why->message, error);
        return FALSE;
    }
    return TRUE;
}

/* -- commands ----------------------------------------------------------- */

/* Sets @error if @answer is one; an event is neither */
static gboolean qmp_is_refusal(JsonObject *answer, GError **error)
{
    JsonNode *node = json_object_get_member(answer, "error");
    const char *why;

    if (!node) {
        return FALSE;
    }
    why = JSON_NODE_HOLDS_OBJECT(node) ?
        json_object_get_string_member_with_default(json_node_get_object(node),
                                                   "desc", NULL) : NULL;
    g_set_error(error, FM_QMP_ERROR, FM_QMP_REFUSED, "%s", why ?: "error");
    return TRUE;
}

JsonNode *fm_qmp_run(struct fm_qmp *q, const char *command,
                     JsonObject *arguments, GError **error)
{
    g_autoptr(JsonObject) request = json_object_new();

    json_object_set_string_member(request, "execute", command);
    json_object_set_object_member(request, "arguments", arguments);
    if (!qmp_write(q, request, error)) {
        return NULL;
    }
    for (;;) {
        g_autoptr(JsonNode) node = qmp_read(q, error);
        JsonObject *answer = node ? json_node_get_object(node) : NULL;

        if (!node || qmp_is_refusal(answer, error)) {
            return NULL;
        }
        if (json_object_has_member(answer, "return")) {
            return json_object_dup_member(answer, "return");
        }
    }
}

/* -- connection --------------------------------------------------------- */

static GSocketConnectable *qmp_address(const char *url, GError **error)
{
    GSocketConnectable *address = NULL;

    if (g_str_has_prefix(url, "unix:") && url[5]) {
        return G_SOCKET_CONNECTABLE(g_unix_socket_address_new(url + 5));
    }
    if (g_str_has_prefix(url, "tcp:")) {
        /* no port is 0 */
        address = g_network_address_parse(url + 4, 0, NULL);
    }
    if (!address || !g_network_address_get_port(G_NETWORK_ADDRESS(address))) {
        g_clear_object(&address);
        g_set_error(error, FM_QMP_ERROR, FM_QMP_LINK, "%s: expected unix:PATH "
                    "or tcp:HOST:PORT", url);
    }
    return address;
}

struct fm_qmp *fm_qmp_open(const char *url, double timeout, GError **error)
{
    g_autoptr(GSocketConnectable) address = qmp_address(url, error);
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(GError) why = NULL;
    struct fm_qmp *q;

    if (!address) {
        return NULL;
    }
    g_socket_client_set_timeout(client, ceil(timeout));
    q = g_new0(struct fm_qmp, 1);
    q->url = url;
    q->link = g_socket_client_connect(client, address, NULL, &why);
    if (!q->link) {
        qmp_set_link_error(q, why->message, error);
        fm_qmp_close(q);
        return NULL;
    }
    q->in = g_data_input_stream_new(
        g_io_stream_get_input_stream(G_IO_STREAM(q->link)));
    /* it greets, even before anybody asks */
    node = qmp_read(q, error);
    if (node) {
        json_node_unref(node);
        node = fm_qmp_run(q, "qmp_capabilities", json_object_new(), error);
    }
    if (!node) {
        fm_qmp_close(q);
        return NULL;
    }
    return q;
}

void fm_qmp_close(struct fm_qmp *q)
{
    if (q) {
        g_clear_object(&q->in);
        g_clear_object(&q->link);
        g_free(q);
    }
}
