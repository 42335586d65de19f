"""baresip calls us and is called: what each side heard is judged by its frequency."""

import time

import peers
from softphone import Softphone

ALLOW = "--allow 127.0.0.0/8 --number"


class Baresip(peers.Case):
    def hears(self, phone, hz, seconds=1.5):
        """Waits until its recording has been going on, then ends with what is in it."""
        length, shares = phone.heard()
        self.assertGreater(length, seconds)
        self.assertGreater(shares[hz], 0.5, f"{hz} Hz in {length} s: {shares}")

    def we_heard(self, switch, hz):
        heard = switch.wait_for("heard")
        self.assertGreater(heard["speech"], 8_000)
        self.assertGreater(heard["level_at"][str(hz)], heard["level"] - 1)
        self.assertGreater(heard["level"], -40)

    def calls_in(self, law, agent, hears):
        switch = self.switch(f"--trunk carrier {ALLOW} *:{agent}")
        phone = Softphone(self, codecs=law)
        phone.dial(f"sip:+14155550100@127.0.0.1:{switch.port}")
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(2.5)
        phone.hang_up()
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["codec"]), ("caller", law))
        self.assertEqual(record["lost"], 0)
        self.assertEqual(record["foreign"], 0)
        self.we_heard(switch, 440)
        self.hears(phone, hears)

    def test_its_tone_comes_back_in_pcmu(self):
        self.calls_in("PCMU", "echo", 440)

    def test_its_tone_comes_back_in_pcma(self):
        self.calls_in("PCMA", "reflect", 440)

    def test_it_hears_another_tone_than_it_says(self):
        self.calls_in("PCMU", "tone:1000", 1000)

    def is_called(self, law):
        phone = Softphone(self, codecs=law)
        switch = self.switch(f"--trunk carrier --gateway 127.0.0.1:{phone.port}")
        switch.command("dial caller carrier tone:1000")
        switch.wait_for("answered")
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(2.5)
        switch.command("hang_up")
        phone.wait_for("CALL_CLOSED")
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["codec"]), ("application", law))
        self.we_heard(switch, 440)
        self.hears(phone, 1000)

    def test_it_is_called_in_pcmu(self):
        self.is_called("PCMU")

    def test_it_is_called_in_pcma(self):
        self.is_called("PCMA")

    def test_it_holds_and_goes_on(self):
        switch = self.switch(f"--trunk carrier {ALLOW} *:tone:1000")
        phone = Softphone(self)
        phone.dial(f"sip:+14155550100@127.0.0.1:{switch.port}")
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(1)
        phone.command("hold")
        time.sleep(1)
        phone.command("resume")
        time.sleep(2)
        phone.hang_up()
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["code"]), ("caller", 200))
        self.we_heard(switch, 440)

    def challenged(self, password):
        # Its libre 1.1 gives up on a response that names SHA-256 anywhere.
        switch = self.switch(
            f"--trunk carrier {ALLOW} *:echo --inbound-auth-md5 carrier:s3cret"
        )
        phone = Softphone(self, auth=f";auth_user=carrier;auth_pass={password}")
        phone.dial(f"sip:+14155550100@127.0.0.1:{switch.port}")
        return switch, phone

    def test_it_answers_our_challenge(self):
        switch, phone = self.challenged("s3cret")
        phone.wait_for("CALL_ESTABLISHED")
        phone.hang_up()
        self.assertEqual(switch.wait_for("record")["code"], 200)
        self.assertEqual(len(switch.told("record")), 1)

    def test_with_the_wrong_password_it_is_refused(self):
        switch, phone = self.challenged("guess")
        record = switch.wait_for("record")
        self.assertEqual((record["code"], record["refused"]), (401, "refused_unauthorized"))
        self.assertEqual(switch.told("incoming"), [])


if __name__ == "__main__":
    peers.main()
