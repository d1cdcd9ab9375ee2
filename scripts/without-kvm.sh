#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a QEMU with each "-accel kvm" turned into "-accel tcg": the base's ACPI
# tables of reference are those of a guest under TCG, KVM's differ by host.
# usage: scripts/without-kvm.sh QEMU ARGUMENT...
args=()
for arg in "$@"; do
    [ "$arg" = kvm ] && [ "${args[-1]}" = -accel ] && arg=tcg
    args+=("$arg")
done
exec "${args[@]}"
