#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mctp and mctpd for the guest, with D-Bus. No suite of Debian has a package of
# the two, so they are those that this machine has in its path; dbus-daemon,
# busctl and the libraries are Debian's. build/mctpd is their tree; where this
# machine lacks them there is none.
# usage: scripts/mctpd.sh
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 0 "$@"
. "$top/scripts/archive.sh"
. "$top/scripts/guest-tree.sh"

cd "$top"
rm -f build/mctpd
PATH=$PATH:/usr/local/sbin:/usr/sbin
mctp=$(command -v mctp) && mctpd=$(command -v mctpd) || exit 0
guest_tree mctpd "dbus-daemon libsystemd0 systemd" \
    "bin/dbus-daemon bin/busctl $mctp $mctpd"
