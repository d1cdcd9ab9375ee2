/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory slots and direct mapping: a vhost-user back end that can take few
 * regions of memory, before the mapping and after it.  What there is no slot
 * for works all the same, by traps (CXL r3.2 8.2.4.20, 9.13.3).
 */
#include "qemu/osdep.h"
#include <sys/un.h>
#include "qemu/bswap.h"
#include "qemu/sockets.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "cxl-qtest-map.h"

#define STATIC { 0, CXL_STATIC }

/* -- a vhost-user back end: says yes to all, and how many slots it has -- */

enum {
    GET_FEATURES = 1,
    GET_PROTOCOL_FEATURES = 15,
    GET_CONFIG = 24,
    GET_MAX_MEM_SLOTS = 36,
};
#define VERSION_1               (1ull << 32)
#define HAS_PROTOCOL_FEATURES   (1ull << 30)
#define HAS_CONFIG              (1ull << 9)
#define HAS_MEM_SLOTS           (1ull << 15)
#define IS_REPLY                (1u << 2 | 1)

typedef struct Backend {
    char *dir;
    char *path;
    int listener;
    uint64_t slots;
    GThread *thread;
    int link;                   /* -1 while there is none */
} Backend;

/* Return: false at the end; descriptors that come with it are closed */
static bool take(int fd, void *to, size_t len)
{
    size_t got = 0;

    while (got < len) {
        char control[CMSG_SPACE(8 * sizeof(int))];
        struct iovec iov = { (uint8_t *)to + got, len - got };
        struct msghdr msg = {
            .msg_iov = &iov, .msg_iovlen = 1,
            .msg_control = control, .msg_controllen = sizeof(control),
        };
        ssize_t n = RETRY_ON_EINTR(recvmsg(fd, &msg, 0));

        if (n <= 0) {
            return false;
        }
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c;
             c = CMSG_NXTHDR(&msg, c)) {
            for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                 i++) {
                close(((int *)CMSG_DATA(c))[i]);
            }
        }
        got += n;
    }
    return true;
}

static bool answer(Backend *b, uint32_t request, const void *body, size_t len)
{
    uint8_t head[12];

    stl_he_p(head, request);
    stl_he_p(head + 4, IS_REPLY);
    stl_he_p(head + 8, len);
    return send(b->link, head, sizeof(head), MSG_NOSIGNAL) == sizeof(head) &&
           send(b->link, body, len, MSG_NOSIGNAL) == len;
}

static bool answer_u64(Backend *b, uint32_t request, uint64_t value)
{
    uint8_t body[8];

    stq_he_p(body, value);
    return answer(b, request, body, sizeof(body));
}

static bool serve_one(Backend *b)
{
    uint8_t head[12], body[4096];
    uint32_t len;

    if (!take(b->link, head, sizeof(head))) {
        return false;
    }
    len = ldl_he_p(head + 8);
    g_assert_cmpuint(len, <=, sizeof(body));
    if (len && !take(b->link, body, len)) {
        return false;
    }
    switch (ldl_he_p(head)) {
    case GET_FEATURES:
        return answer_u64(b, GET_FEATURES, VERSION_1 | HAS_PROTOCOL_FEATURES);
    case GET_PROTOCOL_FEATURES:
        return answer_u64(b, GET_PROTOCOL_FEATURES,
                          HAS_CONFIG | HAS_MEM_SLOTS);
    case GET_MAX_MEM_SLOTS:
        return answer_u64(b, GET_MAX_MEM_SLOTS, b->slots);
    case GET_CONFIG:
        /* a disk of no size: what was asked for, all zero */
        return answer(b, GET_CONFIG, body, len);
    }
    return true;
}

/* One link after the other: QEMU tries again when it does not like us */
static void *serve(void *opaque)
{
    Backend *b = opaque;
    int fd;

    while ((fd = accept(b->listener, NULL, NULL)) >= 0) {
        qatomic_set(&b->link, fd);
        while (serve_one(b)) {
            continue;
        }
        qatomic_set(&b->link, -1);
        close(fd);
    }
    return NULL;
}

