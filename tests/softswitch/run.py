#!/usr/bin/env python3
"""Runs softswitch as an operator would: run.py CASE --softswitch PROGRAM --assets DIRECTORY

Every port is the kernel's choice, so that tests may run side by side."""

import argparse
import array
import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import wave

import registrar
import sipp

SECONDS = 30


def must(truth, sentence):
    if not truth:
        raise AssertionError(sentence)


def until(happened, what):
    deadline = time.monotonic() + SECONDS
    while not happened():
        must(time.monotonic() < deadline, f"{what} did not come about")
        time.sleep(0.02)


class Switch:
    """A running switch, ended with the block. Its records are read when they are asked for."""

    def __init__(self, options, scratch, config, *arguments):
        self.records_file = scratch / f"records{id(self)}.json"
        self.log_file = scratch / f"log{id(self)}"
        config_file = scratch / f"switch{id(self)}.toml"
        config_file.write_text(config)
        with open(self.records_file, "w") as records, open(self.log_file, "w") as log:
            self.process = subprocess.Popen(
                [options.softswitch, "--config", config_file, *arguments], stdout=records,
                stderr=log)
        until(lambda: " on udp:" in self.log() or self.process.poll() is not None, "listening")
        found = re.search(r" on udp:127\.0\.0\.1:(\d+)", self.log())
        must(found, f"it does not listen:\n{self.log()}")
        self.port = int(found.group(1))

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        if failed:
            print(self.log(), self.records_file.read_text())
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGTERM)
        self.ended()

    def signal(self, which=signal.SIGTERM):
        self.process.send_signal(which)

    def ended(self):
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def log(self):
        return self.log_file.read_text()

    def records(self, count):
        until(lambda: self.records_file.read_text().count("\n") >= count, f"{count} records")
        return [json.loads(line) for line in self.records_file.read_text().splitlines()]


def config(agents, extra="", head=""):
    numbers = ",\n".join(f'{{ number = "{number}", agent = "{agent}" }}' if agent else f'"{number}"'
                         for number, agent in agents.items())
    return f"""listen = ["udp:127.0.0.1:0"]
drain = "20s"
{head}
[[trunk]]
name = "carrier"
allow_from = ["127.0.0.0/8"]
channels = 100
numbers = [{numbers}]
{extra}
"""


def outbound(port, extra=""):
    return f"""listen = ["udp:127.0.0.1:0"]
[[trunk]]
name = "carrier"
gateways = ["127.0.0.1:{port}"]
caller_id = "+1999"
inbound = false
{extra}
"""


