"""As much of RFC 6455 as a client needs that also has to send what no library would."""

import base64
import hashlib
import json
import os
import socket
import struct
import threading
import urllib.parse

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Closed(Exception):
    """The other side closed, with this code; 1006 where it did not say goodbye."""

    def __init__(self, code):
        super().__init__(f"closed with {code}")
        self.code = code


class WebSocket:
    """One connection. One thread receives; any may send."""

    def __init__(self, url, seconds=20):
        parts = urllib.parse.urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port or 80), seconds)
        self._socket.settimeout(seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sending = threading.Lock()
        self._got = b""
        self._shake_hands(parts)

    def _shake_hands(self, parts):
        key = base64.b64encode(os.urandom(16)).decode()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._socket.sendall(
            f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
            .encode())
        while b"\r\n\r\n" not in self._got:
            self._read_more()
        head, _, self._got = self._got.partition(b"\r\n\r\n")
        wanted = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        if b" 101 " not in head.split(b"\r\n")[0] + b" " or base64.b64encode(wanted) not in head:
            raise Closed(head.split(b"\r\n")[0].decode(errors="replace"))

    def fileno(self):
        return self._socket.fileno()

    def send(self, payload, opcode=None):
        """Bytes are binary, text is text, anything else is its JSON."""
        if opcode is None:
            opcode = BINARY if isinstance(payload, bytes) else TEXT
        if not isinstance(payload, (bytes, str)):
            payload = json.dumps(payload)
        if isinstance(payload, str):
            payload = payload.encode()
        size = len(payload)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65_536:
            head += struct.pack("!BH", 0x80 | 126, size)
        else:
            head += struct.pack("!BQ", 0x80 | 127, size)
        mask = os.urandom(4)
        repeated = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big"))
        with self._sending:
            self._socket.sendall(head + mask + masked.to_bytes(size, "big"))

    def receive(self):
        """The next message, a str or bytes. Pings are answered on the way."""
        whole, kind = b"", None
        while True:
            final, opcode, payload = self._frame()
            if opcode == CLOSE:
                raise Closed(int.from_bytes(payload[:2], "big") or 1005)
            if opcode == PING:
                self.send(payload, PONG)
            elif opcode != PONG:
                kind = opcode or kind
                whole += payload
                if final:
                    return whole.decode() if kind == TEXT else whole

    def pending(self):
        """Whether a part of a message has been read already, which select() cannot know."""
        return bool(self._got)

    def _frame(self):
        first, second = self._take(2)
        size = second & 0x7F
        if size == 126:
            size, = struct.unpack("!H", self._take(2))
        elif size == 127:
            size, = struct.unpack("!Q", self._take(8))
        return first & 0x80, first & 0x0F, self._take(size)

    def _take(self, count):
        while len(self._got) < count:
            self._read_more()
        taken, self._got = self._got[:count], self._got[count:]
        return taken

    def _read_more(self):
        try:
            more = self._socket.recv(262_144)
        except ConnectionError:
            more = b""
        if not more:
            raise Closed(1006)
        self._got += more

    def close(self, code=1000):
        """Says goodbye and hears it: what is closed with bytes unread resets what was sent last."""
        try:
            self.send(struct.pack("!H", code), CLOSE)
            while True:
                self._frame()
        except (Closed, OSError):
            pass
        self.drop()

    def drop(self):
        """Without a goodbye."""
        self._socket.close()
