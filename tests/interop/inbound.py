"""What a carrier's INVITE may be like, and what follows it: SIPp calls in."""

import peers


class Inbound(peers.Case):
    def start(self, agent="hold", arguments=""):
        return self.switch(f"--trunk carrier --allow 127.0.0.1 --number *:{agent} {arguments}")

    def call(self, scenario, switch, seconds=20, **how):
        sipp = self.sipp(scenario, f"127.0.0.1:{switch.port}", seconds=seconds, **how)
        self.passes(sipp, seconds + 5)
        return sipp

    def test_a_call_is_answered_and_ended_by_the_caller(self):
        switch = self.start("hold")
        self.call("caller", switch)
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["code"]), ("caller", 200))
        self.assertEqual((record["from"], record["to"]), ("+14155550199", "+14155550100"))
        self.assertEqual(switch.calls(), 0)

    def test_two_shards_share_the_calls(self):
        switch = self.switch("--shards 2 --trunk carrier --allow 127.0.0.1 --number *:hold "
                             "--channels 200 --cps 1000")
        self.call("caller", switch, calls=200, extra=["-r", 100])
        switch.wait_for("record", count=200)
        self.assertEqual({one["code"] for one in switch.told("record")}, {200})
        self.assertEqual(switch.calls(), 0)

    def test_we_hang_up(self):
        switch = self.start("echo")
        sipp = self.sipp("caller_waits", f"127.0.0.1:{switch.port}")
        switch.wait_for("answered")
        switch.command("hang_up")
        self.passes(sipp)
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")

    def test_the_caller_cancels(self):
        switch = self.start("wait")
        self.call("caller_cancels", switch)
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["code"]), ("caller", 487))
        self.assertIn("ringing", record)
        self.assertNotIn("answered", record)

    def test_a_call_may_be_answered_late(self):
        switch = self.start("wait")
        sipp = self.sipp("caller", f"127.0.0.1:{switch.port}")
        switch.wait_for("incoming")
        switch.command("answer echo")
        self.passes(sipp)
        self.assertEqual(switch.wait_for("record")["ended_by"], "caller")

    def test_an_invite_that_comes_again_is_one_call(self):
        switch = self.start("wait")
        sipp = self.sipp("caller_repeats", f"127.0.0.1:{switch.port}", extra=["-nr"])
        peers.wait_until(lambda: sipp.saw("SIP/2.0 180", 3), 5, "three 180s")
        switch.command("answer hold")
        self.passes(sipp)
        switch.wait_for("record")
        self.assertEqual(len(switch.told("incoming")), 1)
        self.assertEqual(len(switch.told("record")), 1)
        tags = {
            line.split("tag=")[1] for _, way, text in peers.sipp_messages(sipp.messages)
            if way == "received" and text.startswith("SIP/2.0 200") and "INVITE" in text
            for line in text.splitlines() if line.startswith("To:")
        }
        self.assertEqual(len(tags), 1)

    def test_an_invite_without_sdp_gets_an_offer_and_audio(self):
        peers.need_raw_sockets()
        switch = self.start("tone:440")
        sipp = self.sipp("caller_without_offer", f"127.0.0.1:{switch.port}", pause=1000,
                         sniffed=True)
        self.passes(sipp)
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["codec"]), ("caller", "PCMU"))
        heard = sipp.heard()
        self.assertGreater(len(heard), 40)
        self.assertEqual({one.payload_type for one in heard}, {0})

    def test_a_held_caller_hears_nothing_and_then_everything_again(self):
        peers.need_raw_sockets()
        switch = self.start("tone:440")
        sipp = self.sipp("caller_holds", f"127.0.0.1:{switch.port}", sniffed=True)
        self.passes(sipp)
        self.assertEqual(switch.wait_for("record")["ended_by"], "caller")
        # SIPp holds after 0.8 s, for 1 s and 0.4 s, and listens for another 0.8 s.
        times = [one.at for one in sipp.heard()]
        gaps = [(later - one, one) for one, later in zip(times, times[1:])]
        longest, since = max(gaps)
        self.assertAlmostEqual(longest, 1.4, delta=0.25)
        self.assertGreater(sum(1 for at in times if at <= since), 30)
        self.assertGreater(sum(1 for at in times if at > since), 30)
        streams = {one.ssrc for one in sipp.heard()}
        self.assertEqual(len(streams), 1)

    def test_media_goes_where_the_last_offer_that_was_agreed_on_says(self):
        peers.need_raw_sockets()
        switch = self.start("tone:440")
        sipp = self.call("caller_renegotiates", switch, sniffed=True)
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["codec"]), ("caller", "PCMU"))
        first, moved = sipp.heard(), sipp.heard(2)
        self.assertEqual({one.payload_type for one in first}, {0})
        self.assertEqual({one.payload_type for one in moved}, {8})
        # By the UPDATE it came back, and the refused INVITE left it there.
        self.assertGreater(sum(1 for one in first if one.at > moved[-1].at), 40)

    def test_an_offer_before_the_ack_of_the_last_one_is_told_when_to_come_again(self):
        switch = self.start("echo")
        self.call("caller_is_hasty", switch)
        self.assertEqual(switch.wait_for("record")["codec"], "PCMU")

    def test_a_tel_uri_and_no_hops_left_are_a_call_like_any_other(self):
        switch = self.start("hold")
        self.call("caller_by_tel", switch)
        record = switch.wait_for("record")
        self.assertEqual((record["to"], record["code"]), ("+14155550100", 200))

    def test_one_invite_by_two_ways_is_one_call(self):
        switch = self.start("wait")
        self.call("caller_is_merged", switch)
        self.assertEqual(switch.wait_for("record", ended_by="caller")["code"], 487)
        self.assertEqual(len(switch.told("incoming")), 1)

    def test_a_cancel_that_comes_again_is_answered_again(self):
        switch = self.start("wait")
        self.call("caller_cancels_twice", switch)
        self.assertEqual(switch.wait_for("record")["code"], 487)
        self.assertEqual(len(switch.told("record")), 1)

    def test_what_belongs_to_no_call_is_481(self):
        switch = self.start("hold")
        self.call("caller_is_astray", switch)
        self.assertEqual(switch.told("incoming"), [])
        self.assertEqual(switch.calls(), 0)

    def test_a_call_comes_by_ipv6(self):
        peers.need_ipv6()
        switch = self.switch("--trunk carrier --allow ::1 --number *:echo", listen="[::1]:0")
        sipp = self.sipp("caller", f"[::1]:{switch.port}", at="::1")
        self.passes(sipp)
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["code"]), ("caller", 200))

    def test_an_unknown_source_gets_one_403(self):
        switch = self.start("hold")
        self.call("caller_refused", switch, at="127.0.0.9", code=403)
        record = switch.wait_for("record")
        self.assertEqual((record["code"], record["trunk"]), (403, ""))
        self.assertEqual(record["refused"], "refused_unknown_source")
        self.assertEqual(switch.told("incoming"), [])

    def test_an_unknown_number_gets_404(self):
        switch = self.switch("--trunk carrier --allow 127.0.0.1 --number +14155550100:hold")
        self.call("caller_refused", switch, service="+14155550101", code=404)
        self.assertEqual(switch.wait_for("record")["refused"], "refused_number_unknown")

    def test_codecs_without_one_in_common_get_488(self):
        switch = self.start("hold", "--codec pcma")
        self.call("caller_refused", switch, code=488)
        self.assertEqual(switch.wait_for("record")["code"], 488)

    def test_the_second_call_of_one_channel_gets_486(self):
        switch = self.start("hold", "--channels 1")
        first = self.sipp("caller", f"127.0.0.1:{switch.port}", pause=2500)
        switch.wait_for("answered")
        self.call("caller_refused", switch, code=486)
        self.passes(first)

    def test_a_carrier_that_knows_no_password_is_let_in_where_none_is_asked(self):
        # Its credentials are for its challenges; only inbound_auth asks the carrier for any.
        switch = self.start("hold", "--auth trunk:secret --gateway 127.0.0.1:9")
        sipp = self.call("caller", switch)
        self.assertEqual(switch.wait_for("record")["code"], 200)
        received = [m for _, way, m in peers.sipp_messages(sipp.messages) if way == "received"]
        self.assertEqual([m for m in received if m.startswith("SIP/2.0 401")], [])

    def test_a_caller_answers_our_challenge(self):
        # SIPp looks at the first challenge only, and knows no SHA-256.
        switch = self.start("hold", "--inbound-auth-md5 carrier:s3cret")
        self.call("caller_challenged", switch, user="carrier", password="s3cret")
        record = switch.wait_for("record")
        self.assertEqual((record["code"], len(switch.told("record"))), (200, 1))

    def test_a_caller_with_the_wrong_password_gets_401_again(self):
        switch = self.start("hold", "--inbound-auth-md5 carrier:s3cret")
        self.call("caller_challenged_in_vain", switch, user="carrier", password="guess")
        record = switch.wait_for("record")
        self.assertEqual((record["code"], record["refused"]), (401, "refused_unauthorized"))
        self.assertEqual(switch.told("incoming"), [])

    def test_a_200_is_repeated_until_its_late_ack_and_the_call_is_whole(self):
        switch = self.start("tone:440")
        sipp = self.call("caller_acknowledges_late", switch)
        self.repeats_at(sipp, [0, 0.5, 1.5, 3.5])
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["code"]), ("caller", 200))
        self.assertGreater(record["lasted"], 8_000)

    def repeats_at(self, sipp, times):
        """The first 200 to INVITE and its repetitions, as SIPp saw them."""
        seen = [
            at for at, way, text in peers.sipp_messages(sipp.messages)
            if way == "received" and text.startswith("SIP/2.0 200") and "INVITE" in text
        ]
        self.assertEqual(len(seen), len(times), f"200s at {seen}")
        for at, wanted in zip(seen, times):
            self.assertAlmostEqual(at - seen[0], wanted, delta=0.25)

    def test_without_an_ack_the_200_is_repeated_for_32_seconds_then_there_is_a_bye(self):
        switch = self.start("hold")
        sipp = self.call("caller_never_acknowledges", switch, seconds=45)
        self.repeats_at(sipp, [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5])
        record = switch.wait_for("record")
        self.assertEqual(record["ended_by"], "timeout")
        self.assertAlmostEqual(record["lasted"], 32_000, delta=1_000)


if __name__ == "__main__":
    peers.main()
