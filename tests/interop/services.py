"""A gateway that is a name: dnsmasq serves its SRV records, and SIPp what they point to."""

import re
import socket

import peers

ZONE = "carrier.test"


class Services(peers.Case):
    def serves(self, *targets, over="udp"):
        """A name server; targets are (name, port, priority, weight). What to tell the switch."""
        peers.need_program("dnsmasq")
        port = self.port()
        words = []
        for name, at, priority, weight in targets:
            words += ["--srv-host", f"_sip._{over}.{ZONE},{name}.{ZONE},{at},{priority},{weight}",
                      "--host-record", f"{name}.{ZONE},127.0.0.1"]
        self.asked = self.process(
            ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=",
             "--no-resolv", "--no-hosts", "--listen-address=127.0.0.1", "--bind-interfaces",
             "--port", port, "--log-facility=-", "--log-queries", "--local-ttl=60", *words],
            "dnsmasq").log
        self._wait_bound("127.0.0.1", port, None, "udp")
        return f"--dns 127.0.0.1:{port} --trunk carrier --gateway {ZONE} --transport {over}"

    def silent(self):
        """A socket where datagrams arrive and nobody says anything."""
        held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(held.close)
        held.bind(("127.0.0.1", self.port()))
        return held

    def is_called(self, switch, carrier):
        switch.command("dial +14155550100 carrier hold")
        switch.wait_for("answered", seconds=15)
        switch.command("hang_up")
        self.passes(carrier)
        return switch.wait_for("record")

    def test_after_a_target_that_is_dead_comes_the_next_in_priority(self):
        carrier = self.sipp("carrier_answers")
        third = self.sipp("carrier_answers")
        dead = self.silent()
        switch = self.switch(
            self.serves(("third", third.port, 30, 0), ("dead", dead.getsockname()[1], 10, 0),
                        ("second", carrier.port, 20, 0)),
            "--gateway-timeout 1500")
        record = self.is_called(switch, carrier)
        self.assertEqual([one["code"] for one in record["attempts"]], [0, 200])
        self.assertTrue(dead.recv(4096).startswith(b"INVITE "))
        self.assertFalse(third.saw("INVITE"))
        self.assertIn(f"query[SRV] _sip._udp.{ZONE} ", self.asked.read_text())
        # The domain stays in the Request-URI (RFC 3263 section 4).
        self.assertTrue(carrier.saw(f"INVITE sip:+14155550100@{ZONE} SIP/2.0"))

    def test_targets_of_one_priority_share_calls_by_weight(self):
        calls = 60
        carriers = [self.sipp("carrier_refuses", status="486 Busy Here", calls=calls)
                    for _ in range(2)]
        switch = self.switch(
            self.serves(("often", carriers[0].port, 1, 40), ("seldom", carriers[1].port, 1, 10)),
            "--cps 200")
        for count in range(1, calls + 1):
            switch.command("dial +14155550100 carrier hold")
            self.assertEqual(switch.wait_for("record", count=count)["code"], 486)

        def shares():
            return [len(set(re.findall(r"^Call-ID: (\S+)", one.messages.read_text(), re.M)))
                    for one in carriers]
        peers.wait_until(lambda: sum(shares()) == calls, 5, f"{calls} calls at the carriers")
        often, seldom = shares()
        # Four to one: by chance it is otherwise once in half a million times.
        self.assertGreater(often, seldom)
        self.assertGreater(seldom, 0)

    def test_who_is_called_by_tcp_is_looked_up_so(self):
        carrier = self.sipp("carrier_answers", extra=["-t", "t1"])
        switch = self.switch(
            self.serves(("nobody", self.port(), 1, 0), ("by-tcp", carrier.port, 2, 0),
                        over="tcp"),
            listen="tcp:127.0.0.1:0")
        record = self.is_called(switch, carrier)
        self.assertEqual([one["code"] for one in record["attempts"]], [0, 200])
        self.assertIn(f"query[SRV] _sip._tcp.{ZONE} ", self.asked.read_text())


if __name__ == "__main__":
    peers.main()
