"""What a carrier may answer our INVITE with: SIPp is the carrier."""

import hashlib
import re

import peers
import rtp

PASSWORD = "s3cret, with a comma"
NONCE = "a1b2c3d4e5f60718"


def digest_is_right(header, method, realm):
    """RFC 7616 3.4, in other words than ours and SIPp's."""
    field = dict(re.findall(r'(\w+)="?([^",]*)"?', header))

    def hashed(text):
        kind = hashlib.sha256 if field.get("algorithm") == "SHA-256" else hashlib.md5
        return kind(text.encode()).hexdigest()

    first = hashed(f"trunk:{realm}:{PASSWORD}")
    second = hashed(f"{method}:{field['uri']}")
    if "qop" in field:
        middle = f"{field['nonce']}:{field['nc']}:{field['cnonce']}:{field['qop']}"
    else:
        middle = field["nonce"]
    return field["username"] == "trunk" and field["response"] == hashed(f"{first}:{middle}:{second}")


class Outbound(peers.Case):
    def start(self, *carriers, arguments=()):
        gateways = " ".join(f"--gateway 127.0.0.1:{one.port}" for one in carriers)
        credentials = ["--auth", f"trunk:{PASSWORD}"]
        return self.switch(f"--trunk carrier {gateways}", credentials, *arguments)

    def dial(self, switch, agent="hold"):
        switch.command(f"dial +14155550100 carrier {agent}")

    def ends(self, switch, by, code, seconds=10):
        record = switch.wait_for("record", seconds=seconds)
        self.assertEqual((record["ended_by"], record["code"]), (by, code), record)
        self.assertFalse(record["inbound"])
        peers.wait_until(lambda: switch.calls() == 0, 5, "no call left")
        return record

    def answered_and_ended_by_us(self, switch, carrier, agent="hold"):
        self.dial(switch, agent)
        switch.wait_for("answered")
        switch.command("hang_up")
        self.passes(carrier)
        return self.ended_by_us(switch)

    def ended_by_us(self, switch):
        record = switch.wait_for("record")
        return self.ends(switch, "application", record["code"])

    def test_a_carrier_answers_and_we_hang_up(self):
        carrier = self.sipp("carrier_answers")
        record = self.answered_and_ended_by_us(self.start(carrier), carrier)
        self.assertEqual(record["codec"], "PCMU")
        self.assertEqual(record["to"], "+14155550100")
        self.assertGreater(record["answered"], record["ringing"])

    def test_a_carrier_answers_and_hangs_up(self):
        carrier = self.sipp("carrier_hangs_up", payload=8)
        switch = self.start(carrier)
        self.dial(switch, "echo")
        self.passes(carrier)
        record = self.ends(switch, "callee", 200)
        self.assertEqual(record["codec"], "PCMA")

    def challenged(self, status, challenge, realm):
        proxy = status.startswith("407")
        scenario = "carrier_challenges_as_proxy" if proxy else "carrier_challenges"
        carrier = self.sipp(scenario, status=status, challenge=challenge)
        self.answered_and_ended_by_us(self.start(carrier), carrier)
        header = "Proxy-Authorization" if proxy else "Authorization"
        sent = [
            re.search(rf"^{header}: Digest (.*)$", text, re.M)
            for _, way, text in peers.sipp_messages(carrier.messages)
            if way == "received" and text.startswith("INVITE")
        ]
        self.assertEqual([bool(one) for one in sent], [False, True])
        self.assertTrue(digest_is_right(sent[1][1], "INVITE", realm), sent[1][0])
        return sent[1][1]

    def test_a_407_with_qop_is_answered(self):
        self.challenged(
            "407 Proxy Authentication Required",
            f'Proxy-Authenticate: Digest realm="sip.example.net", nonce="{NONCE}", qop="auth", '
            "algorithm=MD5, opaque=\"\"",
            "sip.example.net",
        )

    def test_a_401_of_rfc_2069_is_answered(self):
        self.challenged(
            "401 Unauthorized", f'WWW-Authenticate: Digest realm="a realm", nonce="{NONCE}"',
            "a realm",
        )

    def test_of_two_hashes_the_better_one_is_answered(self):
        asked = f'Proxy-Authenticate: Digest realm="x", nonce="{NONCE}", qop="auth", algorithm='
        given = self.challenged("407 Proxy Authentication Required",
                                f"{asked}SHA-256\n      {asked}MD5", "x")
        self.assertIn("algorithm=SHA-256", given)

    def test_a_carrier_that_likes_no_answer_is_not_asked_for_ever(self):
        carrier = self.sipp(
            "carrier_insists", status="407 Proxy Authentication Required",
            challenge=f'Proxy-Authenticate: Digest realm="x", nonce="{NONCE}", qop="auth"',
        )
        switch = self.start(carrier)
        self.dial(switch)
        self.passes(carrier)
        self.ends(switch, "carrier", 407)

    def test_busy_is_the_last_word(self):
        carrier = self.sipp("carrier_refuses", status="486 Busy Here")
        spare = self.sipp("carrier_answers")
        switch = self.start(carrier, spare)
        self.dial(switch)
        self.passes(carrier)
        record = self.ends(switch, "callee", 486)
        self.assertIn("Busy Here", record["carrier_words"])
        self.assertEqual([one["code"] for one in record["attempts"]], [486])
        self.assertFalse(spare.saw("INVITE"))

    def test_after_503_the_second_gateway_takes_the_call(self):
        carrier = self.sipp("carrier_refuses", status="503 Service Unavailable")
        second = self.sipp("carrier_answers")
        record = self.answered_and_ended_by_us(self.start(carrier, second), second)
        self.passes(carrier)
        self.assertEqual(record["gateway"], f"127.0.0.1:{second.port}")
        self.assertEqual(record["attempts"][0],
                         {"gateway": f"127.0.0.1:{carrier.port}", "code": 503})

    def test_a_gateway_that_says_for_how_long_it_is_overloaded_is_let_rest(self):
        carrier = self.sipp("carrier_refuses", calls=2,
                            status="503 Service Unavailable\n      Retry-After: 30")
        second = self.sipp("carrier_answers", calls=2)
        switch = self.start(carrier, second)
        for count in (1, 2):
            self.dial(switch)
            switch.wait_for("answered", count=count)
            switch.command("hang_up")
            record = switch.wait_for("record", count=count)
            # What it said once is no answer to the second call, which did not ask it.
            self.assertEqual([one["code"] for one in record["attempts"]],
                             [503 if count == 1 else 0, 200])
        self.passes(second)
        self.assertTrue(carrier.saw("INVITE"))
        self.assertFalse(carrier.saw("INVITE", 2))

    def test_after_silence_the_second_gateway_takes_the_call(self):
        silent = self.sipp("carrier_is_silent")
        second = self.sipp("carrier_answers")
        switch = self.start(silent, second, arguments=["--gateway-timeout 1500"])
        record = self.answered_and_ended_by_us(switch, second)
        self.assertEqual(record["gateway"], f"127.0.0.1:{second.port}")
        self.assertEqual(record["attempts"][0]["code"], 0)

    def test_a_port_where_nobody_listens_is_passed_over(self):
        carrier = self.sipp("carrier_answers")
        nobody = self.port()
        switch = self.switch(
            f"--trunk carrier --gateway 127.0.0.1:{nobody} --gateway 127.0.0.1:{carrier.port}"
        )
        self.dial(switch)
        # ICMP says so at once: nobody waits for a timer.
        switch.wait_for("answered", seconds=3)
        switch.command("hang_up")
        self.passes(carrier)
        record = self.ended_by_us(switch)
        self.assertEqual(record["gateway"], f"127.0.0.1:{carrier.port}")

    def test_ringing_for_too_long_is_cancelled(self):
        carrier = self.sipp("carrier_rings")
        switch = self.start(carrier, arguments=["--ringing-timeout 2"])
        self.dial(switch)
        self.passes(carrier)
        record = self.ends(switch, "timeout", 0)
        self.assertIn("ringing", record)
        self.assertAlmostEqual(record["lasted"], 2_000, delta=700)

    def test_hanging_up_while_it_rings_is_a_cancel(self):
        carrier = self.sipp("carrier_rings")
        switch = self.start(carrier)
        self.dial(switch)
        switch.wait_for("ringing")
        switch.command("hang_up")
        self.passes(carrier)
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")

    def test_an_answer_that_crosses_the_cancel_is_ended_by_bye(self):
        carrier = self.sipp("carrier_answers_when_cancelled")
        switch = self.start(carrier)
        self.dial(switch)
        switch.wait_for("ringing")
        switch.command("hang_up")
        self.passes(carrier)
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")
        peers.wait_until(lambda: switch.calls() == 0, 5, "no call left")

    def test_of_two_that_answer_the_second_is_ended(self):
        carrier = self.sipp("carrier_forks")
        switch = self.start(carrier)
        self.dial(switch)
        switch.wait_for("answered")
        peers.wait_until(lambda: carrier.saw("BYE sip:"), 5, "a BYE to the second")
        switch.command("hang_up")
        self.passes(carrier)
        self.assertEqual(len(switch.told("answered")), 1)
        self.ended_by_us(switch)

    def test_a_redirection_is_the_last_word(self):
        carrier = self.sipp("carrier_refuses", status="302 Moved Temporarily")
        spare = self.sipp("carrier_answers")
        switch = self.start(carrier, spare)
        self.dial(switch)
        self.passes(carrier)
        self.assertEqual(switch.wait_for("record")["code"], 302)
        self.assertFalse(spare.saw("INVITE"))

    def test_early_media_is_heard_before_the_answer(self):
        peers.need_raw_sockets()
        tone = rtp.write_capture(self.work / "tone.pcap", rtp.sine(660, 0.9))
        carrier = self.sipp(
            "carrier_early_media",
            media=f'<nop><action><exec play_pcap_audio="{tone}" /></action></nop>',
        )
        switch = self.start(carrier)
        self.dial(switch, "tone:440")
        early = switch.wait_for("early_media")
        answered = switch.wait_for("answered")
        self.assertLess(switch.events.index(early), switch.events.index(answered))
        switch.command("hang_up")
        self.passes(carrier)
        record = self.ended_by_us(switch)
        self.assertEqual(record["received"], 45)
        self.assertLess(record["first_heard"], record["answered"])
        heard = switch.wait_for("heard")["level_at"]
        self.assertAlmostEqual(heard["660"], -10, delta=1.5)


if __name__ == "__main__":
    peers.main()
