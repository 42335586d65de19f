"""What the tests of this folder share: the switch under test, the peers, what they leave behind.

A test is a unittest.TestCase that derives from Case. Every process is ended by its pid, every wait
has an end, and the logs of a failed test are printed.
"""

import argparse
import ctypes
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import rtp

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
CLONE_NEWNET = 0x40000000
REQUIRED = os.environ.get("TRUNKLINE_REQUIRE_SHARED") == "1"

options = argparse.Namespace(switch=None, work=None, ports=0, shared=None, only=None)


def main(*more):
    """Runs the tests of the calling script; 77 when every one of them was skipped.

    `more` are options of that script alone: (name, its argparse keywords).
    """
    parser = argparse.ArgumentParser(description="calls with real peers")
    parser.add_argument("--switch", help="the program interop_switch, or softswitch")
    for name, how in more:
        parser.add_argument(name, **how)
    parser.add_argument("--work", required=True, type=pathlib.Path, help="for logs, emptied first")
    parser.add_argument("--ports", type=int, default=0, help="the first of 500 that are ours")
    parser.add_argument("--shared", type=pathlib.Path, help="captures")
    parser.add_argument("--only", help="run the tests whose name contains this")
    parser.parse_args(namespace=options)
    if options.work.exists():
        shutil.rmtree(options.work)
    options.work.mkdir(parents=True)
    options.work = options.work.resolve()
    loader = unittest.defaultTestLoader
    if options.only:
        loader.testNamePatterns = [f"*{options.only}*"]
    suite = loader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
    if not result.wasSuccessful() or result.testsRun + len(result.skipped) == 0:
        sys.exit(1)
    sys.exit(SKIPPED if len(result.skipped) >= result.testsRun else 0)


def need(present, what):
    """Skips the test, or fails it where everything has to be there."""
    if present:
        return
    if REQUIRED:
        raise AssertionError(f"TRUNKLINE_REQUIRE_SHARED=1, and there is no {what}")
    raise unittest.SkipTest(f"there is no {what} here")


def need_program(name):
    need(shutil.which(name), f"program {name}")


def need_raw_sockets():
    """SIPp sends the packets of a capture by raw sockets, and we count them on the wire."""
    need(os.geteuid() == 0, "right to open raw sockets")


def need_ipv6():
    """A container may have none, not even on its loopback device."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        raise unittest.SkipTest("there is no IPv6 here") from None


def shared_capture(name):
    path = (options.shared or pathlib.Path("nowhere")) / "data" / "pcap" / name
    need(path.exists(), f"shared capture {path}")
    return path


def in_netns(name, make):
    """What make() returns, called in that network namespace: a socket made there stays there."""
    if not name:
        return make()
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(path):
        where = os.open(path, os.O_RDONLY)
        try:
            if libc.setns(where, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"setns {path}")
        finally:
            os.close(where)

    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        enter(f"/run/netns/{name}")
        return make()
    finally:
        enter(f"/proc/self/fd/{here}")
        os.close(here)


def wait_until(condition, seconds, what):
    """Returns what condition() returned first that was true."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.02)


class Process:
    """A program whose output is kept in a file."""

    def __init__(self, command, log, cwd=None, stdin=subprocess.DEVNULL, stdout=None, netns=None,
                 env=None):
        if netns:
            command = ["ip", "netns", "exec", netns, *command]
        self.words = [str(word) for word in command]
        self.log = log
        self._file = open(log, "wb")
        self.popen = subprocess.Popen(
            self.words, cwd=cwd, stdin=stdin, stdout=stdout or self._file,
            stderr=self._file, env=env,
        )

    def alive(self):
        return self.popen.poll() is None

    def wait(self, seconds):
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.words[0]} still runs after {seconds} s") from None

    def end(self):
        if self.alive():
            self.popen.terminate()
            try:
                self.popen.wait(3)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self._file.close()


