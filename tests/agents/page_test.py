"""The page of softswitch in Chromium, before a stand-in of the switch. Leaves screenshots."""

import datetime
import pathlib
import sys
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))
import peers  # noqa: E402
from chromium import Chromium  # noqa: E402
from page_server import PageServer  # noqa: E402


def now(ago=0):
    when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=ago)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def call(direction="inbound", ago=0, **fields):
    return {"id": "CA" + uuid.uuid4().hex, "direction": direction, "from": "+14155550199",
            "to": "+14155550100", "trunk": "carrier", "agent": "ws://127.0.0.1:8765",
            "state": "initiated", "started": now(ago), "answered": None, **fields}


def trunk(name, **fields):
    return {
        "id": "TK" + uuid.uuid4().hex, "name": name, "is_active": True, "channels": 10,
        "active_calls": 0, "health": "ok", "ip_acls": [],
        "gateways": [{"id": "GW1", "host": "198.51.100.10", "port": 5060, "priority": 1}],
        "numbers": [{"id": "PN1", "e164": "+14155550100", "destination_key": None,
                     "agent_id": "echo", "fallback_agent_id": None}], **fields}


RECORD = {"answered_ms": 5.706, "lasted_ms": 83_386.841, "ended_by": "caller", "sip_code": 200,
          "reason": "BYE"}
BUSY = {"answered_ms": None, "lasted_ms": 900.1, "ended_by": "callee", "sip_code": 486,
        "reason": "Busy Here"}


