"""Digits by RFC 4733 and by INFO: each arrives once."""

import pathlib

import peers

CAPTURES = pathlib.Path("/usr/share/sip-tester")
FILES = {"*": "star", "#": "pound", **{str(n): str(n) for n in range(10)}}


class Digits(peers.Case):
    def dialled(self, switch):
        return "".join(one["digit"] for one in switch.told("digit"))

    def call_that_plays(self, digits):
        """One call; SIPp plays the capture of each digit, one every 400 ms."""
        peers.need_raw_sockets()
        peers.need(CAPTURES.exists(), f"captures in {CAPTURES}")
        switch = self.switch("--trunk carrier --allow 127.0.0.1 --number *:listen")
        media = "".join(
            f'<nop><action><exec play_pcap_audio="{CAPTURES}/dtmf_2833_{FILES[one]}.pcap" />'
            '</action></nop><pause milliseconds="400" />'
            for one in digits
        )
        sipp = self.sipp("caller", f"127.0.0.1:{switch.port}", media=media)
        self.passes(sipp)
        switch.wait_for("record")
        return switch

    def test_each_digit_of_a_capture_arrives_once(self):
        # Every capture has a stream of its own: sequence numbers and timestamps leap between them.
        digits = "0123456789*#"
        self.assertEqual(self.dialled(self.call_that_plays(digits)), digits)

    def test_info_says_digits_in_both_bodies(self):
        switch = self.switch("--trunk carrier --allow 127.0.0.1 --number *:hold")
        sipp = self.sipp("caller_sends_info", f"127.0.0.1:{switch.port}")
        self.passes(sipp)
        switch.wait_for("record")
        self.assertEqual(self.dialled(switch), "5*7")

    def test_our_digits_arrive_as_events_that_end_once(self):
        peers.need_raw_sockets()
        carrier = self.sipp("carrier_answers", sniffed=True)
        switch = self.switch(f"--trunk carrier --gateway 127.0.0.1:{carrier.port}")
        switch.command("dial +14155550100 carrier listen")
        switch.wait_for("answered")
        switch.command("digits 19#")

        def ends():
            events = self.by_event(carrier.heard())
            return [sum(1 for one in packets if one.payload[1] & 0x80) for packets in events]

        # RFC 4733 2.5.1.4: the last packet is sent three times.
        peers.wait_until(lambda: ends() == [3, 3, 3], 5, "three ends of each of three events")
        switch.command("hang_up")
        self.passes(carrier)
        switch.wait_for("record")
        events = self.by_event(carrier.heard())
        self.assertEqual([packets[0].payload[0] for packets in events], [1, 9, 11])
        for packets in events:
            self.assertEqual([one.marker for one in packets], [True] + [False] * (len(packets) - 1))

    def by_event(self, packets):
        found = {}
        for one in packets:
            if one.payload_type == 101:
                found.setdefault(one.timestamp, []).append(one)
        return list(found.values())


if __name__ == "__main__":
    peers.main()
