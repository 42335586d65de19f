"""The switch behind a 1:1 NAT, as in a cloud: three network namespaces, the middle one translates.

    switch 10.77.0.2 -- 10.77.0.1 (198.51.100.7 outside) 198.51.100.1 -- 198.51.100.2 baresip, SIPp
"""

import os
import pathlib
import shutil
import subprocess
import time
import unittest

import peers
from softphone import Softphone

PRIVATE, PUBLIC, OUTSIDE = "10.77.0.2", "198.51.100.7", "198.51.100.2"


class Network:
    def __init__(self):
        name = f"tl{os.getpid()}"
        self.inside, self.middle, self.outside = (f"{name}{one}" for one in "imo")
        self._made = []

    def build(self):
        for one in (self.inside, self.middle, self.outside):
            self.run(f"ip netns add {one}")
            self._made.append(one)
            self.run("ip link set lo up", one)
        for near, address, far, gateway, devices in (
            (self.inside, f"{PRIVATE}/24", self.middle, "10.77.0.1/24", ("e0", "in0")),
            (self.outside, f"{OUTSIDE}/24", self.middle, "198.51.100.1/24", ("e0", "out0")),
        ):
            self.run(
                f"ip link add {devices[0]} netns {near} type veth "
                f"peer name {devices[1]} netns {far}"
            )
            for netns, device, its in ((near, devices[0], address), (far, devices[1], gateway)):
                self.run(f"ip addr add {its} dev {device}", netns)
                self.run(f"ip link set {device} up", netns)
        self.run("ip route add default via 10.77.0.1", self.inside)
        # Outside nobody knows a way to the private network: whoever is told of it hears nothing.
        self.run(f"ip addr add {PUBLIC}/32 dev out0", self.middle)
        forward = pathlib.Path("/proc/sys/net/ipv4/ip_forward")
        peers.in_netns(self.middle, lambda: forward.write_text("1"))
        for rule in (f"PREROUTING -d {PUBLIC} -j DNAT --to-destination {PRIVATE}",
                     f"POSTROUTING -s {PRIVATE} -o out0 -j SNAT --to-source {PUBLIC}"):
            self.run(f"iptables -t nat -A {rule}", self.middle)

    def run(self, command, netns=None):
        words = (["ip", "netns", "exec", netns] if netns else []) + command.split()
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode != 0:
            raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")

    def tear_down(self):
        for one in self._made:
            subprocess.run(["ip", "netns", "del", one], check=False)


class Nat(peers.Case):
    """Skipped, even where everything is required, when the kernel gives us no namespaces."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root makes network namespaces")
        for program in ("ip", "iptables"):
            if not shutil.which(program):
                raise unittest.SkipTest(f"there is no program {program} here")
        cls.net = Network()
        cls.addClassCleanup(cls.net.tear_down)
        try:
            cls.net.build()
        except OSError as failed:
            raise unittest.SkipTest(f"no network namespaces: {failed}") from None

    def start(self, arguments):
        port = self.port()
        return self.switch(
            f"--advertise {PUBLIC}:{port} --media-advertise {PUBLIC}",
            f"--trunk carrier --allow {OUTSIDE}/32 {arguments}",
            listen=f"0.0.0.0:{port}", netns=self.net.inside,
        )

    def phone(self):
        return Softphone(self, at=OUTSIDE, netns=self.net.outside)

    def both_hear(self, switch, phone, hz):
        length, shares = phone.heard()
        self.assertGreater(length, 1.5)
        self.assertGreater(shares[hz], 0.5, shares)
        heard = switch.wait_for("heard")
        self.assertGreater(heard["level_at"]["440"], heard["level"] - 1)
        self.assertGreater(heard["level"], -40)

    def call_in(self, agent):
        switch = self.start(f"--number *:{agent}")
        phone = self.phone()
        phone.dial(f"sip:+14155550100@{PUBLIC}:{switch.port}")
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(2.5)
        return switch, phone

    def call_out(self):
        phone = self.phone()
        switch = self.start(f"--gateway {OUTSIDE}:{phone.port}")
        switch.command("dial caller carrier tone:1000")
        switch.wait_for("answered")
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(2.5)
        return switch, phone

    def test_a_call_in_that_the_caller_ends(self):
        switch, phone = self.call_in("tone:1000")
        phone.hang_up()
        self.assertEqual(switch.wait_for("record")["ended_by"], "caller")
        self.both_hear(switch, phone, 1000)

    def test_a_call_in_that_we_end(self):
        switch, phone = self.call_in("echo")
        switch.command("hang_up")
        phone.wait_for("CALL_CLOSED")
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")
        self.both_hear(switch, phone, 440)

    def test_a_call_out_that_the_callee_ends(self):
        switch, phone = self.call_out()
        phone.hang_up()
        self.assertEqual(switch.wait_for("record")["ended_by"], "callee")
        self.both_hear(switch, phone, 1000)

    def test_a_call_out_that_we_end(self):
        switch, phone = self.call_out()
        switch.command("hang_up")
        phone.wait_for("CALL_CLOSED")
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")
        self.both_hear(switch, phone, 1000)

    def tells_only_its_public_address(self, sipp):
        text = sipp.messages.read_text(errors="replace")
        self.assertNotIn("10.77.", text)
        self.assertNotIn("0.0.0.0", text)
        self.assertIn(f"c=IN IP4 {PUBLIC}", text)
        self.assertRegex(text, rf"Contact: ?<sip:[^>]*{PUBLIC}[:>]")

    def test_sipp_calls_in_and_finds_no_private_address(self):
        switch = self.start("--number *:tone:440")
        sipp = self.sipp("caller", f"{PUBLIC}:{switch.port}", at=OUTSIDE, netns=self.net.outside,
                         pause=1500, sniffed=True)
        self.passes(sipp)
        self.assertEqual(switch.wait_for("record")["ended_by"], "caller")
        heard = sipp.heard()
        self.assertGreater(len(heard), 50)
        self.assertEqual({one.source[0] for one in heard}, {PUBLIC})
        self.tells_only_its_public_address(sipp)

    def test_sipp_is_called_and_finds_no_private_address(self):
        sipp = self.sipp("carrier_hangs_up", at=OUTSIDE, netns=self.net.outside, pause=1000)
        switch = self.start(f"--gateway {OUTSIDE}:{sipp.port}")
        switch.command("dial +14155550100 carrier tone:440")
        self.passes(sipp)
        self.assertEqual(switch.wait_for("record")["ended_by"], "callee")
        self.tells_only_its_public_address(sipp)


if __name__ == "__main__":
    peers.main()
