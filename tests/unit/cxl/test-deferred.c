/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device does to the outside after its operation: once, in its own time,
 * and not at all after a reset or an unplug
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "hw/deferred.h"
#include "state-bytes.h"

#define TYPE_OWNER "test-deferred-owner"

typedef struct Owner {
    Object parent_obj;
    DeviceDeferred deferred;
} Owner;

static Owner *owner;
static unsigned done, freed;
static void (*meanwhile)(void);

static void run(void *opaque)
{
    g_assert_true(opaque == owner || !owner);
    done++;
    if (meanwhile) {
        meanwhile();
    }
}

static void owner_finalize(Object *obj)
{
    freed++;
}

static void start(void)
{
    done = 0;
    freed = 0;
    meanwhile = NULL;
    owner = (Owner *)object_new(TYPE_OWNER);
    device_deferred_init(&owner->deferred, OBJECT(owner), run, owner);
}

static void stop(void)
{
    object_unref(OBJECT(owner));
    owner = NULL;
    g_assert_cmpuint(freed, ==, 1);
}

static bool iterate(void)
{
    return aio_poll(qemu_get_aio_context(), false);
}

static void settle(void)
{
    bool more;

    do {
        more = iterate();
    } while (more);
}

static void nothing_leaves_inside_the_operation(void)
{
    start();
    device_deferred_raise(&owner->deferred);
    g_assert_cmpuint(done, ==, 0);
    settle();
    g_assert_cmpuint(done, ==, 1);
    stop();
}

static void what_is_due_twice_is_done_once(void)
{
    start();
    device_deferred_raise(&owner->deferred);
    device_deferred_raise(&owner->deferred);
    settle();
    g_assert_cmpuint(done, ==, 1);
    stop();
}

static void a_reset_drops_what_is_due(void)
{
    start();
    device_deferred_raise(&owner->deferred);
    device_deferred_cancel(&owner->deferred);
    settle();
    g_assert_cmpuint(done, ==, 0);
    stop();
}

static void unplugs(void)
{
    device_deferred_raise(&owner->deferred);
    device_deferred_cancel(&owner->deferred);
    object_unref(OBJECT(owner));
    g_assert_cmpuint(freed, ==, 0);
    owner = NULL;
}

static void an_unplug_from_inside_frees_the_device_afterwards(void)
{
    start();
    meanwhile = unplugs;
    device_deferred_raise(&owner->deferred);
    settle();
    g_assert_cmpuint(done, ==, 1);
    g_assert_cmpuint(freed, ==, 1);
}

static void raises_again(void)
{
    device_deferred_raise(&owner->deferred);
}

static void an_endless_interrupt_leaves_time_for_others(void)
{
    start();
    meanwhile = raises_again;
    device_deferred_raise(&owner->deferred);
    for (unsigned i = 1; i <= 10; i++) {
        g_assert_true(iterate());
        g_assert_cmpuint(done, ==, i);
    }
    meanwhile = NULL;
    settle();
    stop();
}

static void what_is_due_travels(void)
{
    GByteArray *state;

    start();
    device_deferred_raise(&owner->deferred);
    state = state_save(&vmstate_device_deferred, &owner->deferred);
    settle();
    g_assert_cmpuint(done, ==, 1);

    g_assert_cmpint(state_load(&vmstate_device_deferred, &owner->deferred,
                               state->data, state->len), ==, 0);
    /* others are not loaded yet */
    settle();
    g_assert_cmpuint(done, ==, 1);
    state_machine_runs();
    settle();
    g_assert_cmpuint(done, ==, 2);
    g_byte_array_unref(state);
    stop();
}

static const TypeInfo owner_info = {
    .name = TYPE_OWNER,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(Owner),
    .instance_finalize = owner_finalize,
};

int main(int argc, char **argv)
{
    module_call_init(MODULE_INIT_QOM);
    qemu_init_main_loop(&error_abort);
    type_register_static(&owner_info);
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/deferred/" #f, f)
    T(nothing_leaves_inside_the_operation);
    T(what_is_due_twice_is_done_once);
    T(a_reset_drops_what_is_due);
    T(an_unplug_from_inside_frees_the_device_afterwards);
    T(an_endless_interrupt_leaves_time_for_others);
    T(what_is_due_travels);
    return g_test_run();
}
