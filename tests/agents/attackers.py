"""Agents that behave badly, each in its own way: the path of the URL names it.

attackers.py listens on a port of loopback, says which, and ends with its standard input.
"""

import base64
import hashlib
import json
import os
import re
import socket
import struct
import sys
import threading
import time

TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
MIB = 1_048_576


def frame(payload, opcode=TEXT, masked=False):
    """As a server sends it, unless it is masked, which only a client may (RFC 6455 section 5.1)."""
    if isinstance(payload, str):
        payload = payload.encode()
    size, mask = len(payload), 0x80 if masked else 0
    if size < 126:
        head = bytes([0x80 | opcode, mask | size])
    elif size < 65_536:
        head = struct.pack("!BBH", 0x80 | opcode, mask | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, mask | 127, size)
    return head + (b"\0\0\0\0" if masked else b"") + payload


def media(size=160):
    payload = base64.b64encode(b"\x30" * size).decode()
    return json.dumps({"event": "media", "streamSid": "MZ", "media": {"payload": payload}})


def mark(name):
    return json.dumps({"event": "mark", "streamSid": "MZ", "mark": {"name": name}})


def head_of(connection):
    """What a client asks for, up to the empty line."""
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(4_096)
        if not more:
            raise ConnectionError("it left in the middle of its request")
        head += more
    return head.decode("latin-1")


def agreement(head):
    """The answer that opens a WebSocket."""
    key = re.search(r"^Sec-WebSocket-Key: (\S+)", head, re.M)[1]
    accept = base64.b64encode(
        hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
    return (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


def drain(connection):
    """Reads what there is until the other side closes."""
    while connection.recv(65_536):
        pass


def reading(connection):
    def read():
        try:
            drain(connection)
        except OSError:
            pass
    threading.Thread(target=read, daemon=True).start()


def flood(connection, batch):
    while True:
        connection.sendall(batch)


# Within an open WebSocket.

def media_flood(connection):
    reading(connection)
    flood(connection, frame(media()) * 64)


def mark_flood(connection):
    flood(connection, b"".join(frame(mark(f"m{i}")) for i in range(256)))


def clear_flood(connection):
    reading(connection)
    flood(connection, frame('{"event":"clear","streamSid":"MZ"}') * 256)


def ping_flood(connection):
    """Each is to be answered (section 5.5.2), and none of the answers is read."""
    flood(connection, frame(b"", PING) * 1_024)


def nonsense(connection):
    reading(connection)
    for one in ("", "{", "[]", "null", "[" * 10_000, '{"event":"media"}', '{"event":"mark"}',
                '{"event":"media","media":{"payload":"***"}}', '{"event":"media","media":null}',
                '{"event":7}', '"' + "\\u0000" * 5_000 + '"'):
        connection.sendall(frame(one) * 200)


def no_utf8(connection):
    connection.sendall(frame(b"\xff\xfe\xc0\x80"))
    drain(connection)


def binaries(connection):
    reading(connection)
    flood(connection, frame(os.urandom(1_000), BINARY) * 32)


def four_mib(connection):
    """As long as a message may be: 3 MiB of audio, six minutes, in base64."""
    reading(connection)
    longest = frame(media(3 * (4 * MIB - 4_096) // 4))
    for _ in range(3):
        connection.sendall(longest)


def five_mib(connection):
    reading(connection)
    connection.sendall(frame(media(3 * 5 * MIB // 4)))
    drain(connection)


def never_reads(_):
    time.sleep(3_600)


def masked(connection):
    connection.sendall(frame(media(), masked=True))
    drain(connection)


def reserved_opcode(connection):
    connection.sendall(frame(b"", 0x0b))
    drain(connection)


def closes_1011(connection):
    connection.sendall(frame(struct.pack("!H", 1_011) + b"no memory", CLOSE))
    drain(connection)


# Instead of one.

def slow_loris(connection, head):
    for byte in agreement(head):
        connection.sendall(bytes([byte]))
        time.sleep(0.2)


def answers_302(connection, _):
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:9/\r\n"
                       b"Content-Length: 0\r\n\r\n")


def answers_401(connection, _):
    connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\n"
                       b"Content-Length: 0\r\n\r\n")


def huge_head(connection, _):
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
    flood(connection, b"X-Padding: " + b"a" * 60_000 + b"\r\n")


OPEN = {one.__name__: one for one in (
    media_flood, mark_flood, clear_flood, ping_flood, nonsense, no_utf8, binaries, four_mib,
    five_mib, never_reads, masked, reserved_opcode, closes_1011)}
CLOSED = {one.__name__: one for one in (slow_loris, answers_302, answers_401, huge_head)}


def serve(connection):
    with connection:
        try:
            head = head_of(connection)
            name = head.split(" ")[1].lstrip("/")
            if name in CLOSED:
                return CLOSED[name](connection, head)
            connection.sendall(agreement(head))
            OPEN[name](connection)
            drain(connection)
        except OSError:
            pass  # The other side has had enough.


def main():
    with socket.create_server(("127.0.0.1", 0), backlog=64) as door:
        print(f"listening on ws://127.0.0.1:{door.getsockname()[1]}", flush=True)

        def accept():
            while True:
                threading.Thread(target=serve, args=door.accept()[:1], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
