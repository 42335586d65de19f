"""A registrar of one user: it asks for the password, and keeps what it was told."""

import hashlib
import re
import socket
import threading

NONCE = "5ca1ab1e"
REALM = "registrar"


def header(text, name):
    found = re.search(rf"^{name}: (.*?)\r?$", text, re.MULTILINE | re.IGNORECASE)
    return found.group(1) if found else ""


class Registrar:
    """Lives as long as the block. `granted` are the seconds of each REGISTER that it took."""

    def __init__(self, username, password):
        self._secret = (username, password)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.port = self._socket.getsockname()[1]
        self.granted = []
        self.contacts = []
        self.heard = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while not self._over.is_set():
            try:
                datagram, peer = self._socket.recvfrom(65_535)
            except TimeoutError:
                continue
            text = datagram.decode()
            self.heard.append(text)
            method = text.split(" ", 1)[0]
            if method == "REGISTER":
                self._register(text, peer)
            elif method == "INVITE":
                self._answer(text, peer, "486 Busy Here")

    def _register(self, text, peer):
        if not self._knows_password(header(text, "Authorization")):
            challenge = f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", qop="auth"\r\n'
            return self._answer(text, peer, "401 Unauthorized", challenge)
        contact = header(text, "Contact")
        seconds = int(header(text, "Expires"))
        self.granted.append(seconds)
        self.contacts.append(contact)
        self._answer(text, peer, "200 OK", f"Contact: {contact}\r\n" if seconds else "")

    def _knows_password(self, line):
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', line))
        if not given:
            return False

        def md5(*parts):
            return hashlib.md5(":".join(parts).encode()).hexdigest()

        username, password = self._secret
        expected = md5(md5(username, REALM, password), NONCE, given["nc"], given["cnonce"], "auth",
                       md5("REGISTER", given["uri"]))
        return given["username"] == username and given["response"] == expected

    def _answer(self, text, peer, status, fields=""):
        copied = "".join(f"{name}: {header(text, name)}\r\n"
                         for name in ("Via", "From", "Call-ID", "CSeq"))
        self._socket.sendto(
            f"SIP/2.0 {status}\r\n{copied}To: {header(text, 'To')};tag=theirs\r\n{fields}"
            "Content-Length: 0\r\n\r\n".encode(), peer)
