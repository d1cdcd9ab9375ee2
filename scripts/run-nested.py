#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run QEMU in a guest, where KVM and VFIO are to be had, and report as TAP.

Around is a machine under TCG with AMD's virtualization, an IOMMU and a PCI
device to assign.  In it are this QEMU with its libraries and firmware, the
test guest once more, and qtests.  What is run is in steps().

Exit status: as of run-guest.py, which does the work.
"""

import argparse
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
QEMU = '/bin/qemu-system-x86_64'
# Where qtests find a QEMU that has KVM
KVM_QEMU = '/kvm/qemu-system-x86_64'
FIRMWARE = ['bios-256k.bin', 'kvmvapic.bin', 'linuxboot_dma.bin']
QTESTS = ['cxl-decoders-test', 'cxl-direct-test', 'cxl-direct-slots-test',
          'cxl-direct-vfio-test']
# qtest's clock is not to be had with KVM
NOT_WITH_KVM = ['/x86_64/cxl/direct/disabled_media_traps_and_comes_back']
# The IOMMU does not remap interrupts: the device is ours and has none
APPEND = 'intel_iommu=on vfio_iommu_type1.allow_unsafe_interrupts=1'
ASSIGN = ('for d in /sys/bus/pci/devices/*; do read id <$d/device; '
          'if [ $id = 0x11e8 ]; then echo vfio-pci >$d/driver_override; '
          'echo ${d##*/} >/sys/bus/pci/drivers_probe; '
          'CXL_TEST_VFIO=${d##*/}; fi; done; export CXL_TEST_VFIO; ')


def load_runner():
    """run-guest.py, whose name is none of a module."""
    sys.path.insert(0, HERE)
    spec = importlib.util.spec_from_file_location(
        'run_guest', os.path.join(HERE, 'run-guest.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def libraries(program):
    """Name in the guest and file of what a program is linked with."""
    out = subprocess.run(['ldd', program], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    for path in re.findall(r'(/\S+) \(0x', out):
        yield path.lstrip('/'), path


def guest(runner, scenario, assign=''):
    """A command line for the guest in the guest; its words go to stdout."""
    args = runner.parse([
        '--qemu', QEMU, '--kernel', '/nested/bzImage', '--init', '-',
        '--scenario', scenario,
        '--append', 'trace_clock=local cxlcode=direct',
        '--dc-props', 'dc1-sharable=on'])
    line = shlex.join(runner.command_line(args, 'kvm', '/nested/initramfs',
                                          '/dev/ttyS0'))
    return f'{assign and ASSIGN}{line}{assign}'


def qtest(name, binary, *skip):
    words = ''.join(' -s ' + path for path in skip)
    return f'QTEST_QEMU_BINARY={binary} /nested/{name} --tap -k{words}'


def steps(runner):
    """Name and shell command, which says TAP."""
    yield 'slots-boot', guest(runner, 'boot')
    yield 'slots-code', guest(runner, 'code')
    yield 'slots-dcd', guest(runner, 'dcd')
    for name in QTESTS[:-1]:
        skip = [path for path in NOT_WITH_KVM
                if path.split('/')[3] == name[4:-5]]
        yield 'slots-' + name, qtest(name, KVM_QEMU, *skip)
    yield 'vfio-boot', guest(runner, 'boot',
                             ' -device vfio-pci,bus=pcie.0,'
                             'host=$CXL_TEST_VFIO')
    yield 'vfio-cxl-direct', ASSIGN + qtest(QTESTS[-1], QEMU)


def collect(args, runner, folder):
    """All files for the guest, as NAME=FILE."""
    def write(name, text):
        path = os.path.join(folder, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return path

    inner = os.path.join(folder, 'inner')
    runner.make_initramfs(inner, args.init, [])
    files = {
        'nested/initramfs': inner, 'nested/bzImage': args.kernel,
        'nested/steps': write('steps', ''.join(
            f'{name} {command}\n' for name, command in steps(runner)
            if name.startswith(args.step))),
        KVM_QEMU[1:]: write('kvm', f'#!/bin/sh\nexec {QEMU} -accel kvm -S '
                            '"$@"\n'),
        'bin/sh': os.path.realpath('/bin/sh'),
    }
    programs = [(QEMU[1:], args.qemu)]
    programs += [('nested/' + name, os.path.join(args.qtests, name))
                 for name in QTESTS]
    for name, path in programs:
        files[name] = os.path.join(folder, os.path.basename(path))
        subprocess.run(['strip', '-o', files[name], path], check=True)
        files.update(libraries(path))
    files.update(libraries(files['bin/sh']))
    for name in FIRMWARE:
        for where in runner.FIRMWARE:
            if os.path.exists(f'{where}/{name}'):
                files[f'{where[1:]}/{name}'] = f'{where}/{name}'
                break
    return [f'--add={name}={path}' for name, path in files.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--qemu', required=True, help='qemu-system-x86_64')
    parser.add_argument('--kernel', required=True, help='of the inner guest')
    parser.add_argument('--outer-kernel', required=True,
                        help='one that has KVM and VFIO')
    parser.add_argument('--init', required=True, help='static /init of both')
    parser.add_argument('--qtests', required=True, metavar='DIR')
    parser.add_argument('--step', default='', metavar='NAME',
                        help='only steps whose name begins like this')
    parser.add_argument('--console', help='keep the console log here')
    args = parser.parse_args()
    runner = load_runner()
    qtests = [os.path.join(args.qtests, name) for name in QTESTS]
    for what in [args.qemu, args.kernel, args.outer_kernel, args.init] + qtests:
        if not os.path.isfile(what):
            runner.die(runner.MISSING, f'{what} is missing')
    with tempfile.TemporaryDirectory(prefix='cxl-nested-') as folder:
        sys.argv = [
            'run-guest.py', '--qemu', args.qemu, '--kernel', args.outer_kernel,
            '--init', args.init, '--scenario', 'nested', '--accel', 'tcg',
            '--cpu', 'max', '--idle-limit', '300', '--limit', '2600',
            '--append', APPEND] + collect(args, runner, folder)
        if args.console:
            sys.argv += ['--console', args.console]
        return runner.main()


if __name__ == '__main__':
    sys.exit(main())
