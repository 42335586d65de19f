"""Kamailio is the carrier's registrar: we register with it, and it sends us the calls for us."""

import kamailio
import peers


class Registrar(peers.Case):
    def kamailio(self, expires=3600):
        port = self.port()
        self.at = f"127.0.0.1:{port}"
        kamailio.start(self, "registrar.cfg", port, expires=expires)

    def trunk(self, user, password, expires=300):
        return [
            "--trunk", user, "--gateway", self.at, "--auth", f"{user}:{password}",
            "--register", str(expires), "--number", f"*:{user}",
        ]

    def registered(self, switch, user, count=1):
        switch.wait_for("registration", trunk=user, state="registered", count=count, seconds=40)

    def calls(self, scenario, user, **how):
        self.passes(self.sipp(scenario, self.at, service=user, **how))

    def test_calls_for_two_users_come_to_the_trunk_of_each(self):
        self.kamailio()
        switch = self.switch(self.trunk("one", "first secret"), self.trunk("two", "second secret"))
        self.registered(switch, "one")
        self.registered(switch, "two")
        for count, user in enumerate(("two", "one", "two"), 1):
            self.calls("caller", user)
            record = switch.wait_for("record", count=count)
            self.assertEqual((record["trunk"], record["to"]), (user, user))
            self.assertEqual((record["ended_by"], record["code"]), ("caller", 200))
            self.assertEqual(record["source"], self.at)

    def test_with_several_shards_calls_come_all_the_same(self):
        self.kamailio()
        switch = self.switch(
            "--shards 3", self.trunk("one", "first secret"), self.trunk("two", "second secret")
        )
        self.registered(switch, "one")
        self.registered(switch, "two")
        for count in range(1, 7):
            user = ("one", "two")[count % 2]
            self.calls("caller", user)
            self.assertEqual(switch.wait_for("record", count=count)["trunk"], user)

    def test_a_drain_takes_the_registration_back(self):
        self.kamailio()
        switch = self.switch(self.trunk("one", "first secret"))
        self.registered(switch, "one")
        switch.command("drain 10000")
        switch.wait_for("registration", trunk="one", state="idle")
        switch.wait_for("stopped")
        self.calls("caller_refused", "one", code=404)

    def test_a_wrong_password_is_told_of_and_not_tried_again(self):
        self.kamailio()
        switch = self.switch(self.trunk("one", "a guess"))
        told = switch.wait_for("registration", trunk="one", state="waiting")
        self.assertEqual(told["code"], 401)
        self.assertEqual(told["gateway"], self.at)

    def test_a_short_registration_is_refreshed_with_a_nonce_that_is_spent(self):
        self.kamailio(expires=30)
        switch = self.switch(self.trunk("one", "first secret"))
        self.registered(switch, "one", count=2)
        self.assertEqual(switch.told("registration", state="waiting"), [])
        self.calls("caller", "one")
        self.assertEqual(switch.wait_for("record")["trunk"], "one")


if __name__ == "__main__":
    peers.main()
