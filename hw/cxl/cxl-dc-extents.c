/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ordered set of address ranges for the dynamic capacity model: a B+ tree whose
 * inner nodes know how many records each child has (k-th extent) and the
 * longest of them (fitting hole).  A GSequence would do the former with twice
 * the memory and a cache miss per level; wide nodes keep a million extents
 * cheap.
 */
#include "qemu/osdep.h"
#include "cxl-dc-internal.h"

/* Items of a node: 1 KiB of them */
#define FANOUT  32
/* A node with fewer items is merged or filled up from its neighbour */
#define LOW     8

typedef struct DCSub {
    uint64_t key;
    uint64_t longest;
    DCNode *child;
    uint32_t count;
} DCSub;

typedef union DCItem {
    uint64_t key;
    DCRec rec;
    DCSub sub;
} DCItem;

struct DCNode {
    DCNode *next;       /* same height, higher addresses */
    uint16_t n;
    uint16_t height;    /* 0: items are records */
    DCItem item[FANOUT];
};

QEMU_BUILD_BUG_ON(offsetof(DCRec, dpa) || offsetof(DCSub, key));

static DCNode *node_new(DCSet *set, unsigned height)
{
    DCNode *node = g_new(DCNode, 1);

    node->next = NULL;
    node->n = 0;
    node->height = height;
    set->nodes++;
    return node;
}

static void node_free(DCSet *set, DCNode *node)
{
    set->nodes--;
    g_free(node);
}

