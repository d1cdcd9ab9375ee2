/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ordered set of address ranges for the dynamic capacity model: a B+ tree whose
 * inner nodes know how many records each child has (k-th extent) and the
 * longest of them (fitting hole).  A GSequence would do the former with twice
 * the memory and a cache miss per level; wide nodes keep a million extents
 * cheap.
 */
#include "qemu/osdep.h"
#include "dc-internal.h"

/* Items of a node: 256 bytes of keys and 1 KiB of records */
#define FANOUT  32
/* A node with fewer items is merged or filled up from its neighbour */
#define LOW     8

/*
 * Keys lie apart from the rest, so that a search reads few lines of memory:
 * with a million extents most of them are in no cache of the processor.
 */
struct DCNode {
    DCNode *next;       /* same height, higher addresses */
    uint16_t n;
    uint16_t height;    /* 0: items are records */
    uint64_t key[FANOUT];
    union {
        DCRec rec[FANOUT];
        struct {
            uint32_t count[FANOUT];
            uint64_t longest[FANOUT];
            DCNode *child[FANOUT];
        } sub;
    };
};

static DCNode *dc_node_new(DCSet *set, unsigned height)
{
    DCNode *node = g_new(DCNode, 1);

    node->next = NULL;
    node->n = 0;
    node->height = height;
    set->nodes++;
    return node;
}

static void dc_node_free(DCSet *set, DCNode *node)
{
    set->nodes--;
    g_free(node);
}

/* The lines that a search is about to read, all at once */
static void dc_node_prefetch(const DCNode *node)
{
    for (unsigned i = 0; i < FANOUT; i += 8) {
        __builtin_prefetch(&node->key[i]);
    }
}

/* How many items have a key of at most @key; no branch to guess wrong */
static unsigned dc_node_rank(const DCNode *node, uint64_t key)
{
    unsigned at = 0, left = node->n;

    while (left) {
        unsigned half = (left + 1) / 2;

        at += node->key[at + half - 1] <= key ? half : 0;
        left -= half;
    }
    return at;
}

static unsigned dc_node_child_at(const DCNode *node, uint64_t key)
{
    unsigned rank = dc_node_rank(node, key);

    return rank ? rank - 1 : 0;
}

static uint64_t dc_node_item_longest(const DCNode *node, unsigned i)
{
    return node->height ? node->sub.longest[i] : node->rec[i].len;
}

/* Tells @node, at place @i, what its child there has become */
static void dc_node_sum(DCNode *node, unsigned i)
{
    const DCNode *child = node->sub.child[i];
    uint64_t longest = 0;
    uint32_t count = child->height ? 0 : child->n;

    for (unsigned k = 0; k < child->n; k++) {
        if (child->height) {
            count += child->sub.count[k];
        }
        longest = MAX(longest, dc_node_item_longest(child, k));
    }
    node->key[i] = child->key[0];
    node->sub.count[i] = count;
    node->sub.longest[i] = longest;
}

/* @n items from @from of one node to @to of another one, or the same */
static void dc_node_move(DCNode *dst, unsigned to, const DCNode *src,
                         unsigned from, unsigned n)
{
#define MOVE(field) \
    memmove(&dst->field[to], &src->field[from], n * sizeof(dst->field[0]))

    MOVE(key);
    if (src->height) {
        MOVE(sub.count);
        MOVE(sub.longest);
        MOVE(sub.child);
    } else {
        MOVE(rec);
    }
#undef MOVE
}

static void dc_node_open_gap(DCNode *node, unsigned at, unsigned n)
{
    dc_node_move(node, at + n, node, at, node->n - at);
    node->n += n;
}

static void dc_node_close_gap(DCNode *node, unsigned at, unsigned n)
{
    node->n -= n;
    dc_node_move(node, at, node, at + n, node->n - at);
}

/*
 * A gap for one item at @at of *@node, or of the right neighbour if the node
 * had to be split: then that one is returned.
 */
static DCNode *dc_node_make_space(DCSet *set, DCNode **node, unsigned *at)
{
    DCNode *left = *node, *right = NULL;

    if (left->n == FANOUT) {
        /*
         * Ascending insertion leaves full nodes behind.  An inner node needs
         * two children, so that each of them has a neighbour.
         */
        unsigned keep = *at < FANOUT ? FANOUT / 2
                                     : left->height ? FANOUT - 1 : FANOUT;

        right = dc_node_new(set, left->height);
        right->next = left->next;
        left->next = right;
        right->n = FANOUT - keep;
        dc_node_move(right, 0, left, keep, right->n);
        left->n = keep;
        if (*at > keep || keep == FANOUT) {
            *node = right;
            *at -= keep;
        }
    }
    dc_node_open_gap(*node, *at, 1);
    return right;
}

