/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: whose processes may be at the other end of a socket
 */
#include "qemu/osdep.h"
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "poold.h"

G_STATIC_ASSERT(sizeof(uid_t) == sizeof(uint32_t));
G_STATIC_ASSERT(sizeof(gid_t) == sizeof(uint32_t));

static bool access_find(const char *name, bool group, uint32_t *id)
{
    const struct passwd *user;
    const struct group *found;

    if (!qemu_strtoui(name, NULL, 10, id)) {
        return *id != UINT32_MAX;
    }
    if (group) {
        found = getgrnam(name);
        *id = found ? found->gr_gid : 0;
        return found;
    }
    user = getpwnam(name);
    *id = user ? user->pw_uid : 0;
    return user;
}

bool access_add(PooldAccess *a, const char *who, Error **errp)
{
    GArray **ids = &a->users;
    const char *name;
    uint32_t id;

    if (strstart(who, "group:", &name)) {
        ids = &a->groups;
    } else if (!strstart(who, "user:", &name)) {
        error_setg(errp, "'%s' is neither user:NAME nor group:NAME", who);
        return false;
    }
    if (!access_find(name, ids == &a->groups, &id)) {
        error_setg(errp, "there is no %s", who);
        return false;
    }
    if (!*ids) {
        *ids = g_array_new(FALSE, FALSE, sizeof(id));
    }
    g_array_append_val(*ids, id);
    return true;
}

void access_clear(PooldAccess *a)
{
    g_clear_pointer(&a->users, g_array_unref);
    g_clear_pointer(&a->groups, g_array_unref);
}

bool access_is_wide(const PooldAccess *a)
{
    return a->users || a->groups;
}

static bool access_has(const GArray *ids, uint32_t id)
{
    for (guint i = 0; ids && i < ids->len; i++) {
        if (g_array_index(ids, uint32_t, i) == id) {
            return true;
        }
    }
    return false;
}

/* The process was in this group when it connected, besides its first one */
static bool access_has_group(const GArray *groups, int fd)
{
    g_autofree uint32_t *gid = NULL;
    socklen_t len = 0;

    /* The kernel says how much room it takes */
    if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) ||
        errno != ERANGE) {
        return false;
    }
    gid = g_malloc(len);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gid, &len)) {
        return false;
    }
    for (size_t i = 0; i < len / sizeof(*gid); i++) {
        if (access_has(groups, gid[i])) {
            return true;
        }
    }
    return false;
}

bool access_allows(const PooldAccess *a, int fd, uid_t *user)
{
    struct ucred cred = { };
    socklen_t len = sizeof(cred);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len)) {
        *user = UINT32_MAX;
        return false;
    }
    *user = cred.uid;
    return !cred.uid || cred.uid == geteuid() ||
           access_has(a->users, cred.uid) || access_has(a->groups, cred.gid) ||
           (a->groups && access_has_group(a->groups, fd));
}
