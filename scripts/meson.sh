# SPDX-License-Identifier: GPL-2.0-or-later
# A meson that QEMU accepts; sourced. Needs say.sh, packages.sh, archive.sh.
#
# QEMU's configure looks for it among the modules of the python that it is
# given, so that this is what is asked here, not PATH.

MESON_NEEDED=1.5.0

meson_is_new_enough() {
    /usr/bin/python3 -c "
import re, sys
try:
    from mesonbuild.coredata import version
except ImportError:
    sys.exit(1)
def key(text):
    return [int(part) for part in re.findall('[0-9]+', text)[:3]]
sys.exit(key(version) < key('$MESON_NEEDED'))" 2>/dev/null
}

# need_meson CACHE: Debian 12's own is too old; that of its backports is
# installed as a file or, without the right to, unpacked into the cache; then
# MESON_MODULES names the folder of its modules.
need_meson() {
    local cache=$1 deb
    meson_is_new_enough && return
    if ! grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
        need_packages meson
        meson_is_new_enough && return
        die "meson $MESON_NEEDED or newer is needed for /usr/bin/python3"
    fi
    say "meson $MESON_NEEDED or newer is needed"
    deb=$(archive_binary "$cache" meson bookworm-backports) || exit 1
    if [ "${INSTALL_PACKAGES:-yes}" = yes ] && apt_install "$deb"; then
        meson_is_new_enough && return
    fi
    dpkg-deb -x "$deb" "$cache/meson"
    MESON_MODULES=$cache/meson/usr/lib/python3/dist-packages
    export PYTHONPATH=$MESON_MODULES
    meson_is_new_enough || die "the meson of Debian's backports does not run"
}