def run(options, *arguments, status=0):
    done = subprocess.run([str(word) for word in (options.softswitch, *arguments)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=2 * SECONDS)
    print(f"$ {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}", flush=True)
    must(done.returncode == status, f"it ended with {done.returncode}, not {status}")
    return done


def dial(options, scratch, text, *arguments, status=0):
    file = scratch / "dial.toml"
    file.write_text(text)
    done = run(options, "dial", *arguments, "--config", file, status=status)
    return done.stdout, json.loads(done.stdout.splitlines()[-1]), done.stderr


def samples_of(file):
    with wave.open(str(file)) as opened:
        must(opened.getframerate() == 8000 and opened.getnchannels() == 1, f"{file} is odd")
        return array.array("h", opened.readframes(opened.getnframes()))


def similarity(said, heard, most=4000):
    """The best correlation of `said` within `heard`, over delays of up to half a second."""
    best = 0.0
    for delay in range(0, most, 1):
        if len(heard) - delay < len(said) // 2:
            break
        # Every 16th sample of the middle is enough to tell speech from other speech.
        pairs = [(said[i], heard[i + delay])
                 for i in range(len(said) // 4, min(len(said), len(heard) - delay) - 1, 16)]
        ab = sum(a * b for a, b in pairs)
        aa = sum(a * a for a, _ in pairs)
        bb = sum(b * b for _, b in pairs)
        if aa and bb:
            best = max(best, ab / (aa * bb) ** 0.5)
    return best


def inbound(options, scratch):
    numbers = {"+1001": "reflect", "+1002": "echo", "+1003": "hold",
               "+1004": f"play:{options.assets / 'caller.wav'}"}
    with Switch(options, scratch, config(numbers)) as switch:
        for number in ("+1001", "1002", "+1003"):
            with sipp.Sipp(scratch, sipp.ANSWERED + sipp.pause(300) + sipp.HANG_UP,
                           f"127.0.0.1:{switch.port}", "-s", number, "-m", 5, "-r", 10):
                pass
        with sipp.call(scratch, switch.port, "+1004", sipp.ANSWERED + sipp.BE_HUNG_UP):
            pass
        records = switch.records(16)
    by_agent = {}
    for record in records:
        by_agent.setdefault(record["agent"].split(":")[0], []).append(record)
    must({agent: len(some) for agent, some in by_agent.items()} ==
         {"reflect": 5, "echo": 5, "hold": 5, "play": 1}, f"these were called: {by_agent.keys()}")
    must(all(record["ended_by"] == "caller" and record["answered_ms"] is not None
             for record in by_agent["reflect"] + by_agent["echo"] + by_agent["hold"]), records)
    must(all(record["packets_sent"] == 0 for record in by_agent["hold"]), "hold sends media")
    must(all(record["number"] == "+1002" for record in by_agent["echo"]), "1002 is not +1002")
    play, = by_agent["play"]
    must(play["ended_by"] == "application" and play["lasted_ms"] > 1500, play)
    must(play["codec"] == "PCMU" and play["source"].startswith("127.0.0.1:"), play)


def refused(options, scratch):
    with Switch(options, scratch, config({"+1001": ""})) as switch:
        with sipp.call(scratch, switch.port, "+1001", sipp.refused(404)):
            pass
        with sipp.call(scratch, switch.port, "+1002", sipp.refused(404)):
            pass
        no_agent, unknown = switch.records(2)
    must(no_agent["sip_code"] == 404 and no_agent["number"] == "+1001", no_agent)
    must(unknown["refused"] == "refused_number_unknown" and unknown["to"] == "+1002", unknown)
    with Switch(options, scratch, outbound(9).replace("inbound = false", "")
                .replace("127.0.0.1:9", "192.0.2.1")) as switch:
        with sipp.call(scratch, switch.port, "+1", sipp.refused(403)):
            pass
        stranger, = switch.records(1)
    must(stranger["refused"] == "refused_unknown_source" and stranger["trunk"] == "", stranger)


CHALLENGE = 'Proxy-Authenticate: Digest realm="sipp", nonce="c0ffee", qop="auth", algorithm=MD5\n'


def knows_password(messages, username, password):
    """Whether the credentials in what SIPp got are right, by RFC 2617 and by no code of ours."""
    header = re.search(r"^Proxy-Authorization: Digest (.*?)\r?$", messages, re.MULTILINE).group(1)
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', header))

    def md5(*parts):
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    expected = md5(md5(username, "sipp", password), "c0ffee", given["nc"], given["cnonce"], "auth",
                   md5("INVITE", given["uri"]))
    return given["username"] == username and given["response"] == expected


def challenged(options, scratch):
    asked = (sipp.expect("INVITE") + sipp.response(407, CHALLENGE) + sipp.expect("ACK") +
             sipp.expect("INVITE"))
    taken = (asked + sipp.response(180) + sipp.pause(200) + sipp.response(200, body=sipp.MEDIA) +
             sipp.expect("ACK") + sipp.BE_HUNG_UP)
    credentials = 'username = "user"\npassword = "pa55word"'
    messages = scratch / "messages"
    with sipp.Sipp(scratch, taken, "-m", 1, "-trace_msg", "-message_file", messages) as carrier:
        said, record, trace = dial(
            options, scratch, outbound(carrier.port, credentials), "+1555",
            "--hang-up-after", "2s", "--trace", "carrier")
    must(knows_password(messages.read_text(), "user", "pa55word"), "the credentials are wrong")
    must("pa55word" not in trace, "the trace shows the password")
    must("response=***" in trace and "nonce=***" in trace and "c0ffee" not in trace, trace)
    must('username="user"' in trace and "INVITE sip:+1555@127.0.0.1" in trace, trace)
    for word in ("calling", "ringing", "answered", "hanging up"):
        must(re.search(rf"\d s  {word}", said), f"no word of {word}")
    must(record["ringing_ms"] <= record["answered_ms"], record)
    must(record["to"] == "+1555" and record["from"] == "+1999", record)

    never = asked + sipp.response(407, CHALLENGE) + sipp.expect("ACK")
    with sipp.Sipp(scratch, never, "-m", 1) as carrier:
        said, record, _ = dial(options, scratch, outbound(carrier.port, credentials), "+1555",
                               status=1)
    must("check username, password" in said and record["sip_code"] == 407, said)


def registered(options, scratch):
    credentials = 'username = "user"\npassword = "pa55word"\nregister = { expires = 120 }'
    with registrar.Registrar("user", "pa55word") as carrier:
        text = outbound(carrier.port, credentials)
        with Switch(options, scratch, text) as switch:
            line = f"trunk `carrier` is registered at 127.0.0.1:{carrier.port}"
            until(lambda: line in switch.log(), "a registration")
            must(carrier.granted == [120], carrier.granted)
            must(f"@127.0.0.1:{switch.port}>" in carrier.contacts[0], carrier.contacts)
            # Who dials in passing takes no calls away from the one that runs.
            _, record, _ = dial(options, scratch, text, "+1555", status=1)
            must(record["sip_code"] == 486 and carrier.granted == [120], record)
            switch.signal()
            must(switch.ended() == 0, "it did not end well")
        must(carrier.granted == [120, 0], carrier.granted)
        must("is not registered any more" in switch.log(), switch.log())
        must("pa55word" not in switch.log(), "the log shows the password")
        with Switch(options, scratch, text.replace("pa55word", "guess")) as switch:
            until(lambda: "is not registered: 401 Unauthorized" in switch.log(), "a refusal")
        must(carrier.granted == [120, 0], carrier.granted)


def busy(options, scratch):
    steps = sipp.expect("INVITE") + sipp.response(486) + sipp.expect("ACK")
    with sipp.Sipp(scratch, steps, "-m", 1) as carrier:
        said, record, _ = dial(options, scratch, outbound(carrier.port), "1555", status=1)
    must("busy; try later" in said, said)
    must(record["sip_code"] == 486 and record["carrier_words"] == "Sure", record)
    must(record["answered_ms"] is None and record["to"] == "1555", record)
    # A gateway that nobody is behind, and the next one.
    steps = sipp.expect("INVITE") + sipp.response(503) + sipp.expect("ACK")
    with sipp.Sipp(scratch, steps, "-m", 1) as carrier:
        both = outbound(carrier.port).replace('gateways = [', 'gateways = ["127.0.0.1:9", ')
        said, record, _ = dial(options, scratch, both + 'gateway_timeout = "500ms"\n', "+1555",
                               status=1)
    must([one["gateway"] for one in record["attempts"]] ==
         ["127.0.0.1:9", f"127.0.0.1:{carrier.port}"], record)


def audio(options, scratch):
    caller, greeting = options.assets / "caller.wav", options.assets / "greeting.wav"
    numbers = {"+1001": "reflect", "+1002": "echo", "+1003": "record:heard.wav",
               "+1004": f"play:{greeting}"}
    with Switch(options, scratch, config(numbers)) as switch:
        text = outbound(switch.port)
        for agent in (f"record:{scratch / 'greeting.wav'}",):
            _, record, _ = dial(options, scratch, text, "+1004", "--agent", agent)
            must(record["ended_by"] == "callee" and record["packets_lost"] == 0, record)
        alike = similarity(samples_of(greeting), samples_of(scratch / "greeting.wav"))
        must(alike > 0.9, f"the greeting was heard with {alike}")
        for name in ("heard.wav", "heard-2.wav"):
            dial(options, scratch, text, "+1003", "--agent", f"play:{caller}")
            until((scratch / name).exists, name)
            alike = similarity(samples_of(caller), samples_of(scratch / name))
            must(alike > 0.9, f"the caller was heard with {alike}")
        for number in ("+1001", "+1002"):
            said, record, _ = dial(options, scratch, text, number, "--agent", f"play:{caller}")
            must("audio" in said and record["packets_received"] > 50, record)
        must(all(record["packets_lost"] == 0 for record in switch.records(5)), "packets were lost")


def interrupted(options, scratch):
    prompt = f"interrupt:{options.assets / 'greeting.wav'}"
    with Switch(options, scratch, config({"+1001": prompt})) as switch:
        _, record, _ = dial(options, scratch, outbound(switch.port), "+1001", "--agent",
                            f"play:{options.assets / 'caller.wav'}")
        must(record["answered_ms"] is not None, record)
        switch.records(1)


def drain(options, scratch):
    with Switch(options, scratch, config({"+1": "echo"})) as switch:
        long_call = sipp.ANSWERED + sipp.pause(2500) + sipp.HANG_UP
        with sipp.call(scratch, switch.port, "+1", long_call):
            until(lambda: "call_answered" in switch.log(), "an answer")
            switch.signal()
            until(lambda: "draining: 1 call" in switch.log(), "draining")
            turned_away = sipp.refused(503, sipp.has_header("Retry-After"))
            with sipp.call(scratch, switch.port, "+1", turned_away):
                pass
            ping = sipp.request("OPTIONS", peer_tag=False)
            ping += sipp.expect(503, sipp.has_header("Retry-After"))
            with sipp.call(scratch, switch.port, "+1", ping):
                pass
        must(switch.ended() == 0, "it did not end well")
        new, old = switch.records(2)
    must(new["refused"] == "refused_draining" and new["sip_code"] == 503, new)
    must(old["ended_by"] == "caller" and old["lasted_ms"] > 2400, old)


def second_signal(options, scratch):
    with Switch(options, scratch, config({"+1": "hold"})) as switch:
        with sipp.call(scratch, switch.port, "+1", sipp.ANSWERED + sipp.BE_HUNG_UP):
            until(lambda: "call_answered" in switch.log(), "an answer")
            switch.signal()
            until(lambda: "draining: 1 call" in switch.log(), "draining")
            must(switch.process.poll() is None, "it ended with a call in progress")
            second = time.monotonic()
            switch.signal(signal.SIGINT)
        must(switch.ended() == 0 and time.monotonic() - second < 5, "it took its time")
        record, = switch.records(1)
    must(record["ended_by"] == "application", record)
    # And without calls one signal is enough.
    with Switch(options, scratch, config({"+1": "hold"})) as switch:
        switch.signal()
        must(switch.ended() == 0, "it did not end well")


def shards(options, scratch):
    # Whichever shard a call is on, the one that reads the sockets has to stay as long as it does.
    for _ in range(4):
        with Switch(options, scratch, config({"+1": "echo"}, head="shards = 2")) as switch:
            with sipp.call(scratch, switch.port, "+1",
                           sipp.ANSWERED + sipp.pause(1000) + sipp.HANG_UP):
                until(lambda: "call_answered" in switch.log(), "an answer")
                switch.signal()
            must(switch.ended() == 0, "it did not end well")
            record, = switch.records(1)
        must(record["ended_by"] == "caller", record)


def killed(options, scratch):
    with Switch(options, scratch, config({"+1": "record:heard.wav"})) as switch:
        with subprocess.Popen(
                [options.softswitch, "--config", write(scratch, outbound(switch.port)), "dial",
                 "+1", "--agent", f"play:{options.assets / 'greeting.wav'}"],
                stdout=subprocess.DEVNULL) as caller:
            heard = scratch / "heard.wav"
            until(lambda: heard.exists() and heard.stat().st_size > 16_000, "a second of audio")
            switch.process.kill()
            switch.ended()
            caller.kill()
    must(len(samples_of(heard)) > 7_000, "less than was heard")
    size = heard.stat().st_size
    must(int.from_bytes(heard.read_bytes()[40:44], "little") <= size - 44, "more than there is")


def write(scratch, text, name="some.toml"):
    (scratch / name).write_text(text)
    return scratch / name


def check(options, scratch):
    (scratch / "bad.wav").write_bytes(b"RIFF")
    good = write(scratch, config({"+1": "echo"}, head='[media]\nports = "20000-20099"'))
    told = run(options, "--check", "--config", good).stdout
    must("20000-20099 allow 50 calls" in told and "1 trunk, 1 number: good" in told, told)
    must("warning: more channels than calls" in told, told)
    public = write(scratch, outbound(5060).replace("127.0.0.1:5060", "198.51.100.1")
                   .replace("udp:127.0.0.1:0", "udp:127.0.0.1:5060"))
    told = run(options, "--check", "--config", public).stdout
    must("some.toml:4: trunk[0].gateways[0]: 198.51.100.1 is on the Internet" in told, told)
    for wrong, field, text in (
            ("chanels", "trunk[0].chanels", config({"+1": "echo"}, "chanels = 3")),
            ("play:", "trunk[0].numbers[0].agent", config({"+1": "play:bad.wav"})),
            ('"one"', "trunk[0].numbers[0]", config({"one": "echo"})),
            ("tls:", "listen", config({"+1": "echo"}).replace("udp:", "tls:"))):
        line = text[:text.index(wrong)].count("\n") + 1
        told = run(options, "--check", "--config", write(scratch, text), status=2).stderr
        must(f"some.toml:{line}: {field}" in told, told)
        # Whoever starts it without checking is told the same.
        told = run(options, "--config", scratch / "some.toml", status=2).stderr
        must(f"some.toml:{line}: {field}" in told, told)


def usage(options, scratch):
    must("Examples:" in run(options, "--help").stdout, "--help has no examples")
    must("--hang-up-after" in run(options, "dial", "--help").stdout, "dial has no help")
    run(options, "--version")
    run(options, "--nonsense", status=2)
    run(options, "dial", status=2)
    file = write(scratch, outbound(9))
    run(options, "--config", scratch / "absent.toml", status=2)
    told = run(options, "--config", file, "dial", "+1", "--trunk", "absent", status=2).stderr
    must("no trunk `absent`" in told and "`carrier`" in told, told)
    told = run(options, "--config", file, "dial", "+1", "--agent", "talk", status=2).stderr
    must("there is no agent `talk`" in told, told)
    run(options, "--config", file, "dial", "+1", "--hang-up-after", "10", status=2)
    run(options, "--config", file, "--trace", "absent", status=2)
    run(options, "--config", file, "--cdr", scratch / "absent" / "cdr", status=2)
    with Switch(options, scratch, config({"+1": "echo"})) as switch:
        # The address is taken: a second switch says so, dial takes another port.
        taken = outbound(switch.port).replace("127.0.0.1:0", f"127.0.0.1:{switch.port}")
        told = run(options, "--config", write(scratch, taken), status=2).stderr
        must("is taken: is another softswitch running?" in told, told)
        cdr = scratch / "cdr.json"
        run(options, "--config", scratch / "some.toml", "--cdr", cdr, "dial", "+1",
            "--hang-up-after", "500ms")
        must(json.loads(cdr.read_text())["answered_ms"] is not None, "no answer")


def tokens(options, scratch):
    (scratch / "key").write_text("7" * 64)
    file = write(scratch, config({"+1": "echo"}, head='[rest]\nkey_file = "key"\ndatabase = "s.db"'))
    (scratch / "none").mkdir()
    told = run(options, "--config", write(scratch / "none", config({"+1": "echo"})), "token",
               status=2).stderr
    must("has no [rest]" in told, told)
    made = run(options, "--config", file, "token", "--name", "laptop").stdout
    must(re.fullmatch(r"tl_[A-Za-z0-9_-]{43}\n", made), "more than a token, or less")
    # What is kept of it, as another program reads the file: while we have it open, too.
    with contextlib.closing(sqlite3.connect(scratch / "s.db")) as other:
        kept = other.execute("SELECT name, sha256 FROM token").fetchall()
        must(kept == [("laptop", hashlib.sha256(made.strip().encode()).hexdigest())], kept)
        told = run(options, "--config", file, "token", "--name", "laptop", status=2).stderr
        must("there is a token `laptop` already" in told, told)
        run(options, "--config", file, "token", "--name", "ci")
        listed = run(options, "--config", file, "token", "--list").stdout
        must(re.fullmatch(r"\S+Z  laptop\n\S+Z  ci\n", listed), listed)
        run(options, "--config", file, "token", "--revoke", "laptop")
        must(other.execute("SELECT name FROM token").fetchall() == [("ci",)], "laptop is there")
    told = run(options, "--config", file, "token", "--revoke", "laptop", status=2).stderr
    must("there is no token `laptop`" in told, told)
    run(options, "--config", file, "token", "--list", "--revoke", "ci", status=2)
    (scratch / "key").write_text("8" * 64)
    told = run(options, "--config", file, "token", "--list", status=2).stderr
    must("is encrypted with another key" in told, told)


NEED_NO_SIPP = (audio, interrupted, killed, check, usage, tokens, registered)
CASES = {case.__name__: case
         for case in (inbound, refused, challenged, busy, drain, second_signal, shards,
                      *NEED_NO_SIPP)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--softswitch", type=pathlib.Path, required=True)
    parser.add_argument("--assets", type=pathlib.Path, required=True)
    options = parser.parse_args()
    if CASES[options.case] not in NEED_NO_SIPP and not sipp.installed():
        print("SIPp is not installed")
        return 1 if os.environ.get("TRUNKLINE_REQUIRE_SHARED") == "1" else 77
    with tempfile.TemporaryDirectory(prefix="trunkline-softswitch-") as scratch:
        CASES[options.case](options, pathlib.Path(scratch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
