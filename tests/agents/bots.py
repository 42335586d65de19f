"""Each bot of examples/agents, called by a stand-in of the platform."""

import array
import base64
import os
import re
import socket
import struct
import subprocess
import wave

from agents import Agents, options, peers
from platform_stand_in import Call
from speech import ASSETS, linear, mu_law, spoken
from websocket import Closed, WebSocket

GREETING = ASSETS / "greeting.wav"


def payload_of(message):
    return base64.b64decode(message["media"]["payload"])


class Bots(Agents):
    def start(self, greeting=GREETING):
        process, self.url = self.bot(peers.options.bot, greeting)
        self.log = process.log
        return process

    def call(self, **how):
        call = Call(self.url, **how)
        self.addCleanup(call.hang_up)
        return call

    def ends(self, call):
        call.hang_up()
        self.assertEqual(call.trouble, [])
        self.assertIsNone(call.closed)

    def logged(self, call, pattern, seconds=20):
        """The line of that call which matches, as a match."""
        line = re.compile(f"^{call.call_sid}: {pattern}$", re.M)
        return peers.wait_until(lambda: line.search(self.log.read_text()), seconds, line.pattern)

    def lines(self, call):
        start = f"{call.call_sid}: "
        return [one[len(start):] for one in self.log.read_text().splitlines()
                if one.startswith(start)]

    def said_back(self, call, sentence, turn):
        """That turn came back: a part of what the caller said, with the whole sentence in it."""
        call.wait_for(f"back turn-{turn}")
        marks = [one.get("mark", {}).get("name") for one in call.messages]
        before = call.messages[marks.index(f"turn-{turn}") - 1]
        self.assertEqual(before["event"], "media")
        audio = payload_of(before)
        at = bytes(call.said).find(audio)
        self.assertGreaterEqual(at, 0, "these are not the caller's words")
        begins = bytes(call.said).find(sentence)
        self.assertLessEqual(at, begins)
        self.assertGreaterEqual(at + len(audio), begins + len(sentence))
        self.assertLess(len(audio), len(sentence) + 8_000)
        return len(audio) // 8

    def greets(self, call):
        call.wait_for("back turn-1")
        wanted = array.array("h", linear(GREETING))
        heard = array.array("h", mu_law().ulaw2lin(bytes(call.heard), 2))
        self.assertEqual(len(heard), len(wanted))
        for said, meant in zip(heard, wanted):  # Half a step of G.711, whatever the segment.
            self.assertLessEqual(abs(said - meant), (abs(meant) + 132) / 32)
        self.logged(call, f"greeted {len(wanted) // 8} ms, mark came back")

    def test_the_greeting_arrives_whole_and_its_mark_comes_back(self):
        self.start()
        call = self.call()
        self.greets(call)
        self.assertEqual([one.what for one in call.order], ["media", "mark turn-1", "back turn-1"])
        self.ends(call)

    def test_a_greeting_in_mu_law_arrives_byte_for_byte(self):
        audio = spoken("other.wav")
        path = self.work / "greeting.wav"
        form = struct.pack("<HHIIHHH", 7, 1, 8_000, 8_000, 1, 8, 0)
        notes = b"LIST" + struct.pack("<I", 3) + b"odd\0"
        path.write_bytes(
            b"RIFF" + struct.pack("<I", 4 + 26 + len(notes) + 8 + len(audio)) + b"WAVEfmt " +
            struct.pack("<I", len(form)) + form + notes +
            b"data" + struct.pack("<I", len(audio)) + audio)
        self.start(path)
        call = self.call()
        call.wait_for("back turn-1")
        self.assertEqual(bytes(call.heard), audio)
        self.ends(call)

    def test_the_callers_words_come_back_after_the_greeting(self):
        self.start()
        call = self.call()
        self.greets(call)
        words = spoken("caller.wav")
        call.say(words)
        length = self.said_back(call, words, 2)
        self.logged(call, f"repeated {length} ms, mark came back")
        self.assertEqual(call.happened("clear"), [])
        self.assertEqual(len(self.lines(call)), 2)
        self.ends(call)

    def test_speech_during_the_greeting_clears_it_and_comes_back(self):
        self.start()
        call = self.call()
        call.wait_for("mark turn-1")
        words = spoken("caller.wav")
        call.say(b"\xff" * 8_000 + words)
        call.wait_for("clear")
        self.assertLess(len(call.heard), len(linear(GREETING)) // 2)
        after = int(self.logged(call, r"interrupted after (\d+) ms")[1])
        self.assertGreater(after, 1_000)
        self.assertLess(after, 1_000 + len(words) // 8)
        self.said_back(call, words, 2)
        self.logged(call, r"repeated \d+ ms, mark came back")
        # The mark of what was cleared came back as well, and is nobody's turn.
        self.assertEqual(len(call.happened("back turn-1")), 1)
        self.assertEqual([re.sub(r"\d+", "N", one) for one in self.lines(call)],
                         ["interrupted after N ms", "repeated N ms, mark came back"])
        self.ends(call)

    def test_speech_during_a_repetition_clears_it_and_comes_back_in_turn(self):
        self.start()
        call = self.call()
        call.wait_for("back turn-1")
        first, second = spoken("other.wav"), spoken("caller.wav")
        call.say(first)
        call.wait_for("mark turn-2")
        call.say(second)
        call.wait_for("clear")
        self.said_back(call, second, 3)
        self.logged(call, r"interrupted after \d+ ms")
        self.ends(call)

    def test_silence_and_a_click_are_no_speech(self):
        self.start()
        call = self.call(speed=10)
        loud = b"\x00" * 320
        call.say((loud + b"\xff" * 8_000) * 5)
        call.wait_for("back turn-1")
        ticks = call.ticks
        peers.wait_until(lambda: call.ticks > ticks + 100, 60, "two seconds more")
        self.assertEqual([one.what for one in call.order], ["media", "mark turn-1", "back turn-1"])
        self.ends(call)

    def test_two_calls_at_a_time_do_not_mix(self):
        self.start()
        calls = [(self.call(), spoken("caller.wav")), (self.call(), spoken("other.wav"))]
        for call, _ in calls:
            call.wait_for("back turn-1")
        for call, words in calls:
            call.say(words)
        for call, words in calls:
            self.said_back(call, words, 2)
            self.logged(call, r"repeated \d+ ms, mark came back")
            self.assertEqual(len(self.lines(call)), 2)
            self.ends(call)

    def test_thirty_calls_at_a_time_are_all_greeted(self):
        self.start()
        calls = [self.call(speed=1) for _ in range(30)]
        for call in calls:
            call.wait_for("back turn-1")
            self.assertEqual(len(call.heard), len(linear(GREETING)) // 2)
        for call in calls:
            self.ends(call)

    def test_nonsense_within_a_call_does_not_disturb_it(self):
        self.start()
        call = self.call()
        sid = {"streamSid": call.stream_sid}
        for one in (
            b"\x00\xff binary", b"", "", "no JSON", "{", "null", "5", '"media"', "[]", "[" * 60_000,
            '{"a":' * 5_000, {"event": None}, {"event": ["media"]}, {"event": "unheard of", **sid},
            {"event": "media", **sid}, {"event": "media", "media": None, **sid},
            *({"event": "media", "media": {"payload": payload}}
              for payload in (7, "", "***", "A", "\u2603")),
            {"event": "mark"}, {"event": "mark", "mark": None},
            *({"event": "mark", "mark": {"name": one}} for one in ({}, "never sent")),
            {"event": "dtmf", "dtmf": {"digit": "5"}},
            {"event": "start", "start": {"streamSid": "MZ", "callSid": "CA"}}, {"event": "start"},
            {"event": "connected"}, {"event": "stop"},
        ):
            call.socket.send(one)
        self.greets(call)
        words = spoken("caller.wav")
        call.say(words)
        self.said_back(call, words, 2)
        self.ends(call)

    def test_nonsense_in_place_of_a_call_ends_no_more_than_itself(self):
        process = self.start()
        for opcode, payload in (
            (1, b"\xff\xfe no UTF-8"), (3, b"no such opcode"), (1, b"x" * 70_000), (8, b"\x00"),
            (9, b"p" * 200),
        ):
            with self.subTest(opcode=opcode, size=len(payload)):
                other = WebSocket(self.url)
                other.send(payload, opcode)
                with self.assertRaises(Closed):
                    other.receive()
                other.drop()
        early = WebSocket(self.url)
        for one in ({"event": "media", "media": {"payload": "AAAA"}}, {"event": "mark"},
                    {"event": "start", "start": None}, {"event": "start", "start": []}):
            early.send(one)
        early.drop()
        port = int(self.url.rpartition(":")[2])
        for text in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01 nonsense\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as raw:
                raw.sendall(text)
        dropped = Call(self.url)
        dropped.wait_for("media")
        dropped.socket._socket.shutdown(socket.SHUT_RDWR)
        dropped.join(20)
        call = self.call()
        self.greets(call)
        self.ends(call)
        self.assertTrue(process.alive())

    def run_bot(self, *arguments, **environment):
        command = [*self.bot_command(peers.options.bot), *arguments]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60,
                              env={**os.environ, **environment})

    def test_help_says_what_it_takes(self):
        told = self.run_bot("--help")
        self.assertEqual(told.returncode, 0)
        for word in ("--host", "--port", "--greeting", "8765", "PCM16 or mu-law"):
            self.assertIn(word, told.stdout)

    def test_what_cannot_be_is_said_in_a_sentence(self):
        broken = self.work / "broken.wav"
        broken.write_bytes(b"RIFF")
        wide = self.work / "wide.wav"
        with wave.open(str(wide), "wb") as file:
            file.setparams((2, 2, 16_000, 0, "NONE", None))
            file.writeframes(b"\0" * 64)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for arguments, environment, words in (
                (["--greeting", broken], {}, f"{broken} is no WAV file"),
                (["--greeting", wide], {}, f"{wide} has to be 8 kHz, mono"),
                (["--greeting", self.work / "absent.wav"], {}, "absent.wav"),
                (["--port", port], {}, "in use"),
                ([], {"PORT": str(port)}, "in use"),
                (["--port", 65_536], {}, "65535|65536"),
                (["--bogus"], {}, "bogus"),
            ):
                with self.subTest(arguments=arguments):
                    told = self.run_bot(*arguments, **environment)
                    self.assertIn(told.returncode, (1, 2))
                    self.assertRegex(told.stderr, words)
                    self.assertNotIn("Traceback", told.stderr)
                    self.assertNotIn("    at ", told.stderr)


if __name__ == "__main__":
    peers.main(*options(("--bot", {"choices": ["node", "python"], "required": True})))
