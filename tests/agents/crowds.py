"""A softswitch, many callers, and many agents behind sockets: what the tests of a crowd share."""

import json
import pathlib
import queue
import re
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))
import peers  # noqa: E402

PATIENCE = 60  # Seconds: for what takes milliseconds where nobody compiles.
FIRST = 14_155_550_100


def options(*more):
    """What a script of this folder is called with that has a crowd in it."""
    return (("--crowd", {"type": pathlib.Path, "required": True, "help": "the program crowd"}),
            ("--echo-bots", {"type": pathlib.Path, "required": True}), *more)


class Crowd(peers.Process):
    """The callers (crowd/main.cpp). What they told so far is in `events`."""

    def __init__(self, port, log):
        super().__init__([peers.options.crowd, port], log, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        self.events = []
        self._windows = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.popen.stdout:
            event = json.loads(line)
            if event["event"] == "windows":
                self._windows.put(event["windows"])
            else:
                self.events.append(event)

    def command(self, line):
        self.popen.stdin.write(line.encode() + b"\n")
        self.popen.stdin.flush()

    def call(self, *numbers):
        for number in numbers:
            self.command(f"call {number}")

    def told(self, event):
        """The events of that kind by the number that was called."""
        return {one["number"]: one for one in list(self.events) if one["event"] == event}

    def until(self, event, count, seconds=PATIENCE):
        return peers.wait_until(
            lambda: len(self.told(event)) >= count and self.told(event), seconds,
            f"{count} calls tell of `{event}`, but {len(self.told(event))}")

    def windows(self):
        """By name: sent, back, twice, and p50, p99, most in milliseconds."""
        self.command("tell")
        return {one["name"]: one for one in self._windows.get(timeout=PATIENCE)}

    def end(self):
        try:
            self.popen.stdin.close()
        except BrokenPipeError:
            pass
        super().end()


class Crowds(peers.Case):
    """Numbers of one trunk, each with an agent, and perhaps somebody who stands in for it."""

    def switch_of(self, numbers, agents=""):
        """`numbers` is {number: agent, or (agent, fallback)}; sets log, port and process."""
        lines = []
        for number, agent in numbers.items():
            agent, fallback = agent if isinstance(agent, tuple) else (agent, None)
            also = f', fallback = "{fallback}"' if fallback else ""
            lines.append(f'  {{ number = "{number}", agent = "{agent}"{also} }},\n')
        span = 4 * len(numbers) + 16  # Those of a call that has ended rest for a while.
        first = self.port(span)
        config = self.work / "softswitch.toml"
        config.write_text(
            f'listen = ["udp:127.0.0.1:0"]\n'
            'allow_private_urls = true\n'
            f'media = {{ at = "127.0.0.1", ports = "{first}-{first + span - 1}" }}\n'
            f'[agents]\n{agents}\n[[trunk]]\nname = "carrier"\nallow_from = ["127.0.0.0/8"]\n'
            f'outbound = false\nchannels = 1000\ncps = 10000\nnumbers = [\n{"".join(lines)}]\n')
        self.records_file = self.work / "records.json"
        self.softswitch = self.process(
            [peers.options.switch, "--config", config, "--cdr", self.records_file], "softswitch")
        found = peers.wait_until(
            lambda: re.search(r" on udp:127\.0\.0\.1:(\d+)", self.log()), PATIENCE,
            "softswitch listens")
        self.sip_port = int(found[1])

    def log(self):
        return self.softswitch.log.read_text(errors="replace")

    def records(self, count):
        """By number, when so many calls have ended."""
        def read():
            text = self.records_file.read_text() if self.records_file.exists() else ""
            return text if text.count("\n") >= count else None
        text = peers.wait_until(read, PATIENCE, f"{count} records")
        return {one["number"]: one for one in map(json.loads, text.splitlines())}

    def callers(self):
        started = Crowd(self.sip_port, self._log("crowd"))
        self.addCleanup(started.end)
        return started

    def echo_bots(self, ports):
        """(process, its URLs)"""
        process = self.process([peers.options.echo_bots, ports], "echo_bots")
        found = peers.wait_until(
            lambda: re.search(r"listening on(( \d+)+)\n", process.log.read_text()), PATIENCE,
            "the bots listen")
        return process, [f"ws://127.0.0.1:{port}" for port in found[1].split()]

    def memory_kib(self, what="VmRSS"):
        """VmRSS is what softswitch has now, VmHWM the most that it had."""
        status = pathlib.Path(f"/proc/{self.softswitch.popen.pid}/status").read_text()
        return int(re.search(rf"^{what}:\s+(\d+) kB", status, re.M)[1])


def numbers(count, first=0):
    return [f"+{FIRST + first + i}" for i in range(count)]


def pause(seconds):
    """A stretch of time in which something is measured, and nothing is waited for."""
    time.sleep(seconds)
