#!/usr/bin/env python3
"""Holds sipdump to what its --help says: sipdump.py --sipdump PROGRAM --shared DIRECTORY

What each torture message is worth stands in the shared tables, and not in this file."""

import argparse
import csv
import fcntl
import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import termios
import time
import unittest

OPTIONS = argparse.Namespace()
SECONDS = 30
STEP = 7  # A stream is cut at every byte, but one process a byte is too many: this many cuts in each.


def write_apart(pipe, piece):
    """Writes, and waits until all of it was read: what comes next is in another read."""
    pipe.write(piece)
    left = bytearray(4)
    deadline = time.monotonic() + SECONDS
    while fcntl.ioctl(pipe, termios.FIONREAD, left) or any(left):
        if time.monotonic() > deadline:
            raise AssertionError("sipdump does not read")
        time.sleep(0)


def invite(number=1, body=b"", call_id=b"one@example.com"):
    typed = b"Content-Type: text/plain\r\n" if body else b""
    return (b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK%d\r\n"
            b"Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>\r\n"
            b"Call-ID: %s\r\nCSeq: %d INVITE\r\nContact: <sip:alice@192.0.2.1>\r\n%s"
            b"Content-Length: %d\r\n\r\n%s" % (number, call_id, number, typed, len(body), body))


def sipdump(*words, given=b""):
    """The exit code, the objects and what was said on stderr."""
    done = subprocess.run([OPTIONS.sipdump, *map(str, words)], input=given, timeout=SECONDS,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return (done.returncode, [json.loads(line) for line in done.stdout.decode("ascii").splitlines()],
            done.stderr.decode())


def accepted(row):
    """A verdict of "may" is decided by what a UAS should answer."""
    verdict = row["parser_verdict"]
    return verdict == "must_accept" or verdict == "may_reject" and "400" not in row["uas_expected"]


class Torture(unittest.TestCase):
    def setUp(self):
        if not (OPTIONS.shared / "data/rfc4475").is_dir():
            if os.environ.get("TRUNKLINE_REQUIRE_SHARED") == "1":
                self.fail(f"{OPTIONS.shared} is absent")
            self.skipTest(f"{OPTIONS.shared} is absent")

    def each(self, folder, messages):
        with open(OPTIONS.shared / "data" / folder / "expected.csv", newline="") as table:
            for row in csv.DictReader(table):
                path = OPTIONS.shared / "data" / folder / messages / row["file"]
                yield path if path.exists() else path.with_name(path.name + ".sip"), row

    def judge(self, path, row):
        code, objects, said = sipdump(path)
        self.assertEqual(said, "")
        self.assertEqual(len(objects), 1)
        self.assertEqual(code, 0 if accepted(row) else 1)
        self.assertEqual("error" in objects[0], not accepted(row))
        self.assertEqual(objects[0]["file"], str(path))
        if "error" in objects[0]:
            self.assertLessEqual(objects[0]["error"]["offset"], path.stat().st_size)
            self.assertTrue(objects[0]["error"]["message"])
        return objects[0]

    def test_every_message_of_rfc_4475_gets_its_verdict(self):
        seen = 0
        for path, row in self.each("rfc4475", "msgs"):
            with self.subTest(path.name):
                told = self.judge(path, row)
                if "request" in told:
                    self.assertEqual(told["request"]["method"], row["method_or_status"])
                elif "response" in told:
                    self.assertEqual(str(told["response"]["status"]), row["method_or_status"])
                seen += 1
        self.assertEqual(seen, 50)

    def test_every_message_of_rfc_5118_gets_its_verdict(self):
        seen = 0
        for path, row in self.each("rfc5118", "wire"):
            with self.subTest(path.name):
                self.judge(path, row)
                seen += 1
        self.assertEqual(seen, 12)

    def test_an_error_names_the_header_and_the_offset_at_which_it_is(self):
        folder = OPTIONS.shared / "data/rfc4475/msgs"
        for name, header in (("clerr", "Content-Length"), ("ncl", "Content-Length"),
                             ("scalar02", "CSeq"), ("quotbal", "To"), ("mismatch01", "CSeq")):
            with self.subTest(name):
                path = folder / f"{name}.dat"
                _, (told,), _ = sipdump(path)
                self.assertEqual(told["error"]["header"], header)
                before = path.read_bytes()[:told["error"]["offset"]].lower()
                self.assertIn(b"\n" + header.lower().encode(), before)

    def test_what_stands_in_a_message_is_told_as_the_rfc_reads_it(self):
        folder = OPTIONS.shared / "data"
        _, (tortuous,), _ = sipdump(folder / "rfc4475/msgs/wsinv.dat")
        typed = tortuous["typed"]
        self.assertEqual(typed["max_forwards"], 68)
        self.assertEqual(typed["cseq"], {"number": 9, "method": "INVITE"})
        self.assertEqual(typed["to"]["tag"], "1918181833n")
        self.assertEqual([media["kind"] for media in tortuous["sdp"]["media"]], ["audio", "video"])
        self.assertEqual(tortuous["sdp"]["media"][0]["address"], "192.0.2.4")
        _, (ambiguous,), _ = sipdump(folder / "rfc5118/wire/port-ambiguous.sip")
        self.assertNotIn("port", ambiguous["request"]["uri"])
        _, (unambiguous,), _ = sipdump(folder / "rfc5118/wire/port-unambiguous.sip")
        self.assertEqual(unambiguous["request"]["uri"]["port"], 5070)


class Streams(unittest.TestCase):
    def setUp(self):
        self.messages = [invite(1), invite(2, b"\r\n\r\nINVITE x"), invite(3)]
        self.stream = b"\r\n\r\n" + (b"\r\n\r\n\r\n".join(self.messages)) + b"\r\n"

    def test_several_messages_and_keep_alives_give_one_object_a_message(self):
        code, objects, _ = sipdump("--stream", given=self.stream)
        self.assertEqual(code, 0)
        self.assertEqual([told["typed"]["cseq"]["number"] for told in objects], [1, 2, 3])
        self.assertEqual(objects[1]["typed"]["body_length"], 12)

    def test_it_does_not_matter_where_a_pipe_cuts_the_stream(self):
        whole = sipdump("--stream", given=self.stream)[1]
        for first in range(1, len(self.stream), STEP):
            process = subprocess.Popen([OPTIONS.sipdump, "--stream"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, bufsize=0)
            write_apart(process.stdin, self.stream[:first])
            for at in range(first, min(first + STEP, len(self.stream))):
                write_apart(process.stdin, self.stream[at:at + 1])
            process.stdin.write(self.stream[first + STEP:])
            told, _ = process.communicate(timeout=SECONDS)
            self.assertEqual([json.loads(line) for line in told.splitlines()], whole, first)
            self.assertEqual(process.returncode, 0)

    def test_a_message_is_told_before_the_stream_ends(self):
        process = subprocess.Popen([OPTIONS.sipdump, "--stream"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, bufsize=0)
        try:
            process.stdin.write(self.messages[0] + self.messages[1][:40])
            self.assertTrue(select.select([process.stdout], [], [], SECONDS)[0], "nothing is told")
            self.assertEqual(json.loads(process.stdout.readline())["typed"]["cseq"]["number"], 1)
        finally:
            process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, 1)

    def test_a_stream_cut_in_a_message_is_refused_wherever_it_is_cut(self):
        for at in (1, 2, 3, 30, len(self.messages[0]) - 1):
            code, objects, _ = sipdump("--stream", given=self.messages[1] + self.messages[0][:at])
            self.assertEqual(code, 1, at)
            self.assertEqual(len(objects), 2, at)
            self.assertEqual(objects[1]["error"]["offset"], at)

    def test_a_refused_message_does_not_hide_the_next_one(self):
        wrong = self.messages[0].replace(b"CSeq: 1 INVITE", b"CSeq: 1 OPTION")
        code, objects, _ = sipdump("--stream", given=wrong + self.messages[2])
        self.assertEqual(code, 1)
        self.assertEqual(objects[0]["error"]["header"], "CSeq")
        self.assertEqual(objects[1]["typed"]["cseq"]["number"], 3)

    def test_a_stream_that_cannot_be_cut_into_messages_ends_with_the_error(self):
        for length in (b"Content-Length: -1", b"Content-Length: 99999999", b"X-Length: 0"):
            broken = self.messages[0].replace(b"Content-Length: 0", length)
            code, objects, _ = sipdump("--stream", given=broken + self.messages[1])
            self.assertEqual((code, len(objects)), (1, 1), length)
            self.assertIn("error", objects[0])

    def test_an_empty_stream_has_nothing_wrong_in_it(self):
        self.assertEqual(sipdump("--stream", given=b"")[:2], (0, []))


class Inputs(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="trunkline-sipdump-")
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def file(self, name, content):
        path = self.scratch / name
        path.write_bytes(content)
        return path

    def test_each_file_is_one_message_and_named(self):
        one, two = self.file("one", invite(1)), self.file("two", invite(2))
        code, objects, _ = sipdump(one, two)
        self.assertEqual(code, 0)
        self.assertEqual([told["file"] for told in objects], [str(one), str(two)])

    def test_standard_input_is_one_message_with_or_without_a_dash(self):
        self.assertNotIn("file", sipdump(given=invite(1))[1][0])
        self.assertEqual(sipdump("-", given=invite(1))[1][0]["file"], "-")

    def test_one_refused_file_among_good_ones_is_1(self):
        code, objects, _ = sipdump(self.file("bad", b"garbage"), self.file("good", invite(1)))
        self.assertEqual(code, 1)
        self.assertEqual(["error" in told for told in objects], [True, False])

    def test_a_file_that_cannot_be_read_is_named_and_keeps_nobody_from_the_next(self):
        for unreadable in (self.scratch / "absent", self.scratch):
            code, objects, said = sipdump(unreadable, self.file("good", invite(1)))
            self.assertEqual((code, len(objects)), (2, 1))
            self.assertIn(f"cannot read {unreadable}: ", said)

    def test_help_is_0_and_an_unknown_option_is_2(self):
        done = subprocess.run([OPTIONS.sipdump, "--help"], stdout=subprocess.PIPE, check=True)
        self.assertIn(b"exit code: 0 all are valid, 1 some were refused, 2 usage", done.stdout)
        code, objects, said = sipdump("--strem")
        self.assertEqual((code, objects), (2, []))
        self.assertIn("there is no option --strem", said)

    def test_garbage_and_binary_are_refused_with_an_error(self):
        for junk in (b"", b"\0" * 100, bytes(range(256)) * 20, b"GET / HTTP/1.1\r\n\r\n", b"\r\n" * 9):
            for words in ([], ["--stream"]) if junk.strip(b"\r\n") else ([],):
                code, objects, said = sipdump(*words, given=junk)
                self.assertEqual((code, len(objects), said), (1, 1, ""), junk[:20])
                self.assertIn("error", objects[0])

    def test_a_body_of_bytes_is_measured_and_headers_beyond_utf_8_are_told_in_ascii(self):
        message = invite(1, bytes(range(256))).replace(b"<sip:alice@example.com>;",
                                                       b"\"\xff\xc3\xa4\" <sip:alice@example.com>;")
        code, (told,), _ = sipdump(given=message)
        self.assertEqual((code, told["typed"]["body_length"]), (0, 256))
        self.assertIn("\ufffd\xe4", [h["value"] for h in told["headers"] if h["name"] == "From"][0])

    def test_a_message_of_64_kib_is_read_whole_and_a_larger_one_is_refused(self):
        largest = 65_535
        body = b"x" * (largest - len(invite(1, b"x" * largest)) + largest)
        self.assertEqual(len(invite(1, body)), largest)
        for words in ([], ["--stream"]):
            code, (told,), _ = sipdump(*words, given=invite(1, body))
            self.assertEqual((code, told["typed"]["body_length"]), (0, len(body)))
            code, (told,), _ = sipdump(*words, given=invite(1, b"x" * 200_000))
            self.assertEqual(code, 1)
            self.assertIn("error", told)

    def test_an_input_without_an_end_is_not_read_for_ever(self):
        code, (told,), _ = sipdump("/dev/zero")
        self.assertEqual(code, 1)
        self.assertIn("error", told)
        self.assertEqual(sipdump("--stream", "/dev/zero")[0], 1)

    def test_output_that_cannot_be_written_is_said(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([OPTIONS.sipdump], input=invite(1), stdout=full,
                                  stderr=subprocess.PIPE, timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"cannot write", done.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sipdump", type=pathlib.Path, required=True)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    OPTIONS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest])
