"""npm's TwilioRealtimeTransportLayer, unmodified, between stand-ins of platform and model."""

import re

from agents import Agents, options, peers, told, until_told
from platform_stand_in import Call
from speech import spoken, wav_chunk

# What the package calls its marks: item, milliseconds sent so far, generation, count.
AUDIO_MARK = re.compile(r"^(item_\w+):(\d+):g(\d+):m(\d+)$")
DONE_MARK = re.compile(r"^done:(item_\w+):g(\d+):m(\d+)$")


class OpenAi(Agents):
    def agent(self, between=20):
        self.model, self.transport, url = self.openai(between)
        return url

    def call(self, url, **how):
        call = Call(url, **how)
        self.addCleanup(call.hang_up)
        return call

    def greets(self, call):
        wanted = spoken("greeting.wav")
        peers.wait_until(lambda: len(call.heard) == len(wanted), 60, "the greeting was heard")
        self.is_said(call.heard, wanted)

    def is_said(self, heard, wanted):
        """The same but for what encoders of G.711 may do differently with negative samples."""
        self.assertEqual(len(heard), len(wanted))
        self.assertEqual([pair for pair in zip(heard, wanted) if abs(pair[0] - pair[1]) > 1], [])

    def ends(self, call):
        """Hangs up; the package has complained about nothing."""
        call.hang_up()
        self.assertEqual(call.trouble, [])
        self.assertIsNone(call.closed)
        for complaint in ("Invalid mark", "Error parsing", "session:", "answer:"):
            self.assertNotIn(complaint, self.transport.log.read_text())

    def names(self, call, event="mark"):
        return [one["mark"]["name"] for one in call.messages if one["event"] == event]

    def test_the_greeting_arrives_and_its_marks_come_back_in_order(self):
        call = self.call(self.agent())
        self.greets(call)
        names = self.names(call)
        sent = 0
        for message, name in zip(call.messages[::2], names[:-1]):
            self.assertEqual(message["event"], "media")
            sent += len(message["media"]["payload"]) * 3 // 4 // 8
            item, milliseconds, generation, count = AUDIO_MARK.match(name).groups()
            self.assertAlmostEqual(int(milliseconds), sent, delta=len(names))
            self.assertEqual((generation, int(count)), ("1", names.index(name) + 1))
        self.assertEqual(DONE_MARK.match(names[-1])[1], item)
        call.wait_for(f"back {names[-1]}")
        until_told(self.transport, event="mark", mark={"name": names[-1]})
        back = [one["mark"]["name"] for one in told(self.transport, event="mark")]
        self.assertEqual(back, names)
        self.assertEqual(call.happened("clear"), [])
        self.ends(call)

    def test_the_callers_audio_reaches_the_model_without_a_gap(self):
        call = self.call(self.agent(), speed=1)
        words = spoken("caller.wav")
        call.wait_for("media")
        call.say(b"\xff" * 80 + words)
        until_told(self.model, type="conversation.item.truncate")
        peers.wait_until(lambda: words in bytes(call.said), 60, "all was said")
        call.hang_up()
        until_told(self.model, type="closed")
        heard = wav_chunk(self.work / "heard-1.wav", b"data")
        # What was said while the model was not reached yet is lost, and nothing was put between.
        self.assertIn(words, heard)
        self.assertTrue(bytes(call.said).endswith(heard), "not what the caller said")
        self.assertGreater(len(heard), len(call.said) - 16_000)
        self.assertNotIn("Invalid mark", self.transport.log.read_text())

    def interrupts(self, call):
        """The caller speaks while the greeting is being said; returns what he says."""
        call.wait_for("media")
        peers.wait_until(lambda: len(call.heard) > 8_000, 60, "a second of the greeting was heard")
        words = spoken("caller.wav")
        call.say(words)
        call.wait_for("clear")
        # What is heard of the greeting ends with the clear: the rest was dropped.
        heard = len(call.heard) // 8
        self.assertLess(heard, len(spoken("greeting.wav")) // 8)
        truncated = until_told(self.model, type="conversation.item.truncate")
        # By the marks that came back before, and 50 ms more: the latest may have been on its way.
        before = call.order[:[one.what for one in call.order].index("clear")]
        marks = [AUDIO_MARK.match(one.what[5:]) for one in before if one.what.startswith("back ")]
        self.assertIn(truncated["audio_end_ms"], [int(one[2]) + 50 for one in marks])
        self.assertGreater(truncated["audio_end_ms"], heard - 1_500)
        until_told(self.transport, event="interrupted")
        return words

    def repeats(self, call, words):
        """The model says the caller's words back, of which nothing was cleared."""
        peers.wait_until(lambda: words in bytes(call.heard), 60, "the caller's words came back")
        peers.wait_until(lambda: DONE_MARK.match(self.names(call)[-1]), 60, "it is done")
        last = self.names(call)[-1]
        call.wait_for(f"back {last}")
        until_told(self.transport, event="mark", mark={"name": last})
        self.assertEqual(DONE_MARK.match(last)[2], "2", "a clear begins the next generation")
        back = [one["mark"]["name"] for one in told(self.transport, event="mark")]
        self.assertEqual(back, self.names(call))

    def test_speech_clears_a_greeting_that_was_sent_whole_and_truncates_it(self):
        call = self.call(self.agent(between=0), speed=2)
        peers.wait_until(lambda: len(call.media) == len(spoken("greeting.wav")), 60, "all was sent")
        self.repeats(call, self.interrupts(call))
        self.assertEqual(told(self.model, type="response.cancel"), [])
        self.ends(call)

    def test_speech_clears_a_greeting_that_is_still_being_made(self):
        call = self.call(self.agent(between=220), speed=1)
        self.repeats(call, self.interrupts(call))
        self.assertLess(len(call.media), len(spoken("greeting.wav")) + len(spoken("caller.wav")))
        self.ends(call)

    def test_two_calls_at_a_time_do_not_mix(self):
        url = self.agent()
        calls = [(self.call(url), spoken("caller.wav")), (self.call(url), spoken("other.wav"))]
        for call, _ in calls:
            self.greets(call)
            call.wait_for(f"back {self.names(call)[-1]}")
        for call, words in calls:
            call.say(words)
        for call, words in calls:
            peers.wait_until(lambda: words in bytes(call.heard), 60, "the caller's words came back")
        for call, words in calls:
            other, = (one for _, one in calls if one != words)
            self.assertNotIn(other, bytes(call.heard))
            self.ends(call)

    def test_whoever_hangs_up_ends_the_models_session(self):
        call = self.call(self.agent())
        call.wait_for("media")
        self.ends(call)
        until_told(self.model, type="closed")
        stop = until_told(self.transport, event="stop")
        self.assertEqual(stop["streamSid"], call.stream_sid)

    def test_digits_are_passed_on_to_the_application(self):
        call = self.call(self.agent())
        call.press("5")
        told = until_told(self.transport, event="dtmf")
        self.assertEqual(told["dtmf"], {"track": "inbound_track", "digit": "5"})
        self.ends(call)


if __name__ == "__main__":
    peers.main(*options())
