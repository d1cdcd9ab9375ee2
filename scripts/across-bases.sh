#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Is two QEMUs: the one that loads a stream, and the one for all else. Machines
# are of a version that both have.
# usage: scripts/across-bases.sh QEMU LOADING-QEMU ARGUMENT...
qemu=$1 loading=$2
shift 2
args=()
for arg in "$@"; do
    case $arg in
    q35|q35,*) arg=pc-q35-10.0${arg#q35} ;;
    -incoming) qemu=$loading ;;
    esac
    args+=("$arg")
done
exec "$qemu" "${args[@]}"