class Switch(Process):
    """The switch under test. What it told so far is in `events`."""

    def __init__(self, arguments, log, netns=None):
        # What AddressSanitizer keeps of freed memory would drown what the switch keeps.
        sanitizer = [os.environ.get("ASAN_OPTIONS", ""), "quarantine_size_mb=4",
                     "thread_local_quarantine_size_kb=64"]
        super().__init__(
            [options.switch, *arguments], log, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            netns=netns, env={**os.environ, "ASAN_OPTIONS": ":".join(sanitizer)},
        )
        self.events = []
        self._told = log.with_suffix(".jsonl")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = self.wait_for("listening")["port"]

    def _read(self):
        with open(self._told, "wb") as told:
            for line in self.popen.stdout:
                told.write(line)
                told.flush()
                self.events.append(json.loads(line))

    def command(self, line):
        self.popen.stdin.write(line.encode() + b"\n")
        self.popen.stdin.flush()

    def told(self, event, **fields):
        return [
            one for one in list(self.events)
            if one["event"] == event and all(one.get(k) == v for k, v in fields.items())
        ]

    def wait_for(self, event, seconds=10, count=1, **fields):
        """The latest of `count` such events."""
        def found():
            if not self.alive() and not self._reader.is_alive():
                raise AssertionError(f"the switch has ended, code {self.popen.returncode}")
            return len(self.told(event, **fields)) >= count
        wait_until(found, seconds, f"{count} of {event} {fields or ''}")
        return self.told(event, **fields)[count - 1]

    def calls(self):
        before = len(self.told("count"))
        self.command("count")
        return self.wait_for("count", count=before + 1)["calls"]

    def resident_kib(self):
        for line in pathlib.Path(f"/proc/{self.pid()}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def pid(self):
        return self.popen.pid

    def end(self):
        """Its input ends, so it does; a sanitizer's verdict is in its exit code."""
        try:
            self.popen.stdin.close()
        except BrokenPipeError:
            pass
        try:
            code = self.popen.wait(10)
        except subprocess.TimeoutExpired:
            self.popen.send_signal(signal.SIGABRT)
            code = f"none in 10 s, {self.popen.wait()} by SIGABRT"
        self._reader.join(5)
        super().end()
        if code != 0:
            raise AssertionError(f"the switch ended with code {code}")


class Case(unittest.TestCase):
    """Gives each test a folder, ports of its own, and ends what the test started."""

    maxDiff = None
    _next_port = 0

    def setUp(self):
        self.work = options.work / self._testMethodName
        self.work.mkdir()
        self._started = 0
        if Case._next_port > 300:
            Case._next_port = 0
        self.addCleanup(self._show_logs_of_failure)

    def _show_logs_of_failure(self):
        errors = getattr(self._outcome, "errors", None)
        if errors is None:  # Python 3.11 and later keep them in the result.
            result = self._outcome.result
            errors = [(t, e) for t, e in result.failures + result.errors]
        if not any(test is self and error for test, error in errors):
            return
        for log in sorted(self.work.rglob("*")):
            if log.suffix in (".log", ".jsonl", ".messages", ".errors") and log.stat().st_size:
                text = log.read_bytes().decode(errors="replace")
                print(f"---- {log} (the last of {len(text)} characters)\n{text[-6000:]}")

    def port(self, span=2):
        """The first of `span` ports that nobody else here uses; even."""
        given = options.ports + Case._next_port
        Case._next_port += span + span % 2
        self.assertLess(Case._next_port, 500)
        return given

    def _log(self, name):
        self._started += 1
        return self.work / f"{self._started:02}-{name}.log"

    def switch(self, *arguments, listen="127.0.0.1:0", media_ports=40, netns=None):
        """Arguments are split at spaces; lists stand for themselves."""
        words = ["--listen", listen]
        if media_ports:
            first = self.port(media_ports)
            words += ["--media-ports", f"{first}-{first + media_ports - 1}"]
        for one in arguments:
            words += one.split() if isinstance(one, str) else one
        started = Switch(words, self._log("switch"), netns=netns)
        self.addCleanup(started.end)
        return started

    def process(self, command, name, **how):
        started = Process(command, self._log(name), **how)
        self.addCleanup(started.end)
        return started

    def scenario(self, name, **replacements):
        """A scenario of this folder; @NAME@ in it is replaced."""
        text = (HERE / "scenarios" / f"{name}.xml").read_text()
        usual = {"payload": 0, "media": "", "pause": 500}
        for key, value in {**usual, **replacements}.items():
            text = text.replace(f"@{key.upper()}@", str(value))
        self.assertNotRegex(text, "@[A-Z]+@")
        path = self.work / f"{name}-{self._started}.xml"
        path.write_text(text)
        return path

    def sipp(self, scenario, peer=None, at="127.0.0.1", port=None, service="+14155550100", calls=1,
             seconds=20, netns=None, sniffed=False, extra=(), logged=True, **replacements):
        """Starts SIPp: a caller when `peer` (host:port) is given, a carrier otherwise.

        When it is sniffed, heard() of what is returned are the RTP packets that it was sent, and
        heard(2) those to the port two after its own.
        """
        need_program("sipp")
        path = self.scenario(scenario, **replacements)
        port = port or self.port()
        media_port = self.port(6)
        if sniffed:  # Before it starts: nothing is to be missed.
            ports, device = [media_port, media_port + 2], "e0" if netns else "lo"
            sniffer = in_netns(netns, lambda: rtp.Sniffer(ports, device))
            self.addCleanup(sniffer.end)
        command = [
            "sipp", "-sf", path, "-i", at, "-p", port, "-mi", at, "-mp", media_port,
            "-cp", self.port(), "-m", calls, "-nostdin", "-timeout", seconds, "-timeout_error",
            "-s", service, "-trace_err", "-error_file", path.with_suffix(".errors"), *extra,
        ]
        if logged:
            command += ["-trace_msg", "-message_file", path.with_suffix(".messages")]
        if peer:
            command.append(peer)
        started = self.process(command, "sipp", cwd=self.work, netns=netns)
        started.port = port
        started.heard = lambda after=0: sniffer.rtp_to(media_port + after)
        started.messages = path.with_suffix(".messages")
        started.saw = lambda line, times=1: started.messages.exists() and (
            started.messages.read_text(errors="replace").count("\n" + line) >= times
        )
        if not peer:
            self._wait_bound(at, port, netns, "tcp" if "t1" in extra else "udp")
        return started

    def _wait_bound(self, at, port, netns, transport):
        """A peer is ready when its socket is in the kernel's list, of either family."""
        want = ":%04X " % port
        listing = ["cat", f"/proc/net/{transport}", f"/proc/net/{transport}6"]
        if netns:
            listing = ["ip", "netns", "exec", netns, *listing]
        wait_until(
            lambda: want in subprocess.run(listing, capture_output=True, text=True).stdout,
            5, f"a socket at {at}:{port}",
        )

    def passes(self, sipp, seconds=20):
        """SIPp's own verdict: every call went as its scenario says."""
        self.assertEqual(sipp.wait(seconds), 0, "SIPp's scenario failed")


def sipp_messages(path):
    """What SIPp sent and received: (seconds since the first, "sent" or "received", text)."""
    import datetime
    import re

    heading = re.compile(r"^-{40,} (\d{4}-\d\d-\d\d)[ \t]+(\d\d:\d\d:\d\d\.\d+)", re.M)
    text = path.read_text(errors="replace")
    marks = list(heading.finditer(text))
    found = []
    first = None
    for mark, following in zip(marks, marks[1:] + [None]):
        part = text[mark.end():following.start() if following else len(text)]
        at = datetime.datetime.fromisoformat(f"{mark[1]}T{mark[2][:15]}")
        first = first or at
        way = "sent" if "message sent" in part.split(":", 1)[0] else "received"
        body = part.split("\n\n", 1)[1] if "\n\n" in part else part
        found.append(((at - first).total_seconds(), way, body))
    return found
