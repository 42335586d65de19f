"""What carriers ask for beyond RFC 3261: PRACK, session timers, REFER. SIPp is the carrier."""

import peers


class Extensions(peers.Case):
    def called(self, agent="hold"):
        return self.switch(f"--trunk carrier --allow 127.0.0.1 --number *:{agent}")

    def caller(self, scenario, switch, **how):
        return self.sipp(scenario, f"127.0.0.1:{switch.port}", **how)

    def test_ringing_comes_again_until_it_is_acknowledged(self):
        switch = self.called("wait")
        caller = self.caller("caller_requires_100rel", switch)
        peers.wait_until(lambda: caller.saw("PRACK "), 10, "PRACK")
        self.assertTrue(caller.saw("SIP/2.0 180", 2))
        switch.command("answer hold")
        self.passes(caller)
        self.assertEqual(switch.wait_for("record")["ended_by"], "caller")

    def test_a_session_that_is_too_short_is_told_so(self):
        switch = self.called()
        self.passes(self.caller("caller_is_too_short", switch))
        self.assertEqual(switch.wait_for("record")["refused"], "refused_session_interval")

    def test_a_caller_refreshes_its_session(self):
        switch = self.called()
        self.passes(self.caller("caller_refreshes", switch))
        self.assertEqual(switch.wait_for("record")["ended_by"], "caller")

    def transferred(self, status, state, code):
        switch = self.called("echo")
        caller = self.caller("caller_is_transferred", switch, status=status)
        switch.wait_for("answered")
        switch.command("transfer tel:+14155550123")
        switch.wait_for("transfer", state="accepted", status=202)
        switch.wait_for("transfer", state="trying", status=180)
        switch.wait_for("transfer", state=state, status=code)
        self.assertEqual(switch.calls(), 1)
        switch.command("hang_up")
        self.passes(caller)
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")

    def test_a_call_is_transferred(self):
        self.transferred("200 OK", "succeeded", 200)

    def test_a_transfer_that_fails_comes_back(self):
        self.transferred("486 Busy Here", "failed", 486)

    def test_a_transfer_that_no_agent_wants_is_declined(self):
        switch = self.called()
        caller = self.caller("caller_refers", switch)
        peers.wait_until(lambda: caller.saw("NOTIFY ", 2), 10, "two NOTIFYs")
        switch.command("hang_up")
        self.passes(caller)
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")

    def test_a_carrier_rings_reliably_with_early_media(self):
        carrier = self.sipp("carrier_rings_reliably")
        switch = self.switch(f"--trunk carrier --gateway 127.0.0.1:{carrier.port}")
        switch.command("dial +14155550100 carrier echo")
        switch.wait_for("early_media")
        switch.wait_for("answered")
        switch.command("hang_up")
        self.passes(carrier)
        self.assertEqual(switch.wait_for("record")["codec"], "PCMU")

    def test_a_carrier_that_wants_fewer_refreshes_is_obeyed(self):
        carrier = self.sipp("carrier_wants_longer")
        switch = self.switch(f"--trunk carrier --gateway 127.0.0.1:{carrier.port}")
        switch.command("dial +14155550100 carrier hold")
        switch.wait_for("answered")
        switch.command("hang_up")
        self.passes(carrier)
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")


if __name__ == "__main__":
    peers.main()