class Page(peers.Case):
    def setUp(self):
        super().setUp()
        self.server = PageServer()
        self.addCleanup(lambda: self.server.end())
        self.server.trunks = [
            trunk("carrier", active_calls=2), trunk("retired", is_active=False, gateways=[]),
            trunk("spare", health="degraded", gateways=[
                {"id": "GW2", "host": "sip.example.net", "port": 5061, "priority": 1},
                {"id": "GW3", "host": "2001:db8::5", "port": 5060, "priority": 2}], numbers=[]),
        ]
        self.page = Chromium(self)
        self.page.look(1200, "light")

    def enter(self):
        self.page.open(self.server.url)
        self.page.until("!document.querySelector('#door').hidden")
        self.page.type("#token", self.server.token)
        self.page.until_text("#status", "^Connected$")

    def tell(self, what, which, **more):
        self.server.tell(what, which, now(), **more)

    def rows(self, table):
        return self.page.value(f"document.querySelectorAll('#{table} > *').length")

    def test_a_token_is_asked_for_and_kept_in_the_tab_alone(self):
        self.page.open(self.server.url)
        self.page.until("!document.querySelector('#door').hidden")
        self.page.look(360, "dark")
        self.page.screenshot(self.work / "door.png")
        self.page.type("#token", "wrong")
        self.page.until_text("#why", "does not know that token")
        self.page.type("#token", "b\u00e4d")
        self.page.until_text("#why", "neither blanks nor accents")
        self.assertEqual(self.page.value("sessionStorage.length"), 0)
        self.page.type("#token", self.server.token)
        self.page.until_text("#status", "^Connected$")
        self.assertEqual(self.page.value("sessionStorage.token"), self.server.token)
        self.assertEqual(self.page.value("localStorage.length + document.cookie.length"), 0)
        self.page.command("Page.reload")
        self.page.until_text("#status", "^Connected$")
        self.page.value("document.querySelector('#forget').click()")
        self.page.until("!document.querySelector('#door').hidden")
        self.assertEqual(self.page.value("sessionStorage.length"), 0)
        for path, headers in self.server.requests:
            self.assertNotIn(self.server.token, path)
            self.assertNotIn(self.server.token, headers.get("Referer", ""))
        self.assertEqual({path for path, _ in self.server.requests},
                         {"/", "/calls", "/trunks", "/events"})

    def test_a_call_appears_is_counted_and_disappears(self):
        self.enter()
        self.page.until_text("#calls", "Nobody is on the telephone")
        one, other = call(), call("outbound", to="+4930123456")
        for what in ("initiated", "ringing", "answered"):
            self.tell(what, one)
            self.page.until_text("#calls .tag", f"^{what}$")
        self.tell("ringing", other)
        self.page.until_text("#calls-caption", "^Calls: 2$")
        self.page.until_text("#calls", r"outbound\s+\+14155550199\s+\+4930123456\s+carrier")
        self.assertEqual(self.page.value("document.title"), "(2) softswitch")
        length = self.page.text("#calls [data-since]")
        self.page.until(f"document.querySelector('#calls [data-since]').innerText !== '{length}'")
        self.tell("ended", one, cdr=RECORD)
        self.page.until_text("#calls-caption", "^Calls: 1$")
        self.page.until_text("#events li", r"after 1:23, by caller: 200 BYE")
        self.tell("ended", other, cdr=BUSY)
        self.page.until_text("#events li", r"unanswered, by callee: 486 Busy Here")
        self.page.until_text("#calls", "Nobody is on the telephone")

    def test_an_event_older_than_the_list_changes_nothing(self):
        one, gone = call(), call()
        for what in ("initiated", "ringing", "answered"):
            self.tell(what, one)
        self.tell("initiated", gone)
        self.tell("ended", gone, cdr=BUSY)
        self.enter()
        self.page.until("document.querySelectorAll('#events li').length === 5")
        self.page.until_text("#calls .tag", "^answered$")
        self.assertEqual(self.rows("calls"), 1)

    def test_trunks_are_shown_as_they_are_now(self):
        self.enter()
        for row in (r"carrier\s+ok\s+none needed\s+198.51.100.10:5060 priority 1\s+1\s+2 of 10",
                    r"spare\s+degraded\s+none needed\s+sip.example.net:5061 .*\s+\[2001:db8::5\]:5060"):
            self.page.until_text("#trunks", row)
        self.page.until_text("#trunks", r"retired\s+disabled\s+none")
        self.server.trunks[0]["active_calls"] = 3
        self.tell("initiated", call())
        self.page.until_text("#trunks", "3 of 10")

    def test_the_latest_fifty_events_are_kept(self):
        self.enter()
        for number in range(60):
            self.tell("initiated", call(to=f"+1415555{number:04}"))
        self.page.until_text("#events li", "0059")
        self.assertEqual(self.rows("events"), 50)
        self.assertNotIn("0009", self.page.text("#events"))

    def test_what_a_caller_sends_stays_text(self):
        self.enter()
        evil = "<img src=x onerror=\"document.title='owned'\"><b>x</b>"
        self.server.trunks[0]["name"] = evil
        self.tell("ringing", call(**{"from": evil, "to": evil, "agent": evil, "trunk": evil}))
        self.page.until_text("#calls", "<img src=x")
        self.page.until_text("#trunks", "<img src=x")
        self.page.until_text("#events", "<img src=x")
        self.assertEqual(self.page.value("document.querySelectorAll('img, b').length"), 0)
        self.assertEqual(self.page.value("document.title"), "(1) softswitch")

    def test_a_stream_may_come_in_any_pieces_and_end_lines_in_any_way(self):
        self.enter()
        text = ('{"id": "CA1", "event": "ringing", "at": "%s", "direction": "inbound", '
                '"from": "J\u00fcrgen \u2603", "to": "1",' % now()).encode()
        rest = b'"trunk": "carrier", "agent": "echo"}'
        for end in (b"\n", b"\r", b"\r\n"):
            whole = (b": heartbeat" + end * 2 + b"event:unheard of" + end + b"data: {" + end * 2 +
                     b"retry: 1" + end + b"data" + end * 2 +
                     b"event:ringing" + end + b"data: " + text + end + b"data:" + rest + end * 2)
            for at in range(len(whole)):
                self.server.say(whole[at:at + 1])
        self.page.until("document.querySelectorAll('#events li').length === 3")
        self.page.until_text("#calls", "J\u00fcrgen \u2603")
        self.page.until_text("#status", "^Connected$")

    def test_it_connects_again_and_has_missed_nothing(self):
        self.enter()
        one, other = call(to="+4930111111"), call(to="+4930222222")
        self.tell("answered", one)
        self.page.until_text("#calls-caption", "^Calls: 1$")
        port = self.server.server_port
        before = self.server
        self.server.end()
        self.page.until_text("#status", r"Not connected: .+ Trying again in 1 s\.")
        self.assertTrue(self.page.value("document.querySelector('#board').matches('.stale')"))
        self.page.until_text("#status", r"cannot be reached.+ Trying again in 2 s\.")
        self.page.until_text("#status", r"cannot be reached.+ Trying again in 4 s\.")
        self.server = PageServer(port=port)
        self.server.trunks, self.server.told = before.trunks, before.told
        self.server.calls = before.calls
        self.tell("ended", one, cdr=RECORD)
        self.tell("answered", other)
        self.page.until_text("#status", "^Connected$")
        self.page.until_text("#calls", r"4930222222")
        self.page.until_text("#calls-caption", "^Calls: 1$")
        self.page.until("document.querySelectorAll('#events li').length === 3")

    def test_a_switch_that_was_restarted_counts_its_events_anew(self):
        self.enter()
        for _ in range(3):
            self.tell("initiated", call())
        self.page.until_text("#calls-caption", "^Calls: 3$")
        port = self.server.server_port
        self.server.end()
        self.page.until_text("#status", "Not connected")
        self.server = PageServer(port=port)
        self.page.until_text("#calls", "Nobody is on the telephone")
        self.page.until_text("#status", "^Connected$")
        self.tell("answered", call())
        self.page.until_text("#calls-caption", "^Calls: 1$")
        self.page.until("document.querySelectorAll('#events li').length === 1")

    def test_it_is_read_out_and_fits_a_telephone(self):
        busy = [call(ago=3_723), call("outbound", ago=14, to="+4930123456"),
                call(trunk="a-trunk-with-quite-a-long-name",
                     agent="wss://agents.example.net/bot/v2")]
        self.enter()
        for one, states in zip(busy, (("ringing", "answered"), ("ringing",), ())):
            for what in ("initiated", *states):
                self.server.tell(what, one, one["started"])
        gone = call()
        self.tell("initiated", gone)
        self.tell("ended", gone, cdr=BUSY)
        self.tell("ended", call(), cdr=RECORD)
        self.page.until_text("#calls-caption", "^Calls: 3$")
        for width in (360, 800, 1200):
            for scheme in ("light", "dark"):
                self.page.look(width, scheme)
                self.page.screenshot(self.work / f"{width}-{scheme}.png")
                self.assertLessEqual(
                    self.page.value("document.documentElement.scrollWidth"), width)
            if width != 800:
                self.reads_out()
        self.assertEqual(
            [one for one in self.page.messages if "401" not in one], [], "the console is not quiet")

    def reads_out(self):
        tree = self.page.command("Accessibility.getFullAXTree")["nodes"]
        seen = {(one["role"]["value"], one.get("name", {}).get("value", "")) for one in tree
                if not one.get("ignored") and "role" in one}
        wanted = {("table", "Calls: 3"), ("table", "Trunks: 3"), ("columnheader", "Duration"),
                  ("cell", "inbound"), ("log", "Events, the last 50"), ("status", "")}
        self.assertEqual(wanted - seen, set())
        self.assertEqual(self.page.value("document.querySelector('#log').ariaLive"), "polite")
        self.assertIn("listitem", {role for role, _ in seen})



if __name__ == "__main__":
    peers.main()
