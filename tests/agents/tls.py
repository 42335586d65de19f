"""Agents behind wss://: who shows the right certificate is spoken to, of the others the log says why."""

import ssl
import socket
import subprocess
import threading

from attackers import agreement, drain, head_of
from crowds import Crowds, PATIENCE, numbers, options, peers

CA_CONFIG = """\
[ca]
default_ca = ours
[ours]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


class Certificates:
    """A certification authority in a folder, and what it signs."""

    def __init__(self, folder):
        peers.need_program("openssl")
        self.folder = folder
        folder.mkdir()
        (folder / "index").touch()
        (folder / "serial").write_text("01\n")
        (folder / "config").write_text(CA_CONFIG)
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-days", "2", "-subj", "/CN=our CA", "-keyout", "ca.key", "-out", "ca.pem")
        self.ca = folder / "ca.pem"

    def _run(self, *words):
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, text=True,
                              timeout=PATIENCE)
        if done.returncode != 0:
            raise AssertionError(f"openssl {' '.join(words)}\n{done.stderr}")

    def _request(self, name, alternative):
        return ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={name}", "-keyout", f"{name}.key", "-addext", f"subjectAltName={alternative}")

    def signed(self, name, alternative, begins="20200101000000Z", ends="20991231235959Z"):
        """(certificate, key) by our authority."""
        self._run(*self._request(name, alternative), "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={alternative}\n")
        self._run("ca", "-batch", "-config", "config", "-cert", "ca.pem", "-keyfile", "ca.key",
                  "-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", f"{name}.ext",
                  "-startdate", begins, "-enddate", ends, "-notext")
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def self_signed(self, name, alternative):
        self._run(*self._request(name, alternative), "-x509", "-days", "2", "-out", f"{name}.pem")
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


class Tls(Crowds):
    def serve(self, certificate=None):
        """The port of an agent that agrees and listens; without a certificate, a web server that
        knows no TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if certificate:
            context.load_cert_chain(*certificate)
        door = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(door.close)

        def speak(connection):
            try:
                if not certificate:
                    connection.recv(4_096)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                    return connection.close()
                with context.wrap_socket(connection, server_side=True) as secure:
                    secure.sendall(agreement(head_of(secure)))
                    drain(secure)
            except OSError:
                connection.close()

        def accept():
            while True:
                try:
                    connection, _ = door.accept()
                except OSError:
                    return  # The test is over.
                threading.Thread(target=speak, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return door.getsockname()[1]

    def test_only_a_certificate_that_is_right_is_spoken_to(self):
        ours = Certificates(self.work / "certificates")
        by_name = self.serve(ours.signed("good", "DNS:localhost"))
        by_address = self.serve(ours.signed("address", "IP:127.0.0.1"))
        other = Certificates(self.work / "others")
        wrong = {
            f"wss://localhost:{self.serve(ours.signed('other', 'DNS:other.example'))}":
                "TLS: its certificate is of another name",
            f"wss://127.0.0.1:{by_name}": "TLS: its certificate is of another address",
            f"wss://localhost:{by_address}": "TLS: its certificate is of another name",
            f"wss://localhost:{self.serve(ours.signed('old', 'DNS:localhost', ends='20210101000000Z'))}":
                "TLS: its certificate: certificate has expired",
            f"wss://localhost:{self.serve(ours.self_signed('self', 'DNS:localhost'))}":
                "TLS: its certificate: self-signed certificate",
            f"wss://localhost:{self.serve(other.signed('foreign', 'DNS:localhost'))}":
                "TLS: its certificate: unable to get local issuer certificate",
            f"wss://localhost:{self.serve()}": "TLS: it does not speak TLS",
        }
        right = [f"wss://localhost:{by_name}", f"wss://127.0.0.1:{by_address}"]
        called = numbers(len(right) + 2 * len(wrong))
        good, refused, saved = (called[:len(right)], called[len(right):len(right) + len(wrong)],
                                called[len(right) + len(wrong):])
        self.switch_of({**dict(zip(good, right)), **dict(zip(refused, wrong)),
                        **{number: (url, "echo") for number, url in zip(saved, wrong)}},
                       agents=f'ca_file = "{ours.ca}"')
        crowd = self.callers()
        crowd.call(*called)
        answered = crowd.until("answered", len(good) + len(saved))
        self.assertEqual(sorted(answered), sorted(good + saved))
        told = crowd.until("refused", len(refused))
        self.assertEqual({one: told[one]["status"] for one in told}, dict.fromkeys(refused, 503))
        for url, why in wrong.items():
            self.assertEqual(self.log().count(f"no agent at {url}: {why}"), 2, (url, why))
        for url in right:
            self.assertNotIn(url, self.log())
        # Who stands in is heard, and the right ones are still there.
        peers.wait_until(lambda: crowd.windows()["begin"]["back"] > 10 * len(saved), PATIENCE,
                         "the fallbacks echo")
        self.assertFalse(crowd.told("bye"))

    def test_without_our_authority_its_certificates_are_worth_nothing(self):
        ours = Certificates(self.work / "certificates")
        url = f"wss://localhost:{self.serve(ours.signed('good', 'DNS:localhost'))}"
        called, = numbers(1)
        self.switch_of({called: url})
        crowd = self.callers()
        crowd.call(called)
        self.assertEqual(crowd.until("refused", 1)[called]["status"], 503)
        self.assertIn(f"no agent at {url}: TLS: its certificate: ", self.log())


if __name__ == "__main__":
    peers.main(*options())