static void backend_start(Backend *b, uint64_t slots)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };

    b->slots = slots;
    b->link = -1;
    b->dir = g_dir_make_tmp("cxl-slots-XXXXXX", NULL);
    g_assert_nonnull(b->dir);
    b->path = g_build_filename(b->dir, "link", NULL);
    g_strlcpy(to.sun_path, b->path, sizeof(to.sun_path));
    b->listener = qemu_socket(AF_UNIX, SOCK_STREAM, 0);
    g_assert_cmpint(bind(b->listener, (struct sockaddr *)&to, sizeof(to)), ==,
                    0);
    g_assert_cmpint(listen(b->listener, 1), ==, 0);
    b->thread = g_thread_new("vhost-user", serve, b);
}

/* It ends, as a back end does that crashes */
static void backend_end(Backend *b)
{
    int link = qatomic_read(&b->link);

    shutdown(b->listener, SHUT_RDWR);
    if (link >= 0) {
        shutdown(link, SHUT_RDWR);
    }
    g_thread_join(b->thread);
}

static void backend_free(Backend *b)
{
    close(b->listener);
    unlink(b->path);
    rmdir(b->dir);
    g_free(b->path);
    g_free(b->dir);
}

/* -- the machine -- */

/* Memory that another process can map, else vhost-user does not count it */
#define SHARED \
    "-object memory-backend-ram,id=vm0,size=256M,share=on " \
    "-object memory-backend-ram,id=dc0,size=512M,share=on "
#define DISK_PORT "-device pcie-root-port,id=plug,bus=pcie.0,chassis=9 "

static QTestState *start(CxlDev *dev, const Backend *b, const char *more)
{
    g_autofree char *link = b ?
        g_strdup_printf("-chardev socket,id=link,path=%s "
                        "-device vhost-user-blk-pci,num-queues=1,chardev=link,"
                        "bus=plug ",
                        b->path) : NULL;
    QTestState *qts = cxl_start(SHARED "-device " CXL_DCD_DEVICE " "
                                DISK_PORT "%s%s", link ?: "", more);

    cxl_probe(qts, 0, dev);
    return qts;
}

/* Blocks first, first + 2, ...: each a piece of its own */
static void hold(CxlDev *dev, unsigned first, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const CxlExtent e = { R0(first + 2 * i), BLOCKS(1), first + 2 * i };

        cxl_hold(dev, &e, 1);
    }
}

static void memory_works(QTestState *qts, uint64_t hpa, unsigned first,
                         unsigned n)
{
    qtest_writeq(qts, hpa + CXL_STATIC - 8, MARK);
    for (unsigned i = 0; i < n; i++) {
        qtest_writeq(qts, hpa + R0(first + 2 * i) + 8, MARK + i);
    }
    g_assert_cmphex(qtest_readq(qts, hpa + CXL_STATIC - 8), ==, MARK);
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex(qtest_readq(qts, hpa + R0(first + 2 * i) + 8), ==,
                        MARK + i);
    }
}

/* Blocks held from 1 on: static memory and the first of them are mapped */
static unsigned pieces(QTestState *qts, unsigned held)
{
    CxlRange want[64] = { STATIC };
    unsigned n = 0;

    for (;;) {
        g_autofree char *why = map_why(qts, n ? want[n].base : 0);

        if (!g_str_equal(why, "direct")) {
            g_assert_cmpstr(why, ==, "no-slots");
            break;
        }
        if (n++ == held) {
            break;
        }
        want[n] = (CxlRange) { R0(2 * n - 1), BLOCKS(1) };
    }
    map_is(qts, want, n);
    return n;
}

