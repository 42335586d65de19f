"""Floods: strangers get one answer a second, and a busy carrier takes nothing from the others."""

import socket
import time

import peers

BOUND = 64 * 1024  # KiB: 10,000 transactions of some KiB, and the calls.
SLOWEST = 4  # Seconds, in a flood, on a machine that compiles beside it.


def options(source, number):
    """As a scanner sends it: short, and to nobody in particular."""
    host, port = source
    return (
        "OPTIONS sip:100@127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK-{number};rport\r\n"
        "Max-Forwards: 70\r\nTo: \"sipvicious\"<sip:100@1.1.1.1>\r\n"
        f"From: \"sipvicious\"<sip:100@1.1.1.1>;tag={number}\r\nUser-Agent: friendly-scanner\r\n"
        f"Call-ID: {number}@{host}\r\nContact: <sip:100@{host}:{port}>\r\nCSeq: 1 OPTIONS\r\n"
        "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def bound(host):
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    made.bind((host, 0))
    return made


def received(on):
    on.setblocking(False)
    found = []
    while True:
        try:
            found.append(on.recv(65535))
        except BlockingIOError:
            return found


class Hostile(peers.Case):
    def answers(self, switch, host="127.0.0.1"):
        """How long an OPTIONS of a known source takes, sent again like any over UDP (timer E)."""
        with bound(host) as known:
            began = time.monotonic()
            request = options(known.getsockname(), f"k{began}")
            for patience in (0.5, 1, 2, 4):
                known.sendto(request, ("127.0.0.1", switch.port))
                known.settimeout(patience)
                try:
                    text = known.recv(65535)
                except TimeoutError:
                    continue
                self.assertTrue(text.startswith(b"SIP/2.0 200"), text)
                return time.monotonic() - began
        self.fail("no answer to OPTIONS")

    def test_a_scanner_gets_one_answer_and_is_banned(self):
        switch = self.switch("--trunk carrier --allow 127.0.0.1 --number *:hold")
        before = switch.resident_kib()
        sent = 0
        with bound("127.0.0.66") as scanner:
            began = time.monotonic()
            while time.monotonic() < began + 3:
                sent += 1
                scanner.sendto(options(scanner.getsockname(), sent), ("127.0.0.1", switch.port))
                if sent % 100 == 0:
                    time.sleep(0.02)
            self.answers(switch)
            got = received(scanner)
        self.assertGreater(sent, 2_000)
        self.assertEqual(len(got), 1)  # Whoever goes on like that is banned.
        for one in got:
            self.assertTrue(one.startswith(b"SIP/2.0 403"), one)
            # It learns nothing, and gets no more bytes than it sent.
            for field in (b"Server:", b"User-Agent:", b"Allow:", b"WWW-Authenticate:"):
                self.assertNotIn(field, one)
            self.assertLessEqual(len(one), len(options(("127.0.0.66", 10000), 1)))
        self.assertLess(switch.resident_kib() - before, 4 * 1024)

    def test_noise_is_survived(self):
        switch = self.switch("--trunk carrier --allow 127.0.0.1 --number *:hold")
        whole = options(("127.0.0.1", 5060), 1)
        with bound("127.0.0.1") as known:
            for cut in range(0, len(whole)):
                known.sendto(whole[:cut], ("127.0.0.1", switch.port))
                known.sendto(bytes([cut % 256]) * cut, ("127.0.0.1", switch.port))
            received(known)
        self.assertLess(self.answers(switch), 1)

    def test_invites_that_nobody_acknowledges_take_no_more_than_a_little(self):
        # Each is refused, repeated for 32 s, and forgotten (RFC 3261 17.2.1, timers G and H).
        switch = self.switch("--trunk carrier --allow 127.0.0.0/8 --number +14155550100:hold "
                             "--cps 10000")
        before = switch.resident_kib()
        slowest = 0.0
        with bound("127.0.0.3") as flooder:
            source = flooder.getsockname()
            began = time.monotonic()
            for number in range(10_000):
                invite = options(source, number).replace(b"OPTIONS", b"INVITE")
                flooder.sendto(invite, ("127.0.0.1", switch.port))
                if number % 1_000 == 999:
                    slowest = max(slowest, self.answers(switch))
                    received(flooder)
                time.sleep(max(0, began + number / 2_000 - time.monotonic()))
        self.assertLess(slowest, SLOWEST)
        peers.wait_until(lambda: len(switch.told("record")) > 9_000, 10, "most of them refused")
        self.assertEqual({one["code"] for one in switch.told("record")}, {404})
        self.assertLess(switch.resident_kib() - before, BOUND)

    def flood(self, switch, scenario, **how):
        """2,000 INVITE a second for 5 s. Returns when SIPp is through with them."""
        sipp = self.sipp(
            scenario, f"127.0.0.1:{switch.port}", calls=10_000, seconds=60, logged=False,
            extra=["-r", 2_000, "-l", 20_000, "-recv_timeout", 20_000, "-buff_size", 4 << 20],
            **how,
        )
        slowest = 0.0
        while sipp.alive():
            slowest = max(slowest, self.answers(switch))
            time.sleep(0.2)
        return sipp, slowest

    def test_a_flood_of_refused_invites_leaves_it_alive(self):
        switch = self.switch("--trunk carrier --allow 127.0.0.1 --number +14155550100:hold "
                             "--cps 10000")
        before = switch.resident_kib()
        sipp, slowest = self.flood(switch, "caller_refused", service="+14155550999", code=404)
        self.passes(sipp)
        self.assertLess(slowest, SLOWEST)
        self.assertLess(switch.resident_kib() - before, BOUND)
        self.assertEqual(switch.calls(), 0)

    def test_a_flood_of_calls_fills_its_channels_and_no_more(self):
        switch = self.switch("--trunk carrier --allow 127.0.0.1 --number *:hold --channels 100 "
                             "--cps 10000")
        before = switch.resident_kib()
        sipp, slowest = self.flood(switch, "caller_floods", code=486)
        self.passes(sipp)
        self.assertLess(slowest, SLOWEST)
        peers.wait_until(lambda: switch.calls() == 0, 10, "the end of all calls")
        codes = [one["code"] for one in switch.told("record")]
        self.assertEqual(set(codes), {200, 486})
        self.assertEqual(len(codes), 10_000)
        self.assertLess(switch.resident_kib() - before, BOUND)
        # And it has room again.
        self.passes(self.sipp("caller", f"127.0.0.1:{switch.port}"))

    def test_over_a_trunks_rate_calls_in_progress_lose_nothing(self):
        switch = self.switch("--trunk carrier --allow 127.0.0.1 --number *:hold --channels 1000 "
                             "--cps 20")
        before = switch.resident_kib()
        # SIPp's verdict: whoever was answered is heard to the end, all others are told 503 at once.
        sipp, slowest = self.flood(switch, "caller_floods", code=503, pause=2_000)
        self.passes(sipp)
        self.assertLess(slowest, SLOWEST)
        peers.wait_until(lambda: switch.calls() == 0, 10, "the end of all calls")
        ends = [(one["code"], one["ended_by"]) for one in switch.told("record")]
        taken = ends.count((200, "caller"))
        self.assertGreaterEqual(taken, 20)
        self.assertLess(taken, 20 + 20 * 60)
        # What was shed is told of now and then.
        self.assertEqual({code for code, _ in ends}, {200, 503})
        self.assertLess(len(ends) - taken, 10 + 10 * 60)
        self.assertLess(switch.resident_kib() - before, BOUND)


if __name__ == "__main__":
    peers.main()
