#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The base's checkpatch.pl, whose warnings count, over every C file of this tree,
# and a look for marks of a merge, which compile inside of a comment; one TAP case per file, its
# complaints as comments.
# usage: scripts/check-style.sh SOURCE-OF-THE-BASE
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 1 "$@"
checkpatch=$1/scripts/checkpatch.pl
cd "$top" || exit 1

mapfile -t files < <(
    find hw include qapi tests tools stubs util system compat \
        \( -name '*.c' -o -name '*.h' -o -name '*.inc' \) 2>/dev/null | sort)
echo "1..${#files[@]}"
number=0
for file in ${files[@]+"${files[@]}"}; do
    number=$((number + 1))
    if complaints=$(perl "$checkpatch" --no-tree --terse --no-summary \
                         -f "$file" 2>&1 &&
                    ! grep -HnE '^(<{7}|={7}|>{7})( |$)' "$file") && [ -z "$complaints" ]; then
        echo "ok $number $file"
    else
        echo "not ok $number $file"
        printf '%s\n' "$complaints" | sed 's/^/# /'
    fi
done
