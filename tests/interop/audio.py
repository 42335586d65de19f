"""SIPp calls in with audio of captures, and gets every byte of it back."""

import pathlib

import peers
import rtp

NUMBER = "--number *"
# Speech that follows a pause is blended into what filled it: half the longest pitch period.
JOIN = 60
SIPP_AUDIO = pathlib.Path("/usr/share/sip-tester/g711a.pcap")


def without_negative_zero(payload, payload_type):
    """G.711 mu has two zeros, which are one in 16-bit linear."""
    return payload.replace(b"\x7f", b"\xff") if payload_type == 0 else payload


class Audio(peers.Case):
    def setUp(self):
        super().setUp()
        peers.need_raw_sockets()

    def call(self, packets, agent, law):
        """One call that plays `packets`; returns the RTP that came back, and our record."""
        capture = rtp.write_capture(self.work / "said.pcap", packets)
        switch = self.switch(f"--trunk carrier --allow 127.0.0.1 {NUMBER}:{agent}")
        length = (packets[-1].timestamp - packets[0].timestamp) / 8
        sipp = self.sipp(
            "caller", f"127.0.0.1:{switch.port}", payload=packets[0].payload_type,
            media=f'<nop><action><exec play_pcap_audio="{capture}" /></action></nop>',
            pause=int(length) + 600, sniffed=True,
        )
        self.passes(sipp)
        record = switch.wait_for("record")
        self.assertEqual(record["codec"].lower(), law)
        self.assertEqual(record["ended_by"], "caller")
        self.assertEqual(record["received"], len(packets))
        self.assertEqual((record["lost"], record["late"], record["foreign"]), (0, 0, 0))
        heard = sipp.heard()
        self.assertTrue(heard, "no RTP came back")
        rtp.write_capture(self.work / "heard.pcap", heard)
        return heard, record

    def is_one_stream(self, heard, payload_type):
        self.assertEqual({one.payload_type for one in heard}, {payload_type})
        self.assertEqual(len({one.ssrc for one in heard}), 1)
        for before, one in zip(heard, heard[1:]):
            self.assertEqual((before.sequence + 1) % 65536, one.sequence)

    def comes_back(self, packets, agent, law):
        heard, record = self.call(packets, agent, law)
        payload_type = packets[0].payload_type
        self.is_one_stream(heard, payload_type)
        self.assertGreaterEqual(record["sent"], len(heard))
        back = without_negative_zero(b"".join(one.payload for one in heard), payload_type)
        at = 0
        for number, spurt in enumerate(rtp.spurts(packets)):
            said = without_negative_zero(b"".join(one.payload for one in spurt), payload_type)
            said = said[JOIN if number else 0:]
            found = back.find(said, at)
            if found < 0:  # Where it differs says more than that it does.
                whole = max(n for n in range(0, len(said) + 1, 80) if said[:n] in back[at:])
                self.fail(f"of spurt {number}, {len(said)} bytes, only {whole} came back")
            at = found + len(said)

    def sipp_speech(self):
        peers.need(SIPP_AUDIO.exists(), str(SIPP_AUDIO))
        return rtp.read_capture(SIPP_AUDIO)[:100]

    def shared_speech(self, name, source):
        found = [
            one for one in rtp.read_capture(peers.shared_capture(name))
            if one.payload_type in (0, 8) and one.source[0] == source
        ]
        self.assertGreater(len(found), 100)
        return found

    def test_reflect_returns_pcma_of_30_ms_byte_for_byte(self):
        self.comes_back(self.sipp_speech(), "reflect", "pcma")

    def test_echo_returns_pcma_of_30_ms_byte_for_byte(self):
        self.comes_back(self.sipp_speech(), "echo", "pcma")

    def test_reflect_returns_pcmu_byte_for_byte(self):
        self.comes_back(self.milliwatt(), "reflect", "pcmu")

    def test_echo_returns_pcmu_byte_for_byte(self):
        self.comes_back(self.milliwatt(), "echo", "pcmu")

    def milliwatt(self):
        return self.shared_speech("milliwatt.pcmu.rtp.pcap", "192.168.0.2")

    def test_reflect_returns_a_call_with_silence_suppression_byte_for_byte(self):
        packets = self.shared_speech("SIP_CALL_RTP_G711", "200.57.7.204")[:250]
        self.assertGreater(len(rtp.spurts(packets)), 3)
        self.comes_back(packets, "reflect", "pcma")


if __name__ == "__main__":
    peers.main()
