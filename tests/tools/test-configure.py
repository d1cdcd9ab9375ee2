#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What configure, make clean, make shell and the scripts say before they do
anything.

They run in a copy of the tree's scripts, where packages are all installed.

usage: test-configure.py TREE
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

from cases import case, main

tree = sys.argv[1]


class Copy:
    """The scripts in a folder of their own."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='cxl-configure-')
        self.top = os.path.join(self.folder.name, 'tree')
        os.mkdir(self.top)
        for name in ('configure', 'Makefile'):
            shutil.copy(os.path.join(tree, name), self.top)
        for name in ('scripts', 'tools'):
            shutil.copytree(os.path.join(tree, name), self.path(name))
        self.write('bin/dpkg-query', '#!/bin/sh\necho "ii "\n', 0o755)
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def path(self, *names):
        return os.path.join(self.top, *names)

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def run(self, *words):
        env = dict(os.environ, HOME=self.folder.name,
                   PATH=self.path('bin') + ':' + os.environ['PATH'])
        env.pop('XDG_CACHE_HOME', None)
        # of the make that runs this test
        env.pop('MAKEFLAGS', None)
        return subprocess.run(words, cwd=self.top, env=env, text=True,
                              check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)

    def fails(self, want, *words):
        done = self.run(*words)
        assert done.returncode and want in done.stdout, done
        return done.stdout

    def base(self, *files):
        self.write('base/VERSION', '10.0.99\n')
        self.write('base/qapi/cxl.json', '')
        for name in files:
            self.write('base/' + name, '')
        return self.run('bash', '-c', '. scripts/say.sh; . scripts/base.sh; '
                        'base_find cache "$1"', 'sh', self.path('base'))


@case
def value_of_an_option_may_be_the_next_word():
    with Copy() as copy:
        for words in (['--base=/no/base'], ['--base', '/no/base']):
            copy.fails('error: --base=/no/base: no such folder or file',
                       './configure', '--no-packages', *words)
        copy.fails('error: --base needs a value', './configure', '--base')


@case
def source_that_cannot_be_built_is_refused_at_once():
    with Copy() as copy:
        done = copy.base()
        assert done.returncode and '.orig tarball' in done.stdout, done
        assert 'dpkg-source -x' in done.stdout, done
    for names in (['python/wheels/meson.whl'], ['debian/patches/series']):
        with Copy() as copy:
            done = copy.base(*names)
            assert not done.returncode, done
            assert done.stdout.strip() == copy.path('base'), done


def lists_of_an_archive(version):
    """An apt-cache that has one package, and an apt-get that fetches none."""
    return {'bin/apt-cache': f'echo "Version: 1:{version}"',
            'bin/apt-get': 'case $* in\n'
                           '*indextargets*) echo file:/no trixie main ;;\n'
                           '*update*) ;;\n*) exit 100 ;;\nesac'}


@case
def release_is_that_of_a_name():
    with Copy() as copy:
        copy.fails('error: --base-release=9.9: give one of ',
                   './configure', '--base-release=9.9')
        copy.fails('leave out --base-release', './configure',
                   '--base-release=newest', '--base=/no/base')


@case
def base_that_cannot_be_had_has_its_own_status():
    for version, want in (('99.0.0+ds-1', 'the archive has no qemu 10.'),
                          ('10.2.9+ds-1', 'could not fetch the source package '
                                          'qemu 1:10.2.9+ds-1')):
        with Copy() as copy:
            for name, text in lists_of_an_archive(version).items():
                copy.write(name, '#!/bin/sh\n' + text + '\n', 0o755)
            done = copy.run('./configure', '--no-packages',
                            '--base-release=newest')
            assert done.returncode == 75 and want in done.stdout, done


@case
def build_of_another_release_has_sources_of_its_own():
    with Copy() as copy:
        for release in ('10.0', '10.2'):
            at = f'.cache/qemu-cxl/qemu_{release}.9/'
            for name, text in (('VERSION', release + '.9\n'),
                               ('qapi/cxl.json', ''),
                               ('debian/patches/series', ''),
                               ('configure', '#!/bin/sh\nexit 1\n')):
                path = os.path.join(copy.folder.name, at, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(text)
        for name in ('base-corrections.toml', 'base-hooks.txt'):
            os.unlink(copy.path('scripts', name))
        for words in ([], ['--build=build-same', '--base-release=10.0'],
                      ['--build=build-new', '--base-release=newest']):
            copy.run('./configure', '--no-packages', *words)
        for folder, release in (('src', '10.0'), ('src-10.2', '10.2')):
            with open(copy.path('build', folder, 'VERSION'),
                      encoding='utf-8') as file:
                assert file.read() == release + '.9\n', folder
        assert not os.path.exists(copy.path('build/src-10.0'))


@case
def forgotten_options_are_named():
    with Copy() as copy:
        copy.write('build/options', '--enable-asan\n--debug\n')
        out = copy.fails('no longer used are these options of the last run: '
                         '--enable-asan\n', './configure', '--no-packages',
                         '--debug', '--base=/no/base')
        assert '--debug' not in out.split('--enable-asan', 1)[1], out
        out = copy.fails('', './configure', '--again', '--base=/no/base')
        assert 'no longer' not in out, out


@case
def clean_removes_each_build_folder():
    with Copy() as copy:
        copy.write('build/options', '--base=/no/base\n')
        for words in ([], ['--build=build-other'], ['--build', 'deep/er']):
            copy.fails('/no/base', './configure', '--no-packages', '--again',
                       *words)
        for folder in ('build', 'build-other', 'deep/er', 'build-old'):
            copy.write(folder + '/qemu/build.ninja', '')
            copy.write(folder + '/signature', '')
        copy.write('build-other/corpus/one', '')
        copy.write('build-mine/notes', '')
        done = copy.run('make', 'clean')
        assert not done.returncode, done
        left = sorted(n for n in os.listdir(copy.top) if 'build' in n)
        assert left == ['build-mine', 'build-other'], left
        assert os.listdir(copy.path('build-other')) == ['corpus']
        assert not os.path.exists(copy.path('deep/er'))


@case
def shell_says_what_is_missing_before_it_builds():
    with Copy() as copy:
        os.symlink('/bin/true', copy.path('bin/busybox'))
        copy.write('scripts/build.sh', '#!/bin/sh\necho builds\n', 0o755)
        out = copy.fails('a static busybox is missing', 'make', 'shell')
        assert 'builds' not in out, out


@case
def scripts_explain_themselves_and_do_nothing_else():
    scripts = [name for folder in ('scripts', 'tools') for name in
               glob.glob(f'{folder}/*.sh', root_dir=tree)]
    with Copy() as copy:
        seen = 0
        for name in scripts:
            with open(copy.path(name), encoding='utf-8') as file:
                usage = re.search(r'^# (usage: .*)\n', file.read(), re.M)
            # what runs the program that its arguments are has no options
            if not usage or name in ('scripts/across-bases.sh',
                                     'scripts/without-kvm.sh'):
                continue
            seen += 1
            for word in ('--help', '-h'):
                before = sorted(os.listdir(copy.top))
                done = copy.run(name, word)
                assert not done.returncode, (name, done)
                assert done.stdout.startswith(usage[1]), (name, done)
                assert sorted(os.listdir(copy.top)) == before, name
        assert seen > 10, seen
        copy.fails('usage: scripts/fuzz.sh BUILD', 'scripts/fuzz.sh')


@case
def table_of_commands_is_renewed_or_stays():
    program = 'build/qemu/tests/unit/cxl/test-cxl-command-table'
    page = 'docs/system/devices/cxl-commands.rst'
    text = ('Before\n.. commands: begin (generated)\n   0001h, Old\n'
            '   0002h, Same\n.. commands: end\nBehind\n')
    with Copy() as copy:
        copy.write('configure', '#!/bin/sh\n', 0o755)
        copy.write('bin/ninja', '#!/bin/sh\n'
                   'echo "$*"; ! grep -qs broken broken\n', 0o755)
        copy.write(program, '#!/bin/sh\n'
                   'printf "   0001h, New\\n   0002h, Same\\n"\n', 0o755)
        copy.write(page, text)
        copy.write('broken', 'broken')
        out = copy.fails('is as it was', 'scripts/update-commands.py')
        # the program that is asked is made anew first
        assert 'test-cxl-command-table' in out, out
        with open(copy.path(page), encoding='utf-8') as file:
            assert file.read() == text
        os.remove(copy.path('broken'))
        done = copy.run('scripts/update-commands.py')
        assert not done.returncode and done.stdout == (
            f'{page}: -    0001h, Old\n{page}: +    0001h, New\n'), done
        with open(copy.path(page), encoding='utf-8') as file:
            assert file.read() == text.replace('Old', 'New')
        done = copy.run('scripts/update-commands.py')
        assert 'has these commands already' in done.stdout, done
        done = copy.run('scripts/update-commands.py', '--help')
        assert not done.returncode and 'update-commands.py [BUILD]' in \
            done.stdout, done


main()
