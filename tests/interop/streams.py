"""Calls by TCP and TLS: SIPp and Kamailio (TCP), baresip (both), openssl's own client."""

import socket
import subprocess
import time

import kamailio
import peers
from certificates import Authority
from softphone import Softphone

BY_TCP = ["-t", "t1"]


class Streams(peers.Case):
    def start(self, arguments, transport="tcp"):
        return self.switch(arguments, listen=f"{transport}:127.0.0.1:0")

    def certificates(self):
        """A root of our own, and the switch by the name sip.test."""
        authority = Authority(self)
        return (authority.root, *authority.issue("sip.test"))

    def test_sipp_calls_by_tcp(self):
        switch = self.start("--trunk carrier --allow 127.0.0.1 --number *:hold --channels 200")
        sipp = self.sipp("caller", f"127.0.0.1:{switch.port}", calls=100,
                         extra=[*BY_TCP, "-r", 20])
        self.passes(sipp)
        switch.wait_for("record", count=100)
        self.assertEqual({(one["ended_by"], one["code"]) for one in switch.told("record")},
                         {("caller", 200)})
        self.assertEqual(switch.calls(), 0)

    def test_sipp_is_called_by_tcp(self):
        carrier = self.sipp("carrier_answers", extra=BY_TCP)
        switch = self.start(f"--trunk carrier --gateway 127.0.0.1:{carrier.port} --transport tcp")
        switch.command("dial +14155550100 carrier hold")
        switch.wait_for("answered")
        switch.command("hang_up")
        self.passes(carrier)
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")

    def test_sipp_cancels_by_tcp(self):
        switch = self.start("--trunk carrier --allow 127.0.0.1 --number *:wait")
        sipp = self.sipp("caller_cancels", f"127.0.0.1:{switch.port}", extra=BY_TCP)
        self.passes(sipp)
        self.assertEqual(switch.wait_for("record")["code"], 487)

    def test_a_gateway_that_is_not_there_gives_way(self):
        carrier = self.sipp("carrier_answers", extra=BY_TCP)
        switch = self.start(f"--trunk carrier --gateway 127.0.0.1:{self.port()} "
                            f"--gateway 127.0.0.1:{carrier.port} --transport tcp")
        switch.command("dial +14155550100 carrier hold")
        switch.wait_for("answered")
        switch.command("hang_up")
        self.passes(carrier)
        self.assertEqual([one["code"] for one in switch.wait_for("record")["attempts"]],
                         [0, 200])

    def calls_in(self, switch, transport, **how):
        phone = Softphone(self, transport=f";transport={transport}", **how)
        phone.dial(f"sip:+14155550100@127.0.0.1:{switch.port};transport={transport}")
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(2)
        phone.hang_up()
        record = switch.wait_for("record")
        self.assertEqual((record["ended_by"], record["code"]), ("caller", 200))
        self.assertGreater(switch.wait_for("heard")["speech"], 8_000)
        return phone

    def test_baresip_calls_by_tcp(self):
        switch = self.start("--trunk carrier --allow 127.0.0.0/8 --number *:echo")
        self.calls_in(switch, "tcp")

    def test_baresip_is_called_by_tcp_and_hung_up_on(self):
        phone = Softphone(self, transport=";transport=tcp")
        switch = self.start(f"--trunk carrier --gateway 127.0.0.1:{phone.port} --transport tcp")
        switch.command("dial caller carrier tone:1000")
        switch.wait_for("answered")
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(1.5)
        switch.command("hang_up")
        phone.wait_for("CALL_CLOSED")
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")

    def by_tls(self, arguments):
        root, certificate, key = self.certificates()
        switch = self.start(f"--certificate {certificate} --key {key} --trunk carrier "
                            f"--allow 127.0.0.0/8 --number *:echo {arguments}", "tls")
        return switch, root

    def test_baresip_calls_by_tls_and_verifies_us(self):
        switch, root = self.by_tls("")
        self.calls_in(switch, "tls", config=f"sip_cafile {root}\nsip_verify_server yes\n")

    def is_called_by_tls(self, name):
        root, certificate, key = self.certificates()
        both = self.work / "both.pem"
        both.write_text(certificate.read_text() + key.read_text())
        phone = Softphone(self, transport=";transport=tls", config=f"sip_certificate {both}\n")
        switch = self.start(f"--trunk carrier --gateway 127.0.0.1:{phone.port + 1} "
                            f"--transport tls --ca {root} --server-name {name}")
        switch.command("dial caller carrier tone:1000")
        return switch, phone

    def test_baresip_is_called_by_tls(self):
        switch, phone = self.is_called_by_tls("sip.test")
        switch.wait_for("answered")
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(1)
        switch.command("hang_up")
        phone.wait_for("CALL_CLOSED")
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")

    def test_who_is_somebody_else_is_not_called(self):
        switch, _ = self.is_called_by_tls("other.test")
        record = switch.wait_for("record")
        self.assertEqual(record["code"], 0)
        self.assertIn("the certificate is not for 'other.test'", record["reason"])
        self.assertNotIn("answered", record)

    def kamailio(self, switch_port):
        """A proxy: calls by UDP go to the switch by TCP, and "busy" is. Its ports: UDP, TCP."""
        udp, tcp = self.port(), self.port()
        kamailio.start(self, "kamailio.cfg", udp, tcp=tcp, switch=switch_port)
        return udp, tcp

    def test_kamailio_brings_calls_by_tcp(self):
        switch = self.start("--trunk carrier --allow 127.0.0.1 --number *:hold")
        udp, _ = self.kamailio(switch.port)
        self.passes(self.sipp("caller", f"127.0.0.1:{udp}", calls=5))
        switch.wait_for("record", count=5)
        self.assertEqual({(one["ended_by"], one["code"]) for one in switch.told("record")},
                         {("caller", 200)})

    def test_we_hang_up_through_kamailio(self):
        switch = self.start("--trunk carrier --allow 127.0.0.1 --number *:echo")
        udp, _ = self.kamailio(switch.port)
        sipp = self.sipp("caller_waits", f"127.0.0.1:{udp}")
        switch.wait_for("answered")
        switch.command("hang_up")
        self.passes(sipp)
        self.assertEqual(switch.wait_for("record")["ended_by"], "application")

    def test_kamailio_is_called_by_tcp(self):
        _, tcp = self.kamailio(9)
        switch = self.start(f"--trunk carrier --gateway 127.0.0.1:{tcp} --transport tcp")
        for count in (1, 2):  # The second by the connection of the first.
            switch.command("dial busy carrier hold")
            self.assertEqual(switch.wait_for("record", count=count)["code"], 486)

    def test_openssl_gets_an_answer_and_our_certificate_verifies(self):
        switch, root = self.by_tls("")
        request = (f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:5061;"
                   f"branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\n"
                   f"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{switch.port}", "-CAfile", root,
             "-verify_return_error", "-verify_hostname", "sip.test", "-quiet"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(client.kill)
        client.stdin.write(request.encode())
        client.stdin.flush()
        self.assertEqual(client.stdout.readline().strip(), b"SIP/2.0 200 OK")
        client.kill()
        client.wait()
        self.assertEqual(switch.calls(), 0)

    def test_silent_connections_cost_little_and_do_not_stay(self):
        switch = self.start("--trunk carrier --allow 192.0.2.1 --number *:hold")
        before = switch.resident_kib()
        open_ones = [socket.create_connection(("127.0.0.1", switch.port)) for _ in range(200)]
        for one in open_ones:
            one.settimeout(30)

        def closed(one):
            try:
                return one.recv(1) == b""
            except ConnectionError:
                return True

        self.assertTrue(all(closed(one) for one in open_ones))
        self.assertLess(switch.resident_kib() - before, 4_096)
        self.assertEqual(switch.calls(), 0)


if __name__ == "__main__":
    peers.main()
