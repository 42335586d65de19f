#!/usr/bin/env python3
"""Runs an example as its reader would: run.py CASE --bin DIRECTORY --assets DIRECTORY

Every port is the kernel's choice, told by the program that got it, so that tests may run side by
side. What was said has to be found in what was heard by phone's own measure."""

import argparse
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

SECONDS = 30


class Running:
    """A program that says on which port it listens, ended with the block."""

    def __init__(self, *command, told_on="stderr"):
        self.command = [str(word) for word in command]
        pipes = {told_on: subprocess.PIPE}
        self.process = subprocess.Popen(self.command, text=True, **pipes)
        self.told = getattr(self.process, told_on)
        line = self.told.readline()
        found = re.search(r" on (\S+):(\d+)$", line)
        if not found:
            raise AssertionError(f"{self.command} said {line!r}")
        self.host, self.port = found.group(1), found.group(2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.ended()

    def ended(self):
        """The exit status of a program that ends by itself."""
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.told.close()


def run(*command, status=0):
    command = [str(word) for word in command]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=SECONDS)
    print(f"$ {' '.join(command)}\n{done.stdout}", end="", flush=True)
    if done.returncode != status:
        raise AssertionError(f"{command[0]} ended with {done.returncode}, not {status}")
    return done.stdout


def lines_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def must(truth, sentence):
    if not truth:
        raise AssertionError(sentence)


def echo(phone, options, scratch):
    said, heard = options.assets / "caller.wav", scratch / "heard.wav"
    with Running(options.bin / "echo", "udp:127.0.0.1:0", told_on="stdout") as echo_program:
        run(phone, "call", f"sip:+14155550100@127.0.0.1:{echo_program.port}", "--play", said,
            "--record", heard, "--said", scratch / "said.wav", "--for", "3s",
            "--json", scratch / "call.json")
    run(phone, "compare", scratch / "said.wav", heard, "--not", options.assets / "other.wav")
    call, = lines_of(scratch / "call.json")
    must(call["answered"] and call["ended_by"] in ("application", "caller"), f"it ended as {call}")
    must(call["lost"] == 0 and call["packets_received"] > 100, f"it was heard as {call}")


def dial(phone, options, scratch):
    heard, calls = scratch / "heard.wav", scratch / "calls.json"
    with Running(phone, "wait", "--listen", "udp:127.0.0.1:0", "--record", heard,
                 "--json", calls) as waiting:
        run(options.bin / "dial", "+14155550100", "127.0.0.1", waiting.port)
        must(waiting.ended() == 0, "the waiting phone was not content")
    call, = lines_of(calls)
    must(call["answered"] and call["to"] == "+14155550100", f"it was answered as {call}")
    must(900 <= call["lasted_ms"] - call["setup_ms"] <= 3_000, f"a second of tone took {call}")
    with Running(phone, "wait", "--listen", "udp:127.0.0.1:0", "--answer-with", "486") as busy:
        run(options.bin / "dial", "+14155550100", "127.0.0.1", busy.port, status=1)


def phone_calls_phone(phone, options, scratch):
    said_there, heard_there = scratch / "said_there.wav", scratch / "heard_there.wav"
    said_here, heard_here = scratch / "said_here.wav", scratch / "heard_here.wav"
    caller, greeting = options.assets / "caller.wav", options.assets / "greeting.wav"
    with Running(phone, "wait", "--listen", "udp:127.0.0.1:0", "--challenge", "1001:secret",
                 "--play", greeting, "--said", said_there, "--record", heard_there,
                 "--law", "pcma", "--json", scratch / "there.json") as waiting:
        uri = f"sip:+14155550100@127.0.0.1:{waiting.port}"
        run(phone, "call", uri, "--user", "1001", "--password", "wrong", status=1)
        run(phone, "call", uri, "--user", "1001", "--password", "secret", "--play", caller,
            "--say-after", "500ms", "--said", said_here, "--record", heard_here,
            "--digits", "159#", "--for", "5s", "--json", scratch / "here.json")
        must(waiting.ended() == 0, "the waiting phone was not content")
    other = options.assets / "other.wav"
    run(phone, "compare", said_here, heard_there, "--not", other)
    run(phone, "compare", said_there, heard_here, "--not", other)
    run(phone, "compare", other, heard_here, status=1)
    here, = lines_of(scratch / "here.json")
    there, = lines_of(scratch / "there.json")
    must(there["digits"] == "159#", f"the digits came as {there['digits']}")
    must(here["codec"].lower().startswith("pcma"), f"they spoke {here['codec']}")
    must(here["call_id"] == there["call_id"], "these are two calls")


def usage(phone, options, scratch):
    must("Examples:" in run(phone, "--help"), "--help has no examples")
    run(phone, status=2)
    run(phone, "call", "nonsense", status=2)
    run(phone, "call", "sip:1@127.0.0.1", "--for", "10", status=2)
    run(phone, "call", "sip:1@127.0.0.1", "--play", scratch / "absent.wav", status=2)
    run(phone, "wait", "--answer-with", "200", status=2)
    run(phone, "wait", "--listen", "udp:192.0.2.1:5060", status=2)
    broken = scratch / "broken.wav"
    broken.write_bytes(b"RIFF")
    complaint = run(phone, "call", "sip:1@127.0.0.1", "--play", broken, status=2)
    must("broken.wav" in complaint, "the complaint does not name the file")


def readme(_, options, scratch):
    """What README.md shows is the file that is tested here."""
    examples = options.assets.parent
    text = (examples.parent / "README.md").read_text()
    must((examples / "echo.cpp").read_text() in text, "README.md has another echo.cpp")
    must((examples / "softswitch/twilio.toml").read_text() in text,
         "README.md has another twilio.toml")


CASES = {"echo": echo, "dial": dial, "phone": phone_calls_phone, "usage": usage, "readme": readme}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--assets", type=pathlib.Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trunkline-examples-") as scratch:
        CASES[options.case](options.bin / "phone", options, pathlib.Path(scratch))


if __name__ == "__main__":
    sys.exit(main())
