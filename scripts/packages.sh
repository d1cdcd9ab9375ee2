# SPDX-License-Identifier: GPL-2.0-or-later
# Which packages of the distribution a step needs, and installing what is
# missing with the system's own apt; sourced. Needs say.sh.
#
# The system's apt setup is used as it is: no source is added, no setting
# changed. What Debian itself does not offer (meson on Debian 12) comes
# through archive.sh.

PACKAGES_BUILD="gcc g++ libc6-dev make ninja-build pkgconf python3 python3-venv
    perl flex bison dpkg-dev xz-utils debian-archive-keyring
    libglib2.0-dev libpixman-1-dev libslirp-dev libfdt-dev libattr1-dev
    libcap-ng-dev libjson-glib-dev libsqlite3-dev"
PACKAGES_FIRMWARE="seabios ovmf qemu-system-data ipxe-qemu"
PACKAGES_FUZZ="clang libclang-rt-dev"
PACKAGES_KERNEL="bc cpio gzip libelf-dev kmod"
PACKAGES_AARCH64="gcc-aarch64-linux-gnu libc6-dev-arm64-cross"

# as_root COMMAND...: runs it as root, or fails when there is no way to.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        return 1
    fi
}

packages_missing() {
    local name
    for name in "$@"; do
        case $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) in
        "ii "*) ;;
        *) printf '%s ' "$name" ;;
        esac
    done
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends "$@" </dev/null >&2
}

# need_packages NAME...: ends the script when something is missing that
# cannot be installed.
need_packages() {
    local missing
    if ! command -v dpkg-query >/dev/null; then
        say "not a Debian system; needed are the counterparts of: $*"
        return 0
    fi
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    say "missing packages: $missing"
    if [ "${INSTALL_PACKAGES:-yes}" = no ]; then
        die "install them with: apt-get install $missing"
    fi
    # the first try fails on a machine whose package lists are empty or old
    # shellcheck disable=SC2086
    if ! apt_install $missing; then
        as_root apt-get -q update >&2 && apt_install $missing ||
            die "could not install them; as root: apt-get install $missing"
    fi
}
