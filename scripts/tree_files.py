# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of this tree: what git has of it, or all that was not built."""

import os
import shutil
import subprocess


def tree_files(top):
    """Paths, sorted, of the files that belong to the tree."""
    if os.path.exists(os.path.join(top, '.git')) and shutil.which('git'):
        done = subprocess.run(
            ['git', '-C', top, 'ls-files', '-z', '--cached', '--others',
             '--exclude-standard'], stdout=subprocess.PIPE, check=False)
        # it does not look at a tree that is another user's
        if done.returncode == 0:
            return sorted(path for path in set(done.stdout.decode().split('\0'))
                          if os.path.isfile(os.path.join(top, path)))
    found = []
    for where, dirs, names in os.walk(top):
        dirs[:] = [name for name in dirs if name != '__pycache__' and
                   not (where == top and (name == 'build' or
                                          name.startswith('build-')))]
        found += [os.path.relpath(os.path.join(where, name), top)
                  for name in names if not name.endswith(('~', '.o'))]
    return sorted(found)