static DCNode *dc_node_insert(DCSet *set, DCNode *node, const DCRec *rec)
{
    unsigned i = dc_node_rank(node, rec->dpa);
    DCNode *child, *more, *right;

    if (!node->height) {
        right = dc_node_make_space(set, &node, &i);
        node->key[i] = rec->dpa;
        node->rec[i] = *rec;
        return right;
    }
    i -= i > 0;
    child = node->sub.child[i];
    dc_node_prefetch(child);
    more = dc_node_insert(set, child, rec);
    if (!more) {
        node->key[i] = MIN(node->key[i], rec->dpa);
        node->sub.count[i]++;
        node->sub.longest[i] = MAX(node->sub.longest[i], rec->len);
        return NULL;
    }
    dc_node_sum(node, i);
    i++;
    right = dc_node_make_space(set, &node, &i);
    node->sub.child[i] = more;
    dc_node_sum(node, i);
    return right;
}

/* Child @i has few items: join it with a neighbour or share with it */
static void dc_node_rebalance(DCSet *set, DCNode *node, unsigned i)
{
    DCNode *left, *right;
    unsigned total, keep, move;

    if (i) {
        i--;
    }
    left = node->sub.child[i];
    right = node->sub.child[i + 1];
    total = left->n + right->n;
    if (total <= FANOUT) {
        dc_node_move(left, left->n, right, 0, right->n);
        left->n = total;
        left->next = right->next;
        dc_node_free(set, right);
        dc_node_close_gap(node, i + 1, 1);
        dc_node_sum(node, i);
        return;
    }
    keep = total / 2;
    if (left->n < keep) {
        move = keep - left->n;
        dc_node_move(left, left->n, right, 0, move);
        left->n = keep;
        dc_node_close_gap(right, 0, move);
    } else {
        move = left->n - keep;
        dc_node_open_gap(right, 0, move);
        dc_node_move(right, 0, left, keep, move);
        left->n = keep;
    }
    dc_node_sum(node, i);
    dc_node_sum(node, i + 1);
}

/* A record of child @i was @was bytes long and is @len; 0: it is not there */
static void dc_node_adapt(DCNode *node, unsigned i, uint64_t was, uint64_t len)
{
    const DCNode *child = node->sub.child[i];
    uint64_t longest = len;

    node->key[i] = child->key[0];
    if (len >= node->sub.longest[i]) {
        node->sub.longest[i] = len;
    } else if (was == node->sub.longest[i]) {
        for (unsigned k = 0; k < child->n && longest < was; k++) {
            longest = MAX(longest, dc_node_item_longest(child, k));
        }
        node->sub.longest[i] = longest;
    }
}

/* Returns the length of the record */
static uint64_t dc_node_remove(DCSet *set, DCNode *node, uint64_t key)
{
    unsigned i = dc_node_child_at(node, key);
    DCNode *child;
    uint64_t len;

    if (!node->height) {
        g_assert(node->n && node->key[i] == key);
        len = node->rec[i].len;
        dc_node_close_gap(node, i, 1);
        return len;
    }
    child = node->sub.child[i];
    dc_node_prefetch(child);
    len = dc_node_remove(set, child, key);
    if (child->n < LOW) {
        dc_node_rebalance(set, node, i);
    } else {
        node->sub.count[i]--;
        dc_node_adapt(node, i, len, 0);
    }
    return len;
}

/* Returns the length that the record had */
static uint64_t dc_node_change(DCNode *node, uint64_t key, uint64_t dpa,
                               uint64_t len)
{
    unsigned i = dc_node_child_at(node, key);
    uint64_t was;

    if (!node->height) {
        g_assert(node->key[i] == key);
        was = node->rec[i].len;
        node->key[i] = node->rec[i].dpa = dpa;
        node->rec[i].len = len;
        return was;
    }
    dc_node_prefetch(node->sub.child[i]);
    was = dc_node_change(node->sub.child[i], key, dpa, len);
    dc_node_adapt(node, i, was, len);
    return was;
}