static void without_slots_all_traps_until_there_are_some(void)
{
    const CxlRange all[] = { STATIC, { R0(1), BLOCKS(1) },
        { R0(3), BLOCKS(1) } };
    g_autofree char *log = NULL, *said = NULL, *args = NULL, *why = NULL;
    int fd = g_file_open_tmp("cxl-trace-XXXXXX", &log, NULL);
    CxlDev dev;
    Backend b;
    QTestState *qts;
    uint64_t hpa;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    backend_start(&b, 2);
    args = g_strdup_printf("-trace enable=cxl_direct_refused -D %s", log);
    qts = start(&dev, &b, args);
    hpa = cxl_map(&dev, ALL_DPA);
    hold(&dev, 1, 1);
    map_is(qts, NULL, 0);
    map_trap_is(qts, 0, "no-slots");
    map_trap_is(qts, R0(1), "no-slots");
    map_trap_is(qts, R0(2), "not-accepted");
    memory_works(qts, hpa, 1, 1);

    backend_end(&b);
    do {
        g_free(why);
        why = map_why(qts, 0);
    } while (g_str_equal(why, "no-slots"));
    map_is(qts, all, 2);
    hold(&dev, 3, 1);
    map_is(qts, all, 3);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1) + 8), ==, MARK);
    memory_works(qts, hpa, 1, 2);
    qtest_quit(qts);
    g_assert_true(g_file_get_contents(log, &said, NULL, NULL));
    g_assert_nonnull(strstr(said, "cxl_direct_refused"));
    g_assert_nonnull(strstr(said, "no-slots"));
    unlink(log);
    backend_free(&b);
}

static void as_many_are_mapped_as_there_is_room_for(void)
{
    enum { ALL = 24, SLOTS = 16 };
    unsigned was;
    CxlDev dev;
    Backend b;
    QTestState *qts;
    uint64_t hpa;

    backend_start(&b, SLOTS);
    qts = start(&dev, &b, "");
    hpa = cxl_map(&dev, ALL_DPA);
    hold(&dev, 1, ALL);
    was = pieces(qts, ALL);
    g_assert_cmpuint(was, >, 1);
    g_assert_cmpuint(was, <, SLOTS);
    memory_works(qts, hpa, 1, ALL);
    /* and it stays at that, whatever else changes */
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmphex(fm_release_tag(&dev, REL_FORCED, BLOCKS(1),
                                       1 + 2 * i), ==, 0);
        map_trap_is(qts, R0(2 * was - 1), "direct");
        map_trap_is(qts, R0(2 * was + 1), "no-slots");
        hold(&dev, 1 + 2 * i, 1);
        g_assert_cmpuint(pieces(qts, ALL), ==, was);
    }
    qtest_quit(qts);
    backend_end(&b);
    backend_free(&b);
}

static void a_back_end_that_comes_too_late_is_refused(void)
{
    CxlDev dev;
    Backend b;
    QTestState *qts;
    uint64_t hpa;
    QDict *rsp;
    const char *why;

    backend_start(&b, 4);
    qts = start(&dev, NULL, "");
    hpa = cxl_map(&dev, ALL_DPA);
    hold(&dev, 1, 8);
    g_assert_cmpuint(pieces(qts, 8), ==, 9);
    qtest_qmp_assert_success(
        qts, "{'execute': 'chardev-add', 'arguments': {'id': 'link', 'backend':"
        " {'type': 'socket', 'data': {'server': false, 'addr': {'type': 'unix',"
        " 'data': {'path': %s}}}}}}", b.path);
    rsp = qtest_qmp(qts, "{'execute': 'device_add', 'arguments': {'driver':"
                    " 'vhost-user-blk-pci', 'id': 'disk', 'num-queues': 1,"
                    " 'chardev': 'link', 'bus': 'plug'}}");
    g_assert_true(qdict_haskey(rsp, "error"));
    why = qdict_get_str(qdict_get_qdict(rsp, "error"), "desc");
    g_assert_nonnull(strstr(why, "slots"));
    qobject_unref(rsp);
    g_assert_cmpuint(pieces(qts, 8), ==, 9);
    memory_works(qts, hpa, 1, 8);
    qtest_quit(qts);
    backend_end(&b);
    backend_free(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/direct-slots/" #f, f)
    T(without_slots_all_traps_until_there_are_some);
    T(as_many_are_mapped_as_there_is_room_for);
    T(a_back_end_that_comes_too_late_is_refused);
    return g_test_run();
}
