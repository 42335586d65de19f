"""Agents die in mid-call: whoever has somebody to stand in hears them, the others are told why."""

import array
import math
import signal
import time
import wave

from crowds import Crowds, PATIENCE, numbers, options, peers

CALLS = 50
PROCESSES = 5
SOON = 2  # Seconds from the kill: a caller would say "hello?" by then.
PONG_WITHIN, PING_EVERY = 5, 2.5


def tone(path, seconds=20):
    """A fallback that is never silent."""
    samples = array.array("h", (round(8_000 * math.sin(2 * math.pi * 440 * n / 8_000)) or 8
                                for n in range(8_000 * seconds)))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", None))
        file.writeframes(samples.tobytes())
    return path


class Kills(Crowds):
    def talking(self, count):
        """So many calls, each with its own agent; every second one has somebody to stand in."""
        self.bots, urls = [], []
        for _ in range(PROCESSES):
            bots, some = self.echo_bots(count // PROCESSES)
            self.bots.append(bots)
            urls += some
        fallback = f"play:{tone(self.work / 'fallback.wav')}"
        self.called = numbers(count)
        self.with_fallback = self.called[::2]
        self.without = self.called[1::2]
        self.switch_of({number: (url, fallback) if number in self.with_fallback else url
                        for number, url in zip(self.called, urls)})
        self.crowd = self.callers()
        self.crowd.call(*self.called)
        self.crowd.until("answered", count)
        self.crowd.command("window talking")
        peers.wait_until(lambda: self.crowd.windows()["talking"]["back"] > 10 * count, PATIENCE,
                         "every bot says back what it hears")
        self.crowd.command("listen")

    def send(self, which):
        for one in self.bots:
            one.popen.send_signal(which)
        return time.monotonic()

    def after(self, since, patience):
        """What each caller noticed, in seconds from then."""
        others = self.crowd.until("others", len(self.with_fallback), patience)
        byes = self.crowd.until("bye", len(self.without), patience)
        self.assertEqual(sorted(others), self.with_fallback)
        self.assertEqual(sorted(byes), self.without)
        return ({number: one["since"] - since for number, one in others.items()},
                {number: one["at"] - since for number, one in byes.items()}, byes)

    def recorded(self, why):
        self.crowd.command("hang_up")
        self.crowd.until("hung_up", len(self.with_fallback))
        records = self.records(len(self.called))
        for number in self.without:
            self.assertEqual(records[number]["ended_by"], "agent", records[number])
            self.assertRegex(records[number]["reason"], f"agent lost: {why}")
        for number in self.with_fallback:
            self.assertEqual(records[number]["ended_by"], "caller", records[number])

    def test_fifty_agents_are_killed_at_once(self):
        self.talking(CALLS)
        killed = self.send(signal.SIGKILL)
        heard, told, byes = self.after(killed, PATIENCE)
        print(f"\n  first fallback audio after {1e3 * min(heard.values()):.0f} to "
              f"{1e3 * max(heard.values()):.0f} ms, BYE after {1e3 * min(told.values()):.0f} to "
              f"{1e3 * max(told.values()):.0f} ms", flush=True)
        self.assertGreater(min(heard.values()), 0)
        self.assertLessEqual(max(heard.values()), SOON)
        self.assertLessEqual(max(told.values()), SOON)
        for bye in byes.values():
            self.assertRegex(bye["reason"], 'SIP;cause=500;text="agent lost: ')
        self.recorded("it closed the connection|.*reset")

    def test_an_agent_that_answers_no_pings_is_given_up(self):
        self.talking(2 * PROCESSES)
        stopped = self.send(signal.SIGSTOP)
        heard, told, byes = self.after(stopped, PATIENCE)
        self.send(signal.SIGCONT)
        soonest, latest = (pick(*heard.values(), *told.values()) for pick in (min, max))
        print(f"\n  given up after {soonest:.1f} to {latest:.1f} s", flush=True)
        self.assertGreater(soonest, PONG_WITHIN - 0.1)
        self.assertLessEqual(latest, PONG_WITHIN + PING_EVERY + SOON)
        for bye in byes.values():
            self.assertIn("agent lost: it has not answered a ping for 5 s", bye["reason"])
        self.recorded("it has not answered a ping")


if __name__ == "__main__":
    peers.main(*options())
