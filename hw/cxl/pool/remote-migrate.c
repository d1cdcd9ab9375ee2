/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heads of a pool that cxl-poold has go to another QEMU of the same machine,
 * which takes them over: no byte of the pool travels
 * (docs/interop/cxl-pool.rst)
 *
 * A head that was handed over, and one whose machine is still to come, are
 * parked: they attach when the machine runs.  That is how the destination takes
 * over, and how the source goes on where the migration has failed.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "migration/colo.h"
#include "migration/misc.h"
#include "migration/options.h"
#include "migration/qemu-file-types.h"
#include "migration/register.h"
#include "migration/vmstate.h"
#include "hw/cxl/cxl_error.h"
#include "remote.h"

/* What a section of the stream has */
#define SECTION_NOTHING     0
#define SECTION_HEADS       1

#define SECTION_VERSION     1

static bool remote_is_there(const RemoteHead *h)
{
    return !qemu_uuid_is_null(&h->instance);
}

/* -- to attach again ------------------------------------------------------ */

static bool remote_waits(const CXLPoolRemote *r)
{
    for (unsigned i = 0; i < r->nr_heads; i++) {
        const RemoteHead *h = &r->head[i];

        if (remote_is_there(h) && !h->attached && !h->lost) {
            return true;
        }
    }
    return false;
}

/* As whom it attaches, it is parked no more */
static bool remote_unpark_all(CXLPoolRemote *r)
{
    bool some = false;

    for (unsigned i = 0; i < r->nr_heads; i++) {
        RemoteHead *h = &r->head[i];

        if (h->parked) {
            h->parked = false;
            h->handover = (QemuUUID) { };
            some = true;
            if (r->greeted) {
                cxl_remote_send_attach(h);
            }
        }
    }
    return some;
}

static bool remote_unpark(CXLPoolRemote *r, Error **errp)
{
    int64_t end = cxl_remote_deadline();
    Error *err = NULL;

    if (!remote_unpark_all(r)) {
        return true;
    }
    while (remote_waits(r)) {
        if (!cxl_remote_connect(r, end, errp)) {
            return false;
        }
        if (!cxl_remote_wait(r, end, &err)) {
            if (cxl_remote_is_connected(r) ||
                qemu_clock_get_ms(QEMU_CLOCK_REALTIME) >= end) {
                error_propagate(errp, err);
                return false;
            }
            /* The daemon has ended, and may be there again at once */
            error_free(err);
            err = NULL;
        }
    }
    return true;
}

/* Processors and devices must find what they had */
static void remote_runs(void *opaque, bool running, RunState state)
{
    CXLPoolRemote *r = opaque;
    Error *err = NULL;

    if (running && !remote_unpark(r, &err)) {
        g_autofree char *id = cxl_echo(cxl_pool_id(r->pool));

        error_reportf_err(err, "cxl-pool '%s': the machine runs without the "
                          "capacity of its heads: ", id);
    }
}

/* -- saving --------------------------------------------------------------- */

static bool remote_can_leave(const CXLPoolRemote *r, Error **errp)
{
    for (unsigned i = 0; i < r->nr_heads; i++) {
        if (remote_is_there(&r->head[i]) && !r->head[i].attached) {
            g_autofree char *id = cxl_echo(cxl_pool_id(r->pool));

            error_setg(errp, "head %u of cxl-pool '%s' is not attached to its "
                       "cxl-poold, which has to hand it over", i, id);
            return false;
        }
    }
    return true;
}

static bool remote_is_migration(const CXLPoolRemote *r, Error **errp)
{
    g_autofree char *id = cxl_echo(cxl_pool_id(r->pool));

    if (runstate_check(RUN_STATE_SAVE_VM) || migration_in_bg_snapshot()) {
        error_setg(errp, "cxl-pool '%s' is that of a cxl-poold: others write "
                   "to its memory, which no snapshot could put back", id);
        return false;
    }
    if (migrate_colo()) {
        error_setg(errp, "cxl-pool '%s' is that of a cxl-poold, which has "
                   "each of its heads in one machine at a time, not in the two "
                   "of x-colo", id);
        return false;
    }
    return true;
}

