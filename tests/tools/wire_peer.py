# SPDX-License-Identifier: GPL-2.0-or-later
"""A component on a TCP socket that answers what a test tells it to.

Frames (DSP0253), packets (DSP0236) and the CCI's message header (CXL r3.2
7.6.3) are written here a second time and on purpose: they check the bytes that
cxl-fm sends without the library that made them.
"""

import socket
import struct
import threading

FLAG, ESCAPE = 0x7e, 0x7d
UNIT = 64
CATEGORY_RESPONSE = 1


def fcs(data):
    """CRC-16 of X.25 without the final inversion."""
    value = 0xffff
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return value


def frame(packet):
    body = b''.join(bytes([ESCAPE, b ^ 0x20]) if b in (FLAG, ESCAPE) else
                    bytes([b]) for b in packet)
    head = bytes([1, len(packet)])
    return (bytes([FLAG]) + head + body +
            struct.pack('>H', fcs(head + packet)) + bytes([FLAG]))


# as Linux's mctp-serial sends them
assert frame(bytes.fromhex('010008c8008002')) == \
    bytes.fromhex('7e0107010008c80080022bc17e')
assert frame(bytes.fromhex('010908c8087e7d01')) == \
    bytes.fromhex('7e0108010908c8087d5e7d5d011bcd7e')


class WirePeer:
    """@answer(opcode, payload) returns (code, payload) or bytes of a message."""

    def __init__(self, answer):
        self.answer = answer
        self.trouble = None
        self.asked = []
        self.tags = []          # of MCTP, of the CCI
        self.acknowledged = []
        self.link = None
        self.listener = socket.socket()
        self.listener.bind(('127.0.0.1', 0))
        self.listener.listen(1)
        self.url = f'tcp:127.0.0.1:{self.listener.getsockname()[1]}'
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            with self.listener:
                while True:
                    link, _ = self.listener.accept()
                    with link:
                        self.talk(link)
        except (OSError, AssertionError) as error:
            self.trouble = error

    def byte(self, link):
        data = link.recv(1)
        if not data:
            raise EOFError
        return data[0]

    def packet(self, link):
        assert self.byte(link) == FLAG
        head = bytes([self.byte(link), self.byte(link)])
        assert head[0] == 1 and 5 <= head[1] <= 4 + UNIT, head
        data = bytearray()
        while len(data) < head[1]:
            byte = self.byte(link)
            assert byte != FLAG
            data.append(self.byte(link) ^ 0x20 if byte == ESCAPE else byte)
        check = bytes([self.byte(link), self.byte(link)])
        assert check == struct.pack('>H', fcs(head + data)), check
        assert self.byte(link) == FLAG
        return bytes(data)

    def message(self, link):
        body, sequence = b'', None
        while True:
            data = self.packet(link)
            version, target, source, flags = data[:4]
            if not flags & 8:
                self.take_acknowledgement(data)
                continue
            # whoever is there, from an endpoint that owns the tag
            assert (version, target) == (1, 0) and source >= 8 and flags & 8
            assert bool(flags & 0x80) == (sequence is None)
            assert sequence in (None, flags >> 4 & 3)
            sequence = (flags >> 4) + 1 & 3
            body += data[4:]
            if flags & 0x40:
                return source, flags & 7, body
            assert len(data) == 4 + UNIT

    def tell(self, conditions):
        """Event Notification (0106h) with tag 5, CCI tag 77h."""
        self.link.sendall(frame(
            bytes([1, 8, 0, 0xc8 | 5]) +
            struct.pack('<BBBBHBHHHH', 8, 0, 0x77, 0, 0x0106, 2, 0, 0, 0,
                        conditions)))

    def take_acknowledgement(self, packet):
        assert packet[:4] == bytes([1, 0, 8, 0xc0 | 5])
        assert packet[4:] == struct.pack('<BBBBHBHHH', 8, CATEGORY_RESPONSE,
                                         0x77, 0, 0x0106, 0, 0, 0, 0)
        self.acknowledged.append(0x77)

    def talk(self, link):
        self.link = link
        try:
            while True:
                source, tag, body = self.message(link)
                kind, category, number, _, opcode = struct.unpack(
                    '<BBBBH', body[:6])
                length = int.from_bytes(body[6:9], 'little')
                assert category == 0 and length == len(body) - 13
                assert kind == (7 if 0x51 <= opcode >> 8 <= 0x5f else 8)
                self.asked.append(opcode)
                self.tags.append((tag, number))
                reply = self.answer(opcode, body[13:])
                if isinstance(reply, tuple):
                    code, payload = reply
                    reply = struct.pack(
                        '<BBBBHBHHH', kind, CATEGORY_RESPONSE, number, 0,
                        opcode, len(payload) & 0xff, len(payload) >> 8, code,
                        0) + payload
                self.send(link, source, tag, reply)
        except EOFError:
            pass

    def send(self, link, source, tag, body):
        for number, at in enumerate(range(0, len(body), UNIT)):
            flags = tag | (number & 3) << 4
            flags |= (0x80 if at == 0 else 0)
            flags |= (0x40 if at + UNIT >= len(body) else 0)
            link.sendall(frame(bytes([1, source, 0, flags]) +
                               body[at:at + UNIT]))
