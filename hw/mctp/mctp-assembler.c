/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP message assembly: one context per (source, destination, tag, tag
 * owner, link address), bounded in number and in size.
 *
 * Reference: DMTF DSP0236 8.3 "Message assembly", 8.4 "Dropped packets".
 */
#include "qemu/osdep.h"
#include "hw/mctp/mctp_assembler.h"
#include "trace.h"

void mctp_assembler_init(MCTPAssembler *a, uint32_t max_message,
                         MCTPStats *stats)
{
    memset(a, 0, sizeof(*a));
    a->max_message = MIN(MAX(max_message, 1), MCTP_MESSAGE_MAX);
    a->stats = stats;
}

static void assembly_free(MCTPAssembly *slot)
{
    g_clear_pointer(&slot->body, g_byte_array_unref);
}

static void assembly_lose(MCTPAssembler *a, MCTPAssembly *slot, MCTPDrop why)
{
    trace_mctp_assembly_lost(slot->path.remote, slot->path.tag, slot->total,
                             mctp_drop_name(why));
    a->stats->drop[why]++;
    assembly_free(slot);
}

void mctp_assembler_reset(MCTPAssembler *a)
{
    for (size_t i = 0; i < ARRAY_SIZE(a->slot); i++) {
        assembly_free(&a->slot[i]);
    }
}

static void assembly_drop_expired(MCTPAssembler *a, int64_t now)
{
    for (size_t i = 0; i < ARRAY_SIZE(a->slot); i++) {
        MCTPAssembly *slot = &a->slot[i];

        if (slot->body && now - slot->stamp > MCTP_ASSEMBLY_TIMEOUT_NS) {
            assembly_lose(a, slot, MCTP_DROP_EXPIRED);
        }
    }
}

static MCTPAssembly *assembly_find_slot(MCTPAssembler *a, const MCTPPath *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(a->slot); i++) {
        if (a->slot[i].body && mctp_path_equal(&a->slot[i].path, path)) {
            return &a->slot[i];
        }
    }
    return NULL;
}

/*
 * A guest that starts messages and never ends them only loses its own: the
 * one that waited longest makes room for the one that is being sent.
 */
static MCTPAssembly *assembly_free_slot(MCTPAssembler *a)
{
    MCTPAssembly *stalest = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(a->slot); i++) {
        MCTPAssembly *slot = &a->slot[i];

        if (!slot->body) {
            return slot;
        }
        if (!stalest || slot->stamp < stalest->stamp) {
            stalest = slot;
        }
    }
    assembly_lose(a, stalest, MCTP_DROP_EVICTED);
    return stalest;
}

static void assembly_append(MCTPAssembler *a, MCTPAssembly *slot,
                            const uint8_t *payload, size_t len)
{
    size_t room = a->max_message - MIN(slot->body->len, a->max_message);

    g_byte_array_append(slot->body, payload, MIN(len, room));
    slot->total += MIN(len, UINT32_MAX - slot->total);
}

MCTPDrop mctp_assembler_feed(MCTPAssembler *a, const MCTPHeader *hdr,
                             uint32_t link, const uint8_t *payload,
                             size_t len, int64_t now, MCTPAssembled *done)
{
    const MCTPPath path = {
        .link = link,
        .remote = hdr->src,
        .local = hdr->dest,
        .tag = hdr->tag,
        .to = hdr->to,
    };
    MCTPAssembly *slot;

    done->body = NULL;
    done->total = 0;

    assembly_drop_expired(a, now);
    slot = assembly_find_slot(a, &path);
    if (hdr->som) {
        if (slot) {
            assembly_lose(a, slot, MCTP_DROP_RESTARTED);
        } else {
            slot = assembly_free_slot(a);
        }
        slot->body = g_byte_array_new();
        slot->path = path;
        slot->unit = MIN(len, UINT32_MAX);
        slot->total = 0;
    } else if (!slot) {
        return MCTP_DROP_NO_START;
    } else if (hdr->seq != slot->next_seq) {
        assembly_free(slot);
        return MCTP_DROP_SEQUENCE;
    } else if (hdr->eom ? len > slot->unit : len != slot->unit) {
        /* only the last packet of a message may be shorter than the first */
        assembly_free(slot);
        return MCTP_DROP_UNIT;
    }

    assembly_append(a, slot, payload, len);
    slot->next_seq = (hdr->seq + 1) & 3;
    slot->stamp = now;
    if (hdr->eom) {
        done->body = g_steal_pointer(&slot->body);
        done->total = slot->total;
    }
    return MCTP_DROP_NONE;
}
