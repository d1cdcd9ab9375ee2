#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Removes what was built in every folder that ./configure was given with
# --build; a file that it did not make, as a fuzzer's corpus, stays there.
# usage: scripts/clean.sh
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 0 "$@"
cd "$top"

# folders of earlier configures are known by what is in them
{ cat build/folders 2>/dev/null || true
  for file in build*/signature; do realpath -m "$(dirname "$file")"; done
} | sort -u | while IFS= read -r folder; do
    [ -d "$folder" ] && [ "$folder" != "$PWD/build" ] || continue
    echo "rm $folder"
    (cd "$folder" && rm -rf qemu own own.log options signature src src.*)
    rmdir --ignore-fail-on-non-empty "$folder"
done
echo "rm $PWD/build"
rm -rf build
