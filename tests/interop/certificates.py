"""A root of a test's own, and certificates by it."""

import subprocess

import peers


class Authority:
    def __init__(self, case):
        peers.need_program("openssl")
        self._folder = case.work
        self.root = case.work / "ca.pem"
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key",
                      "-out", "ca.pem", "-subj", "/CN=a root of tests", "-days", 2)

    def _openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, cwd=self._folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def issue(self, name):
        """(certificate, key) of whoever is called `name` and lives at 127.0.0.1."""
        (self._folder / f"{name}.names").write_text(f"subjectAltName=DNS:{name},IP:127.0.0.1\n")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
                      f"{name}.csr", "-subj", f"/CN={name}")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                      "-CAcreateserial", "-days", 2, "-extfile", f"{name}.names", "-out",
                      f"{name}.pem")
        return self._folder / f"{name}.pem", self._folder / f"{name}.key"
