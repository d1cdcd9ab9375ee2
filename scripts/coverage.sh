#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the unit tests and qtests of a build that counts what runs, and prints
# the share of our lines and branches that did; the base's are not counted.
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
TEST_SLACK=${TEST_SLACK:-6} scripts/check.sh "$build" unit qtest

mkdir -p "$build/coverage"
filters=()
while read -r file; do
    filters+=(--filter "$(printf '%s' "build/src/$file" | sed 's/[.+]/\\&/g')$")
done < <(find hw include -name '*.[ch]' -o -name '*.c.inc')
say "counting; a page for each file is $build/coverage/index.html"
gcovr --root "$top" --object-directory "$build/qemu" "${filters[@]}" \
    --exclude-unreachable-branches --gcov-ignore-parse-errors \
    --html-details "$build/coverage/index.html" \
    --txt "$build/coverage/lines.txt" --print-summary "$build/qemu"
