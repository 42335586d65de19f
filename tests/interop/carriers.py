"""Habits of carriers that RFC 3261 allows and few expect: SIPp is the carrier."""

import re

import peers
import rtp
from outbound import NONCE, PASSWORD, digest_is_right


class Carriers(peers.Case):
    def dials(self, carrier, agent="hold"):
        switch = self.switch(f"--trunk carrier --gateway 127.0.0.1:{carrier.port}",
                             ["--auth", f"trunk:{PASSWORD}"])
        switch.command(f"dial +14155550100 carrier {agent}")
        return switch

    def is_hung_up_on(self, switch, carrier):
        switch.command("hang_up")
        self.passes(carrier)
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], len(switch.told("answered"))), ("application", 1))
        peers.wait_until(lambda: switch.calls() == 0, 5, "no call left")
        return record

    def received(self, carrier, method):
        return [text for _, way, text in peers.sipp_messages(carrier.messages)
                if way == "received" and text.startswith(f"{method} ")]

    def challenges_bye(self, status, asks, answers):
        carrier = self.sipp(
            "carrier_challenges_bye", status=status,
            challenge=f'{asks}: Digest realm="sip.example.net", nonce="{NONCE}", qop="auth"',
        )
        switch = self.dials(carrier)
        switch.wait_for("answered")
        self.is_hung_up_on(switch, carrier)
        first, second = self.received(carrier, "BYE")
        self.assertNotIn("uthorization:", first)
        given = re.search(rf"^{answers}: Digest (.*)$", second, re.M)
        self.assertTrue(given, second)
        self.assertTrue(digest_is_right(given[1], "BYE", "sip.example.net"), given[1])
        numbers = [int(re.search(r"^CSeq: (\d+) BYE", one, re.M)[1]) for one in (first, second)]
        self.assertEqual(numbers[1], numbers[0] + 1)

    def test_a_bye_that_is_challenged_by_401_is_sent_again_with_credentials(self):
        self.challenges_bye("401 Unauthorized", "WWW-Authenticate", "Authorization")

    def test_a_bye_that_is_challenged_by_407_is_sent_again_with_credentials(self):
        self.challenges_bye("407 Proxy Authentication Required", "Proxy-Authenticate",
                            "Proxy-Authorization")

    def test_a_183_that_comes_twice_does_not_interrupt_what_is_heard(self):
        peers.need_raw_sockets()
        tone = rtp.write_capture(self.work / "tone.pcap", rtp.sine(660, 0.9))
        carrier = self.sipp(
            "carrier_rings_twice",
            media=f'<nop><action><exec play_pcap_audio="{tone}" /></action></nop>',
        )
        switch = self.dials(carrier, "tone:440")
        early = switch.wait_for("early_media")
        answered = switch.wait_for("answered")
        self.assertLess(switch.events.index(early), switch.events.index(answered))
        record = self.is_hung_up_on(switch, carrier)
        self.assertEqual((record["received"], record["foreign"]), (45, 0))
        self.assertAlmostEqual(switch.wait_for("heard")["level_at"]["660"], -10, delta=1.5)

    def speaks_to(self, carrier, after):
        """The payload types that came to SIPp's media port and `after` behind it."""
        return {one.payload_type for one in carrier.heard(after)}

    def test_media_follows_the_200_to_another_port_and_codec(self):
        peers.need_raw_sockets()
        carrier = self.sipp("carrier_moves_its_media", sniffed=True)
        switch = self.dials(carrier, "tone:440")
        switch.wait_for("early_media")
        switch.wait_for("answered")
        peers.wait_until(lambda: self.speaks_to(carrier, 2), 5, "RTP to the port of the 200")
        moved = carrier.heard(2)[0].at
        peers.wait_until(lambda: len(carrier.heard(2)) > 25, 5, "half a second of RTP")
        self.assertEqual(self.is_hung_up_on(switch, carrier)["codec"], "PCMA")
        self.assertEqual(self.speaks_to(carrier, 0), {0})
        self.assertEqual(self.speaks_to(carrier, 2), {8})
        self.assertLess(carrier.heard()[-1].at, moved)

    def test_of_two_that_ring_the_second_answers_and_has_the_call(self):
        peers.need_raw_sockets()
        carrier = self.sipp("carrier_rings_in_two_places", sniffed=True)
        switch = self.dials(carrier, "tone:440")
        switch.wait_for("ringing")
        switch.wait_for("answered")
        peers.wait_until(lambda: len(carrier.heard(2)) > 25, 5, "half a second of RTP")
        self.is_hung_up_on(switch, carrier)
        for method in ("ACK", "BYE"):
            for text in self.received(carrier, method):
                self.assertRegex(text, r"(?m)^To: .*;tag=\d+second\d+\r?$")

    def test_a_cancel_waits_until_the_carrier_has_said_anything(self):
        carrier = self.sipp("carrier_is_slow")
        switch = self.dials(carrier)
        peers.wait_until(lambda: carrier.saw("INVITE"), 5, "an INVITE")
        switch.command("hang_up")
        self.passes(carrier)
        kinds = [text.split("\n", 1)[0].split(" sip:")[0].strip()
                 for _, _, text in peers.sipp_messages(carrier.messages)]
        self.assertLess(kinds.index("SIP/2.0 180 Ringing"), kinds.index("CANCEL"))
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")

    def test_a_strict_router_finds_itself_in_the_request_uri(self):
        carrier = self.sipp("carrier_routes_strictly")
        switch = self.dials(carrier)
        switch.wait_for("answered")
        self.is_hung_up_on(switch, carrier)
        for method in ("ACK", "BYE"):
            (text,) = self.received(carrier, method)
            self.assertTrue(text.startswith(f"{method} sip:127.0.0.1:{carrier.port} SIP/2.0"), text)
            self.assertEqual(re.findall(r"^Route: (\S+)", text, re.M),
                             ["<sip:carrier@127.0.0.1:9>"])


if __name__ == "__main__":
    peers.main()