/* How many items have a key of at most @key */
static unsigned node_rank(const DCNode *node, uint64_t key)
{
    unsigned lo = 0, hi = node->n;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (node->item[mid].key <= key) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static unsigned node_child_at(const DCNode *node, uint64_t key)
{
    unsigned rank = node_rank(node, key);

    return rank ? rank - 1 : 0;
}

static uint64_t item_longest(const DCNode *node, unsigned i)
{
    return node->height ? node->item[i].sub.longest : node->item[i].rec.len;
}

static void node_sum(DCNode *node, DCSub *sub)
{
    sub->child = node;
    sub->key = node->item[0].key;
    sub->longest = 0;
    sub->count = node->height ? 0 : node->n;
    for (unsigned i = 0; i < node->n; i++) {
        if (node->height) {
            sub->count += node->item[i].sub.count;
        }
        sub->longest = MAX(sub->longest, item_longest(node, i));
    }
}

static void node_open_gap(DCNode *node, unsigned at, unsigned n)
{
    memmove(&node->item[at + n], &node->item[at],
            (node->n - at) * sizeof(DCItem));
    node->n += n;
}

static void node_close_gap(DCNode *node, unsigned at, unsigned n)
{
    node->n -= n;
    memmove(&node->item[at], &node->item[at + n],
            (node->n - at) * sizeof(DCItem));
}

/* Returns the new right neighbour if @node had to be split */
static DCNode *node_put(DCSet *set, DCNode *node, unsigned at,
                        const DCItem *item)
{
    DCNode *right = NULL;

    if (node->n == FANOUT) {
        /*
         * Ascending insertion leaves full nodes behind.  An inner node needs
         * two children, so that each of them has a neighbour.
         */
        unsigned keep = at < FANOUT ? FANOUT / 2
                                    : node->height ? FANOUT - 1 : FANOUT;

        right = node_new(set, node->height);
        right->next = node->next;
        node->next = right;
        right->n = FANOUT - keep;
        memcpy(right->item, &node->item[keep], right->n * sizeof(DCItem));
        node->n = keep;
        if (at > keep || keep == FANOUT) {
            node = right;
            at -= keep;
        }
    }
    node_open_gap(node, at, 1);
    node->item[at] = *item;
    return right;
}

static DCNode *node_insert(DCSet *set, DCNode *node, const DCItem *item)
{
    DCNode *right;
    DCItem more;
    DCSub *sub;
    unsigned i;

    if (!node->height) {
        return node_put(set, node, node_rank(node, item->key), item);
    }
    i = node_child_at(node, item->key);
    sub = &node->item[i].sub;
    right = node_insert(set, sub->child, item);
    if (!right) {
        sub->count++;
        sub->key = MIN(sub->key, item->key);
        sub->longest = MAX(sub->longest, item->rec.len);
        return NULL;
    }
    node_sum(sub->child, sub);
    node_sum(right, &more.sub);
    return node_put(set, node, i + 1, &more);
}

/* Child @i has few items: join it with a neighbour or share with it */
static void node_mend(DCSet *set, DCNode *node, unsigned i)
{
    DCNode *left, *right;
    unsigned total, keep, move;

    if (i) {
        i--;
    }
    left = node->item[i].sub.child;
    right = node->item[i + 1].sub.child;
    total = left->n + right->n;
    if (total <= FANOUT) {
        memcpy(&left->item[left->n], right->item, right->n * sizeof(DCItem));
        left->n = total;
        left->next = right->next;
        node_free(set, right);
        node_close_gap(node, i + 1, 1);
        node_sum(left, &node->item[i].sub);
        return;
    }
    keep = total / 2;
    if (left->n < keep) {
        move = keep - left->n;
        memcpy(&left->item[left->n], right->item, move * sizeof(DCItem));
        left->n = keep;
        node_close_gap(right, 0, move);
    } else {
        move = left->n - keep;
        node_open_gap(right, 0, move);
        memcpy(right->item, &left->item[keep], move * sizeof(DCItem));
        left->n = keep;
    }
    node_sum(left, &node->item[i].sub);
    node_sum(right, &node->item[i + 1].sub);
}

/* A record of @len bytes left the child */
static void sub_shrink(DCSub *sub, uint64_t len)
{
    DCNode *child = sub->child;

    sub->count--;
    sub->key = child->item[0].key;
    if (len == sub->longest) {
        sub->longest = 0;
        for (unsigned i = 0; i < child->n && sub->longest < len; i++) {
            sub->longest = MAX(sub->longest, item_longest(child, i));
        }
    }
}

/* Returns the length of the record */
static uint64_t node_remove(DCSet *set, DCNode *node, uint64_t key)
{
    unsigned i = node_child_at(node, key);
    DCNode *child;
    uint64_t len;

    if (!node->height) {
        g_assert(node->n && node->item[i].key == key);
        len = node->item[i].rec.len;
        node_close_gap(node, i, 1);
        return len;
    }
    child = node->item[i].sub.child;
    len = node_remove(set, child, key);
    if (child->n < LOW) {
        node_mend(set, node, i);
    } else {
        sub_shrink(&node->item[i].sub, len);
    }
    return len;
}

void dc_set_insert(DCSet *set, const DCRec *rec)
{
    DCItem item = { .rec = *rec };
    DCNode *right, *root;

    if (!set->root) {
        set->root = node_new(set, 0);
    }
    right = node_insert(set, set->root, &item);
    if (right) {
        root = node_new(set, set->root->height + 1);
        node_sum(set->root, &root->item[0].sub);
        node_sum(right, &root->item[1].sub);
        root->n = 2;
        set->root = root;
    }
    set->count++;
}

void dc_set_remove(DCSet *set, uint64_t dpa)
{
    DCNode *root;

    g_assert(set->root);
    node_remove(set, set->root, dpa);
    set->count--;
    while (set->root->height && set->root->n == 1) {
        root = set->root;
        set->root = root->item[0].sub.child;
        node_free(set, root);
    }
    if (!set->root->n) {
        node_free(set, set->root);
        set->root = NULL;
    }
}

static void node_free_all(DCNode *node)
{
    if (node->height) {
        for (unsigned i = 0; i < node->n; i++) {
            node_free_all(node->item[i].sub.child);
        }
    }
    g_free(node);
}

void dc_set_clear(DCSet *set)
{
    if (set->root) {
        node_free_all(set->root);
    }
    memset(set, 0, sizeof(*set));
}

static const DCRec *cursor_rec(const DCCursor *cur)
{
    return cur->leaf ? &cur->leaf->item[cur->at].rec : NULL;
}

const DCRec *dc_set_next(DCCursor *cur)
{
    if (cur->leaf && ++cur->at >= cur->leaf->n) {
        cur->leaf = cur->leaf->next;
        cur->at = 0;
    }
    return cursor_rec(cur);
}

const DCRec *dc_set_from(const DCSet *set, uint64_t dpa, DCCursor *cur)
{
    const DCNode *node = set->root;

    cur->leaf = NULL;
    cur->at = 0;
    if (!node) {
        return NULL;
    }
    while (node->height) {
        node = node->item[node_child_at(node, dpa)].sub.child;
    }
    cur->leaf = node;
    cur->at = node_child_at(node, dpa);
    if (node->item[cur->at].key <= dpa &&
        !dc_rec_holds(&node->item[cur->at].rec, dpa)) {
        return dc_set_next(cur);
    }
    return cursor_rec(cur);
}

const DCRec *dc_set_find(const DCSet *set, uint64_t dpa)
{
    DCCursor cur;
    const DCRec *rec = dc_set_from(set, dpa, &cur);

    return rec && dc_rec_holds(rec, dpa) ? rec : NULL;
}

bool dc_set_overlaps(const DCSet *set, uint64_t dpa, uint64_t len)
{
    DCCursor cur;
    const DCRec *rec = dc_set_from(set, dpa, &cur);

    return rec && (rec->dpa <= dpa || rec->dpa - dpa < len);
}

const DCRec *dc_set_nth(const DCSet *set, uint32_t k, DCCursor *cur)
{
    const DCNode *node = set->root;
    unsigned i;

    cur->leaf = NULL;
    cur->at = 0;
    if (k >= set->count) {
        return NULL;
    }
    while (node->height) {
        for (i = 0; k >= node->item[i].sub.count; i++) {
            k -= node->item[i].sub.count;
        }
        node = node->item[i].sub.child;
    }
    cur->leaf = node;
    cur->at = k;
    return cursor_rec(cur);
}

const DCRec *dc_set_first_fit(const DCSet *set, uint64_t len)
{
    const DCNode *node = set->root;

    while (node) {
        unsigned i = 0;

        while (i < node->n && item_longest(node, i) < len) {
            i++;
        }
        if (i == node->n) {
            return NULL;
        }
        if (!node->height) {
            return &node->item[i].rec;
        }
        node = node->item[i].sub.child;
    }
    return NULL;
}

const DCRec *dc_set_longest(const DCSet *set)
{
    DCSub sum;

    if (!set->root) {
        return NULL;
    }
    node_sum(set->root, &sum);
    return dc_set_first_fit(set, sum.longest);
}

size_t dc_set_memory(const DCSet *set)
{
    return set->nodes * sizeof(DCNode);
}
