#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds what the named suites need, runs them with `meson test` and closes
# with one line: N passed, N failed.
# usage: scripts/check.sh BUILD SUITE...
# MESON_TEST_ARGS holds further arguments of `meson test`.
# TEST_SLACK multiplies the time limits of the tests [3].
# COUNT=later leaves that line to whoever runs this several times.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 2 "$@"
build=$1
shift
cd "$top"

scripts/build.sh "$build" tests
select=()
for suite in "$@"; do
    select+=(--suite "$suite")
    case $suite in
    guest|guest-short)
        scripts/kernel.sh
        scripts/ndctl.sh
        scripts/ndctl.sh newest || say "the test of the newest ndctl is skipped"
        scripts/mctpd.sh || say "the guest test of mctpd is skipped" ;;
    esac
    if [ "$suite" = aarch64 ]; then
        scripts/kernel.sh aarch64
        scripts/uefi-aarch64.sh
        scripts/glib-aarch64.sh
        run_ninja "$build/own" tests/guest/guest-init-aarch64 \
            tests/guest/cxl-fm-aarch64
    fi
    if [ "$suite" = lying ]; then
        scripts/kernel.sh
        scripts/ndctl.sh
    fi
    if [ "$suite" = lines ]; then
        scripts/kernel.sh lines
        scripts/ndctl.sh
    fi
    if [ "$suite" = kernels ]; then
        scripts/ndctl.sh
        scripts/debian-kernel.sh trixie
        scripts/debian-kernel.sh trixie-backports
    fi
    if [ "$suite" = nested ]; then
        scripts/kernel.sh
        scripts/kernel.sh nested
        run_ninja "$build/qemu" tests/qtest/cxl/cxl-direct-vfio-test
    fi
done

# the time limits in the tests are those of an idle machine
slack=${TEST_SLACK:-3}
logs=$build/own/meson-logs
rm -f "$logs"/testlog.json "$logs"/testlog.junit.xml
status=0
# shellcheck disable=SC2086
"$build/qemu/pyvenv/bin/meson" test -C "$build/own" --no-rebuild \
    --print-errorlogs -t "$slack" "${select[@]}" ${MESON_TEST_ARGS:-} || status=$?
[ "${COUNT:-}" = later ] || /usr/bin/python3 scripts/count.py "$logs" || exit 1
exit "$status"
