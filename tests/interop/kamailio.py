"""Kamailio with a configuration of this folder, in which every @NAME@ is replaced."""

import pathlib
import socket

import peers


def start(case, config, port, words=(), **values):
    """Returns its process when it answers by UDP at 127.0.0.1:`port`, which is @PORT@."""
    peers.need_program("kamailio")
    modules = next(iter(pathlib.Path("/usr/lib").glob("**/kamailio/modules")), None)
    peers.need(modules, "folder of Kamailio's modules")
    if "WITH_TLS" in words:
        peers.need((modules / "tls.so").exists(), "TLS module of Kamailio's")
    text = (peers.HERE / config).read_text()
    for name, value in {"port": port, "modules": f"{modules}/", **values}.items():
        text = text.replace(f"@{name.upper()}@", str(value))
    path = case.work / config
    path.write_text(text)
    process = case.process(
        ["kamailio", "-f", path, "-DD", "-E", "-m", 16, "-M", 4, "-w", case.work, "-Y", case.work,
         "-P", case.work / "kamailio.pid", *words],
        "kamailio",
    )
    peers.wait_until(lambda: answers(port), 20, "an answer of Kamailio")
    return process


def answers(port):
    """Bound is not yet served: its children come after its sockets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        probe.connect(("127.0.0.1", port))
        here = "%s:%d" % probe.getsockname()
        try:
            probe.send(
                f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {here};"
                f"branch=z9hG4bKprobe\r\nMax-Forwards: 70\r\nFrom: <sip:probe@{here}>;tag=p\r\n"
                f"To: <sip:127.0.0.1:{port}>\r\nCall-ID: probe@{here}\r\nCSeq: 1 OPTIONS\r\n"
                "Content-Length: 0\r\n\r\n".encode()
            )
            return probe.recv(4096).startswith(b"SIP/2.0 200")
        except OSError:
            return False
