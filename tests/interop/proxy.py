"""Kamailio stands between a carrier's phone and us: a challenge, and all by the route it recorded."""

import time

import kamailio
import peers
from certificates import Authority
from softphone import Softphone


class Proxy(peers.Case):
    def start(self, over, password="s3cret"):
        """The switch, the proxy that both sides know, and the phone behind it."""
        self.proxy = gateway = self.port()
        secure, words, arguments = {}, [], []
        if over == "tls":
            authority = Authority(self)
            certificate, key = authority.issue("proxy.test")
            ours = authority.issue("switch.test")
            gateway = self.port()
            secure = {"tls": gateway, "certificate": certificate, "key": key,
                      "root": authority.root}
            words = ["-A", "WITH_TLS"]
            arguments = [["--certificate", ours[0], "--key", ours[1]]]
        self.phone = Softphone(self)
        trunk = ["--trunk", "carrier", "--gateway", f"127.0.0.1:{gateway}", "--transport", over,
                 "--number", "*:echo", "--auth", f"trunk:{password}"]
        if over == "tls":
            trunk += ["--ca", secure["root"], "--server-name", "proxy.test"]
        prefix = "" if over == "udp" else f"{over}:"
        switch = self.switch(*arguments, trunk, listen=f"{prefix}127.0.0.1:0")
        self.log = kamailio.start(
            self, "proxy.cfg", self.proxy, words, switch=switch.port, over=over,
            phone=self.phone.port, **secure,
        ).log
        self.us = "tls" if over == "tls" else f"udp:{switch.port}"
        return switch

    def routed(self, method, times=1):
        """Until so many of them have followed the route that was recorded."""
        peers.wait_until(
            lambda: self.log.read_text(errors="replace").count(f"routed: {method} ") >= times,
            10, f"{times} {method} by way of the proxy",
        )

    def all_was_routed(self, ours):
        """`ours` is a method that we sent within the call."""
        text = self.log.read_text(errors="replace")
        self.assertNotIn("astray:", text)
        self.assertIn(f"routed: {ours} from {self.us}", text)

    def heard_both_ways(self, switch, phone_hears):
        heard = switch.wait_for("heard")
        self.assertGreater(heard["level_at"]["440"], heard["level"] - 1)
        self.assertGreater(heard["level"], -40)
        length, shares = self.phone.heard()
        self.assertGreater(shares[phone_hears], 0.5, f"{phone_hears} Hz in {length} s: {shares}")

    def holds_and_goes_on(self):
        """The phone's two re-INVITEs, each with its ACK; it records what it hears until then."""
        self.routed("ACK")
        time.sleep(1.5)
        self.phone.command("hold")
        self.routed("ACK", 2)
        self.phone.command("resume")
        self.routed("ACK", 3)
        self.routed("INVITE", 2)
        time.sleep(1.5)  # What we hear is judged by its end.

    def comes_in(self, over):
        switch = self.start(over)
        self.phone.dial(f"sip:+14155550100@127.0.0.1:{self.proxy}")
        self.phone.wait_for("CALL_ESTABLISHED")
        self.holds_and_goes_on()
        switch.command("hang_up")
        self.phone.wait_for("CALL_CLOSED")
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")
        self.all_was_routed("BYE")
        self.heard_both_ways(switch, 440)

    def goes_out(self, over):
        switch = self.start(over)
        switch.command("dial caller carrier tone:1000")
        switch.wait_for("answered")
        self.phone.wait_for("CALL_ESTABLISHED")
        self.holds_and_goes_on()
        self.phone.hang_up()
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["code"]), ("callee", 200))
        self.routed("BYE")
        self.all_was_routed("ACK")
        self.heard_both_ways(switch, 1000)

    def test_a_call_comes_in_by_udp(self):
        self.comes_in("udp")

    def test_a_call_goes_out_by_udp(self):
        self.goes_out("udp")

    def test_a_call_comes_in_by_tls(self):
        self.comes_in("tls")

    def test_a_call_goes_out_by_tls(self):
        self.goes_out("tls")

    def test_with_a_wrong_password_nobody_is_called(self):
        switch = self.start("udp", password="a guess")
        switch.command("dial caller carrier hold")
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["code"]), ("carrier", 407))
        self.assertEqual(self.phone.events(), [])


if __name__ == "__main__":
    peers.main()