/* One in the background is refused here, where QEMU survives that */
static int remote_migrates(NotifierWithReturn *notifier, MigrationEvent *event,
                           Error **errp)
{
    CXLPoolRemote *r = container_of(notifier, CXLPoolRemote, migrates);

    return event->type == MIG_EVENT_PRECOPY_SETUP &&
           !remote_is_migration(r, errp) ? -EINVAL : 0;
}

/* Nothing of it has left yet: what is wrong is said before the machine stops */
static int remote_save_setup(QEMUFile *f, void *opaque, Error **errp)
{
    CXLPoolRemote *r = opaque;

    if (!remote_is_migration(r, errp)) {
        return -EINVAL;
    }
    /* A migration before this one may have left them so in a stopped machine */
    if (!remote_unpark(r, errp) || !remote_can_leave(r, errp)) {
        return -EINVAL;
    }
    r->left = false;
    qemu_put_byte(f, SECTION_NOTHING);
    return 0;
}

/*
 * What hosts have sanitized is overwritten while the machine runs.  The rest of
 * it is, as is that of the memory, what may be left for the time in which the
 * machine stands still.
 */
static void remote_pending(void *opaque, uint64_t *must_precopy,
                           uint64_t *can_postcopy)
{
    CXLPoolRemote *r = opaque;

    BQL_LOCK_GUARD();
    *must_precopy += r->pool->wipe.left;
}

static int remote_save_iterate(QEMUFile *f, void *opaque)
{
    CXLPoolRemote *r = opaque;

    BQL_LOCK_GUARD();
    qemu_put_byte(f, SECTION_NOTHING);
    cxl_remote_overwrite(r);
    /* The memory's turn comes in between */
    return 1;
}

static bool remote_is_leaving(const CXLPoolRemote *r)
{
    for (unsigned i = 0; i < r->nr_heads; i++) {
        if (r->head[i].parked && !r->head[i].handed) {
            return true;
        }
    }
    return false;
}

/* All answers came before the daemon's word that a head is handed over */
static bool remote_hand_over(CXLPoolRemote *r, Error **errp)
{
    int64_t end = cxl_remote_deadline();

    if (!remote_can_leave(r, errp)) {
        return false;
    }
    cxl_remote_leave(r);
    timer_del(r->walk);
    for (unsigned i = 0; i < r->nr_heads; i++) {
        if (remote_is_there(&r->head[i])) {
            cxl_remote_send_handover(&r->head[i]);
        }
    }
    while (remote_is_leaving(r)) {
        if (!cxl_remote_wait(r, end, errp)) {
            return false;
        }
    }
    return true;
}

static bool remote_head_is_sound(const RemoteHead *h)
{
    return qemu_uuid_is_null(&h->handover) || (remote_is_there(h) && h->parked);
}

static void remote_forget_stream(CXLPoolRemote *r)
{
    for (unsigned i = 0; i < r->nr_heads; i++) {
        r->head[i].handover = (QemuUUID) { };
        r->head[i].heard = 0;
    }
}

/* What it was before there was a stream is forgotten, as is a reset */
static int remote_post_load(void *opaque, int version_id)
{
    CXLPoolRemote *r = opaque;

    for (unsigned i = 0; i < r->nr_heads; i++) {
        if (!remote_head_is_sound(&r->head[i])) {
            error_report("the stream has head %u of a cxl-pool, and this "
                         "machine has no such device", i);
            return -EINVAL;
        }
    }
    for (unsigned i = 0; i < r->nr_heads; i++) {
        RemoteHead *h = &r->head[i];

        if (!qemu_uuid_is_null(&h->handover)) {
            h->instance = h->handover;
            h->lives = true;
            h->last_id = 0;
            cxl_remote_forget_requests(h);
        } else {
            h->heard = 0;
        }
        h->handover = (QemuUUID) { };
    }
    return 0;
}

