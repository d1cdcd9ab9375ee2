#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the unit tests, the qtests and those of cxl-poold and its machines in a
# build that counts what runs, and prints the share of our lines and branches that
# did; the base's are not counted.
# usage: scripts/coverage.sh BUILD
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 1 "$@"
build=$1
cd "$top"

scripts/build.sh "$build" tests
# counts of an earlier run would be added to
find "$build/qemu" -name '*.gcda' -delete
TEST_SLACK=${TEST_SLACK:-6} scripts/check.sh "$build" unit qtest heads poold

mkdir -p "$build/coverage"
say "counting; a page for each file is $build/coverage/index.html"
# files of ours are links in build/src, which gcovr follows
gcovr -j 2 --root "$top" --object-directory "$build/qemu" \
    --filter hw/ --filter include/ --fail-under-line 1 \
    --exclude-unreachable-branches --gcov-ignore-parse-errors \
    --html-details "$build/coverage/index.html" \
    --txt "$build/coverage/lines.txt" --print-summary "$build/qemu"