void dc_set_insert(DCSet *set, const DCRec *rec)
{
    DCNode *right, *root;

    if (!set->root) {
        set->root = dc_node_new(set, 0);
    }
    right = dc_node_insert(set, set->root, rec);
    if (right) {
        root = dc_node_new(set, set->root->height + 1);
        root->n = 2;
        root->sub.child[0] = set->root;
        root->sub.child[1] = right;
        dc_node_sum(root, 0);
        dc_node_sum(root, 1);
        set->root = root;
    }
    set->count++;
}

void dc_set_remove(DCSet *set, uint64_t dpa)
{
    DCNode *root;

    g_assert(set->root);
    dc_node_remove(set, set->root, dpa);
    set->count--;
    while (set->root->height && set->root->n == 1) {
        root = set->root;
        set->root = root->sub.child[0];
        dc_node_free(set, root);
    }
    if (!set->root->n) {
        dc_node_free(set, set->root);
        set->root = NULL;
    }
}

void dc_set_change(DCSet *set, uint64_t key, uint64_t dpa, uint64_t len)
{
    g_assert(set->root);
    dc_node_change(set->root, key, dpa, len);
}

static void dc_node_free_all(DCNode *node)
{
    if (node->height) {
        for (unsigned i = 0; i < node->n; i++) {
            dc_node_free_all(node->sub.child[i]);
        }
    }
    g_free(node);
}

void dc_set_clear(DCSet *set)
{
    if (set->root) {
        dc_node_free_all(set->root);
    }
    memset(set, 0, sizeof(*set));
}

static const DCRec *dc_cursor_rec(const DCCursor *cur)
{
    return cur->leaf ? &cur->leaf->rec[cur->at] : NULL;
}

/* Who walks looks at what the records refer to, and then at the next leaf */
static void dc_cursor_prefetch(const DCCursor *cur)
{
    const DCNode *leaf = cur->leaf;

    if (!leaf) {
        return;
    }
    __builtin_prefetch(leaf->next);
    for (unsigned i = cur->at; i < leaf->n; i++) {
        __builtin_prefetch(leaf->rec[i].ref);
    }
}

const DCRec *dc_set_next(DCCursor *cur)
{
    if (cur->leaf && ++cur->at >= cur->leaf->n) {
        cur->leaf = cur->leaf->next;
        cur->at = 0;
        if (cur->walks) {
            dc_cursor_prefetch(cur);
        }
    }
    return dc_cursor_rec(cur);
}

const DCRec *dc_set_from(const DCSet *set, uint64_t dpa, DCCursor *cur)
{
    const DCNode *node = set->root;

    cur->leaf = NULL;
    cur->at = 0;
    cur->walks = false;
    if (!node) {
        return NULL;
    }
    while (node->height) {
        node = node->sub.child[dc_node_child_at(node, dpa)];
        dc_node_prefetch(node);
    }
    cur->leaf = node;
    cur->at = dc_node_child_at(node, dpa);
    if (node->key[cur->at] <= dpa &&
        !dc_rec_holds(&node->rec[cur->at], dpa)) {
        return dc_set_next(cur);
    }
    return dc_cursor_rec(cur);
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
    cur->walks = true;
    if (k >= set->count) {
        return NULL;
    }
    while (node->height) {
        for (i = 0; k >= node->sub.count[i]; i++) {
            k -= node->sub.count[i];
        }
        node = node->sub.child[i];
    }
    cur->leaf = node;
    cur->at = k;
    dc_cursor_prefetch(cur);
    return dc_cursor_rec(cur);
}

const DCRec *dc_set_first_fit(const DCSet *set, uint64_t len)
{
    const DCNode *node = set->root;

    while (node) {
        unsigned i = 0;

        while (i < node->n && dc_node_item_longest(node, i) < len) {
            i++;
        }
        if (i == node->n) {
            return NULL;
        }
        if (!node->height) {
            return &node->rec[i];
        }
        node = node->sub.child[i];
    }
    return NULL;
}

const DCRec *dc_set_longest(const DCSet *set)
{
    uint64_t longest = 0;

    for (unsigned i = 0; set->root && i < set->root->n; i++) {
        longest = MAX(longest, dc_node_item_longest(set->root, i));
    }
    return dc_set_first_fit(set, longest);
}

size_t dc_set_memory(const DCSet *set)
{
    return set->nodes * sizeof(DCNode);
}