static const VMStateDescription vmstate_remote_head = {
    .name = "cxl-pool-remote-head",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(handover.data, RemoteHead, sizeof(QemuUUID)),
        VMSTATE_UINT64(heard, RemoteHead),
        VMSTATE_END_OF_LIST()
    },
};

/* Heads of a pool with other memory would be somebody else's */
static const VMStateDescription vmstate_remote = {
    .name = "cxl-pool-remote",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = remote_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64_EQUAL(dev, CXLPoolRemote,
                             "it has to be the same cxl-poold"),
        VMSTATE_UINT64_EQUAL(ino, CXLPoolRemote,
                             "it has to be the same cxl-poold"),
        VMSTATE_UINT16_EQUAL(nr_heads, CXLPoolRemote,
                             "it has to be the same cxl-poold"),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT16(head, CXLPoolRemote, nr_heads,
                                             vmstate_remote_head, RemoteHead),
        VMSTATE_END_OF_LIST()
    },
};

/* Before any device is saved, so that what came for one is in its state */
static int remote_save_complete(QEMUFile *f, void *opaque)
{
    CXLPoolRemote *r = opaque;
    Error *err = NULL;

    /* Behind a postcopy as well, with nothing to add */
    if (r->left) {
        qemu_put_byte(f, SECTION_NOTHING);
        return 0;
    }
    if (!remote_hand_over(r, &err)) {
        g_autofree char *id = cxl_echo(cxl_pool_id(r->pool));

        error_prepend(&err, "cxl-pool '%s': ", id);
        migration_file_set_error(-EIO, err);
        return -EIO;
    }
    r->left = true;
    qemu_put_byte(f, SECTION_HEADS);
    return vmstate_save_state(f, &vmstate_remote, r, NULL, &error_abort);
}

static int remote_load_heads(CXLPoolRemote *r, QEMUFile *f)
{
    Error *err = NULL;
    int ret;

    if (!runstate_check(RUN_STATE_INMIGRATE) ||
        migration_incoming_colo_enabled()) {
        error_report("heads of a cxl-poold's pool come with a migration only");
        return -EINVAL;
    }
    ret = vmstate_load_state(f, &vmstate_remote, r, SECTION_VERSION, &err);
    if (ret) {
        remote_forget_stream(r);
    }
    if (err) {
        error_report_err(err);
    }
    return ret;
}

static int remote_load(QEMUFile *f, void *opaque, int version_id)
{
    switch (qemu_get_byte(f)) {
    case SECTION_NOTHING:
        return 0;
    case SECTION_HEADS:
        return remote_load_heads(opaque, f);
    default:
        return -EINVAL;
    }
}

static const SaveVMHandlers remote_handlers = {
    .save_setup = remote_save_setup,
    .state_pending_estimate = remote_pending,
    .state_pending_exact = remote_pending,
    .save_live_iterate = remote_save_iterate,
    .save_complete = remote_save_complete,
    .load_state = remote_load,
};

/* -- life ----------------------------------------------------------------- */

void cxl_remote_migrate_init(CXLPoolRemote *r)
{
    r->section = g_strdup_printf("cxl-pool-remote/%.200s",
                                 cxl_pool_id(r->pool));
    register_savevm_live(r->section, VMSTATE_INSTANCE_ID_ANY, SECTION_VERSION,
                         &remote_handlers, r);
    migration_add_notifier(&r->migrates, remote_migrates);
    r->runs = qemu_add_vm_change_state_handler_prio(remote_runs, r, INT_MIN);
}

void cxl_remote_migrate_exit(CXLPoolRemote *r)
{
    qemu_del_vm_change_state_handler(r->runs);
    migration_remove_notifier(&r->migrates);
    unregister_savevm(NULL, r->section, r);
    g_free(r->section);
}
