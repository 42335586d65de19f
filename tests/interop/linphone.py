"""linphone calls softswitch, and is called by `softswitch dial`: it has to hear its own tone."""

import array
import json
import math
import os
import re
import signal
import subprocess
import time
import wave

import peers
import rtp

PHONE = """\
[sip]
use_ipv6=0
ipv6_migration_done=1
sip_port={port}
sip_tcp_port=-1
sip_tls_port=-1
default_proxy=-1
register_only_when_network_is_up=0
guess_hostname=0
contact="phone" <sip:phone@127.0.0.1>
use_ipv6=0
media_encryption=none
[rtp]
audio_rtp_port={rtp}
[sound]
echocancellation=0
[video]
enabled=0
capture=0
display=0
automatically_initiate=0
automatically_accept=0
"""
SWITCH = """\
listen = ["udp:127.0.0.1:0"]
media = {{ at = "127.0.0.1", ports = "{first}-{last}" }}
[[trunk]]
name = "carrier"
gateways = ["127.0.0.1:{phone}"]
allow_from = ["127.0.0.0/8"]
numbers = [{{ number = "+14155550100", agent = "reflect" }}]
codecs = ["{codec}"]
"""
HZ = 660


class Linphone(peers.Case):
    def configure(self, codec):
        self.phone_port, media = self.port(), self.port(40)
        self.records, config = self.work / "records.json", self.work / "softswitch.toml"
        config.write_text(SWITCH.format(first=media, last=media + 39, phone=self.phone_port,
                                        codec=codec))
        return ["--config", config, "--cdr", self.records]

    def start_phone(self, *words):
        """It says a tone for as long as any call here lasts, and writes down what it hears."""
        peers.need_program("linphonec")
        (self.work / "linphonerc").write_text(PHONE.format(port=self.phone_port, rtp=self.port(4)))
        (self.work / ".local/share/linphone").mkdir(parents=True)  # It makes no folder itself.
        second = array.array("h", (round(8000 * math.sin(2 * math.pi * HZ * n / 8000))
                                   for n in range(8000)))
        with wave.open(str(self.work / "said.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(second.tobytes() * 60)
        # Its names of files are relative: the folders of a checkout may be long.
        self.phone = self.process(
            ["linphonec", "-c", "linphonerc", "-d", 0, *words], "linphonec", cwd=self.work,
            stdin=subprocess.PIPE, env={"PATH": os.environ["PATH"], "HOME": str(self.work),
                                        "PULSE_RUNTIME_PATH": str(self.work)},
        )
        self._wait_bound("127.0.0.1", self.phone_port, None, "udp")
        self.say("soundcard use files")
        self.phone_tells("Using wav files")
        self.say("record heard.wav")
        self.say("play said.wav")

    def say(self, command):
        self.phone.popen.stdin.write(command.encode() + b"\n")
        self.phone.popen.stdin.flush()

    def phone_tells(self, words):
        peers.wait_until(lambda: words in self.phone.log.read_text(errors="replace"), 15,
                         f"{words!r} of linphone")

    def hears_itself(self):
        """By tenths of a second: its recorder leaps once, over what came without a gap."""
        def recorded():
            samples, rate = rtp.read_wav(self.work / "heard.wav")
            return samples and (samples, rate)
        samples, rate = peers.wait_until(recorded, 10, "linphone's recording")
        tenths = [samples[at:at + rate // 10] for at in range(0, len(samples), rate // 10)]
        shares = [rtp.level_at(HZ, one, rate) for one in tenths]
        self.assertGreater(sum(share > 0.9 for share in shares), 10, shares)

    def ended(self, **expected):
        text = peers.wait_until(lambda: self.records.exists() and self.records.read_text(), 10,
                                "a call's record")
        self.assertEqual(text.count("\n"), 1, text)
        record = json.loads(text)
        self.assertEqual({name: record[name] for name in expected}, expected)
        self.assertEqual((record["packets_lost"], record["packets_foreign"]), (0, 0))

    def test_it_calls_and_hangs_up(self):
        switch = self.process([peers.options.switch, *self.configure("pcma")], "softswitch")
        listening = re.compile(r" on udp:127\.0\.0\.1:(\d+)")
        port = peers.wait_until(lambda: listening.search(switch.log.read_text()), 20,
                                "softswitch listens")[1]
        self.start_phone()
        self.say(f"call sip:+14155550100@127.0.0.1:{port}")
        self.phone_tells("Media streams established")
        time.sleep(2.5)
        self.say("terminate")
        self.phone_tells("ended (No error)")
        self.ended(direction="inbound", ended_by="caller", codec="PCMA")
        self.hears_itself()

    def test_it_is_called_and_hung_up_on(self):
        words = self.configure("pcmu")
        self.start_phone("-a")
        dial = self.process(
            [peers.options.switch, "dial", "phone", *words, "--agent", "reflect"], "dial")
        self.phone_tells("Media streams established")
        for step in ("answered", "audio"):
            peers.wait_until(lambda: f" s  {step}\n" in dial.log.read_text(), 10, step)
        time.sleep(2.5)
        dial.popen.send_signal(signal.SIGINT)
        self.assertEqual(dial.wait(20), 0)
        self.phone_tells("ended (")
        self.ended(direction="outbound", ended_by="application", codec="PCMU")
        self.hears_itself()


if __name__ == "__main__":
    peers.main()
