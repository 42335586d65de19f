"""One agent behaves as badly as it can, and the calls of the other 49 do not notice."""

import re
import subprocess
import sys

from crowds import Crowds, HERE, PATIENCE, numbers, options, pause, peers

OTHERS = 49
ROUND = 0.8  # Seconds of misbehaviour, of which each alone would be enough to fall behind.
QUIET = 2
# Milliseconds: an attack that held the others up would do so for the whole of its round, and frames
# that wait for a loop to come round wait for hundreds. What a machine does by chance stays below.
SLACK = 200
CHANCES = 3  # An attack that delays others does so each time.
MEMORY = 64 * 1_024  # KiB
# What the attacked call itself comes to: it goes on, it is told that its agent is lost, or it is
# refused because there never was one; and what the log says about it.
ATTACKS = {
    "media_flood": ("goes on", "more than 120 s ahead"),
    "mark_flood": ("lost", "does not read what it is sent"),
    "clear_flood": ("goes on", ""),
    "ping_flood": ("lost", "it sends more pings than it reads answers"),
    "nonsense": ("goes on", "messages were not understood"),
    "no_utf8": ("lost", r"it broke the protocol \(100[67]\)"),
    "binaries": ("goes on", "messages were not understood"),
    "four_mib": ("goes on", "more than 120 s ahead"),
    "five_mib": ("lost", r"it broke the protocol \(100[69]\)"),
    "never_reads": ("goes on", ""),
    "masked": ("lost", "it broke the protocol"),
    "reserved_opcode": ("lost", "it broke the protocol"),
    "closes_1011": ("lost", "it closed with 1011"),
    "slow_loris": ("refused", "it was not connected in time"),
    "answers_302": ("refused", "it answered `HTTP/1.1 302 Found` and not 101"),
    "answers_401": ("refused", "it answered `HTTP/1.1 401 Unauthorized` and not 101"),
    "huge_head": ("refused", "its answer has no end"),
}


class Hostile(Crowds):
    def attackers(self):
        process = self.process([sys.executable, "-B", HERE / "attackers.py"], "attackers",
                               stdin=subprocess.PIPE)
        self.addCleanup(process.popen.stdin.close)
        found = peers.wait_until(
            lambda: re.search(r"listening on (\S+)\n", process.log.read_text()), PATIENCE,
            "the attackers listen")
        return found[1]

    def everybody_talks(self):
        _, urls = self.echo_bots(OTHERS)
        attackers = self.attackers()
        self.good = numbers(OTHERS)
        self.bad = dict(zip(ATTACKS, numbers(len(ATTACKS), first=OTHERS)))
        self.switch_of({**dict(zip(self.good, urls)),
                        **{number: f"{attackers}/{name}" for name, number in self.bad.items()}},
                       agents='connect_within = "1s"')
        self.crowd = self.callers()
        self.crowd.call(*self.good)
        self.crowd.until("answered", OTHERS)
        self.crowd.command("window warm")
        pause(1)
        self.crowd.command("window quiet")
        pause(QUIET)
        # While a window is open there is nearly always a frame of it under way.
        self.crowd.command("window between")

    def attacked(self, name, window):
        """What became of the call that the attacker answered."""
        number = self.bad[name]
        self.crowd.command(f"window {window}")
        victim = self.callers()
        victim.call(number)
        peers.wait_until(lambda: victim.told("answered") or victim.told("refused"), PATIENCE,
                         f"{name} is answered or refused")
        pause(ROUND)
        self.crowd.command("window between")
        wanted, _ = ATTACKS[name]
        if wanted == "lost":
            self.assertRegex(victim.until("bye", 1)[number]["reason"], "agent lost")
        elif wanted == "refused":
            self.assertEqual(victim.until("refused", 1)[number]["status"], 503)
        else:
            self.assertFalse(victim.told("bye"), name)
            victim.command("hang_up")
            victim.until("hung_up", 1)
        victim.end()

    def whole(self, window):
        """All that was sent came back, once what is on its way has arrived."""
        def done():
            return (one := self.crowd.windows()[window])["back"] >= one["sent"] and one
        return peers.wait_until(done, 10, f"every frame of {window} comes back")

    def test_the_others_do_not_notice(self):
        self.everybody_talks()
        before = self.memory_kib()
        quiet = self.whole("quiet")
        print(f"\n  {'quiet':16} p50 {quiet['p50']:6.2f} ms, p99 {quiet['p99']:6.2f} ms", flush=True)
        for name, (_, said) in ATTACKS.items():
            with self.subTest(name):
                for chance in range(CHANCES):
                    window = f"{name}{chance}"
                    self.attacked(name, window)
                    one = self.whole(window)
                    grown = self.memory_kib("VmHWM") - before
                    print(f"  {name:16} p50 {one['p50']:6.2f} ms, p99 {one['p99']:6.2f} ms, "
                          f"{one['sent']} frames, {grown} KiB more at most", flush=True)
                    if one["p99"] <= quiet["p99"] + SLACK:
                        break
                self.assertLessEqual(one["p99"], quiet["p99"] + SLACK)
                self.assertEqual(one["twice"], 0)
                self.assertLess(grown, MEMORY)
                if said:
                    self.assertRegex(self.log(), f"/{name}.*{said}")
        self.assertFalse(self.crowd.told("bye"))
        self.assertFalse(self.crowd.told("crossed"))
        self.crowd.command("hang_up")
        self.crowd.until("hung_up", OTHERS)
        records = self.records(OTHERS + len(ATTACKS))
        for number in self.good:
            self.assertEqual(records[number]["ended_by"], "caller", records[number])
            self.assertEqual(records[number]["packets_lost"], 0, records[number])

    def test_nobody_is_left_with_an_agent_that_died_as_it_was_hired(self):
        """It agrees and breaks the protocol in one go, while the call is being given to it."""
        attackers = self.attackers()
        called = numbers(40)
        self.switch_of({number: f"{attackers}/masked" for number in called})
        for _ in range(10):
            callers = self.callers()
            callers.call(*called)
            left = callers.until("bye", len(called))
            for number in called:
                self.assertRegex(left[number]["reason"], "agent lost: it broke the protocol")
            callers.end()


if __name__ == "__main__":
    peers.main(*options())
