#!/usr/bin/env python3
"""kill -9 of a whole softswitch at random moments of what clients write by REST: each write that was
acknowledged is there after the restart and takes effect, no other is there by half.

rest_kill.py --softswitch PROGRAM [--kills 100] [--seconds 60] [--seed 1]"""

import argparse
import contextlib
import http.client
import itertools
import json
import pathlib
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from run import Switch, must, until

CLIENTS = 4
FEWEST_KILLS = 20  # On a machine that is too slow for all of them in time.
KEPT_TRUNKS = 5
AGENTS = ("hold", "echo", "reflect")
CONFIG = """listen = ["udp:127.0.0.1:0"]
[media]
at = "127.0.0.1"
[rest]
at = "127.0.0.1:0"
database = "s.db"
key_file = "key"
"""


def essence(trunk):
    """What a client has decided of a trunk, without what the switch adds."""
    def of(part, *names):
        return sorted(tuple(one[name] for name in names) for one in part)
    return (trunk["name"], trunk["description"], trunk["channels"], trunk["auth_username"],
            trunk["has_password"], of(trunk["ip_acls"], "cidr"),
            of(trunk["gateways"], "host", "port", "priority"),
            of(trunk["numbers"], "e164", "agent_id"))


def essences(trunks):
    return sorted(map(essence, trunks))


class Client:
    """Writes to trunks of its own, remembers what was acknowledged, and the one write that was not."""

    def __init__(self, index, seed, token):
        self.index, self.random, self.token = index, random.Random(seed), token
        self.names = itertools.count(1)
        self.trunks = []  # As they have to be.
        self.would_be = None  # As they may be instead, while a write is on its way.
        self.gone = []  # (source, number) of numbers that were deleted.
        self.acknowledged = 0
        self.trouble = None

    def mine(self, trunks):
        return [one for one in trunks if one["name"].startswith(f"c{self.index}-")]

    def request(self, method, path, body=None):
        self.connection.request(method, path, body and json.dumps(body),
                                {"Authorization": f"Bearer {self.token}",
                                 "Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        must(answer.status in (200, 201, 204), f"{method} {path}: {answer.status} {text}")
        return json.loads(text) if text else None

    def write_until_killed(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            while True:
                self.write()
        except (OSError, http.client.HTTPException):
            pass  # It is dead, as it should be.
        except Exception as trouble:  # pylint: disable=broad-except
            self.trouble = trouble
        finally:
            self.connection.close()

    def write(self):
        trunks = json.loads(json.dumps(self.trunks))
        deeds = [self.new_trunk] if len(trunks) < 2 else [
            self.new_trunk, self.change_trunk, self.change_trunk, self.new_number, self.new_number,
            self.change_number, self.drop_number, self.new_gateway, self.change_gateway,
            self.drop_gateway]
        if len(trunks) > KEPT_TRUNKS:
            deeds = [self.drop_trunk]
        deed = self.random.choice(deeds)
        trunk = self.random.choice(trunks) if trunks else None
        found = deed(trunks, trunk)
        if found is None:
            return
        method, path, body, learn = found
        self.would_be = trunks
        answer = self.request(method, path, body)
        learn(answer)
        self.trunks, self.would_be = trunks, None
        self.acknowledged += 1

    def number(self):
        return {"e164": f"+1{self.index}{next(self.names):09}", "agent_id": self.random.choice(AGENTS)}

    def gateway(self):
        return {"host": f"192.0.2.{self.random.randrange(1, 255)}", "port": next(self.names) % 60_000
                + 1, "priority": self.random.randrange(10)}

    # Each changes the trunks to what they would be, and returns the request and what is learnt by
    # its answer.

    def new_trunk(self, trunks, _):
        count = next(self.names)
        body = {"name": f"c{self.index}-{count}", "description": "new", "channels": 100,
                "ip_acls": [{"cidr": f"127.{10 + self.index}.{count // 250}.{count % 250 + 1}/32"}],
                "gateways": [self.gateway(), self.gateway()],
                "numbers": [self.number() for _ in range(20)]}
        made = {**body, "auth_username": None, "has_password": False}
        trunks.append(made)
        return "POST", "/trunks", body, made.update

    def change_trunk(self, _, trunk):
        body = {"description": f"changed to {self.random.random()}",
                "channels": self.random.randrange(50, 1_000), "auth_username": "user",
                "auth_password": f"password {self.random.random()}"}
        trunk.update(body, has_password=True)
        return "PATCH", f"/trunks/{trunk['id']}", body, trunk.update

    def drop_trunk(self, trunks, trunk):
        trunks.remove(trunk)
        return "DELETE", f"/trunks/{trunk['id']}", None, lambda _: None

    def new_part(self, trunk, kind, made):
        body = dict(made)
        trunk[kind].append(made)
        return "POST", f"/trunks/{trunk['id']}/{kind}", body, made.update

    def new_number(self, _, trunk):
        return self.new_part(trunk, "numbers", self.number())

    def new_gateway(self, _, trunk):
        return self.new_part(trunk, "gateways", self.gateway()) if len(trunk["gateways"]) < 8 else None

    def change_number(self, _, trunk):
        one = self.random.choice(trunk["numbers"])
        body = {"agent_id": self.random.choice(AGENTS)}
        one.update(body)
        return "PATCH", f"/numbers/{one['id']}", body, one.update

    def change_gateway(self, _, trunk):
        one = self.random.choice(trunk["gateways"])
        body = self.gateway()
        one.update(body)
        return "PATCH", f"/trunks/{trunk['id']}/gateways/{one['id']}", body, one.update

    def drop_number(self, _, trunk):
        if len(trunk["numbers"]) < 10:
            return None
        one = self.random.choice(trunk["numbers"])
        trunk["numbers"].remove(one)
        def learn(_):
            self.gone.append((source_of(trunk), one["e164"]))
        return "DELETE", f"/numbers/{one['id']}", None, learn

    def drop_gateway(self, _, trunk):
        if len(trunk["gateways"]) < 2:
            return None
        one = self.random.choice(trunk["gateways"])
        trunk["gateways"].remove(one)
        return "DELETE", f"/trunks/{trunk['id']}/gateways/{one['id']}", None, lambda _: None


def source_of(trunk):
    return trunk["ip_acls"][0]["cidr"].split("/")[0]


def status_of_call(source, port, number):
    """The final answer to an INVITE from that address; the call is not kept."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((source, 0))
        here = phone.getsockname()[1]

        def request(method, to, sequence, body=""):
            more = "Content-Type: application/sdp\r\n" if body else ""
            return (f"{method} sip:{number}@127.0.0.1:{port} SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP {source}:{here};branch=z9hG4bK{method}{here};rport\r\n"
                    f"Max-Forwards: 70\r\nFrom: <sip:+1999@{source}>;tag=f\r\nTo: {to}\r\n"
                    f"Call-ID: {here}-{time.monotonic_ns() if method == 'INVITE' else call}\r\n"
                    f"CSeq: {sequence} {method}\r\nContact: <sip:c@{source}:{here}>\r\n{more}"
                    f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

        call = None
        invite = request("INVITE", f"<sip:{number}@127.0.0.1>", 1,
                         f"v=0\r\no=- 1 1 IN IP4 {source}\r\ns=-\r\nc=IN IP4 {source}\r\nt=0 0\r\n"
                         f"m=audio {here} RTP/AVP 0\r\n")
        call = re.search(rb"Call-ID: \d+-(\d+)", invite)[1].decode()
        for patience in (1, 2, 4, 8):
            phone.sendto(invite, ("127.0.0.1", port))
            phone.settimeout(patience)
            try:
                while not re.match(r"SIP/2\.0 [2-6]", text := phone.recv(65_535).decode()):
                    pass
            except TimeoutError:
                continue
            to = re.search(r"^To: (.*?)\r$", text, re.M)[1]
            phone.sendto(request("ACK", to, 1), ("127.0.0.1", port))
            if text.startswith("SIP/2.0 2"):
                phone.sendto(request("BYE", to, 2), ("127.0.0.1", port))
            return int(text[8:11])
    raise AssertionError(f"an INVITE to {number} is not answered")


def is_sound(scratch):
    """Of a copy: reading the file itself would mend what the switch has to be able to mend."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        for file in scratch.glob("s.db*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, folder)
        with contextlib.closing(sqlite3.connect(pathlib.Path(folder) / "s.db")) as copy:
            found = copy.execute("PRAGMA integrity_check").fetchall()
            return found == [("ok",)] and not copy.execute("PRAGMA foreign_key_check").fetchall()


def check(clients, switch, port, token):
    """How many of the writes that were on their way had been done."""
    reader = Client(0, 0, token)
    reader.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    found = reader.request("GET", "/trunks")["trunks"]
    reader.connection.close()
    done = 0
    agents = {}
    for one in clients:
        if one.trouble:
            raise one.trouble
        mine = one.mine(found)
        if essences(mine) != essences(one.trunks):
            must(one.would_be is not None and essences(mine) == essences(one.would_be),
                 f"a write was lost, or half done; client {one.index} has\n{essences(mine)}\nand not\n"
                 f"{essences(one.trunks)}\nnor\n{one.would_be and essences(one.would_be)}")
            done += 1
        one.trunks, one.would_be = mine, None
        must(all(trunk["health"] == "ok" for trunk in mine), mine)
        if not mine:
            continue
        trunk = one.random.choice(mine)
        called = one.random.choice(trunk["numbers"])
        number, agents[called["e164"]] = called["e164"], called["agent_id"]
        status = status_of_call(source_of(trunk), switch.port, number)
        must(status == 200, f"{number} of {trunk['name']} is answered with {status}")
        gone = [kept for kept in one.gone if kept[0] in map(source_of, mine)]
        if gone:
            source, number = one.random.choice(gone)
            status = status_of_call(source, switch.port, number)
            must(status == 404, f"{number}, which was deleted, is answered with {status}")
            agents[number] = ""
    answered = {record["to"]: record["agent"] for record in switch.records(len(agents))}
    must(answered == agents, f"the agents {agents} were to be called, and not {answered}")
    return done


def started(options, scratch):
    switch = Switch(options, scratch, CONFIG)
    until(lambda: " http://127.0.0.1:" in switch.log(), "REST")
    return switch, int(re.search(r" http://127\.0\.0\.1:(\d+)/", switch.log())[1])


def run(options, scratch):
    (scratch / "key").write_text("7" * 64)
    (scratch / "some.toml").write_text(CONFIG)
    token = subprocess.run([options.softswitch, "--config", scratch / "some.toml", "token"],
                           capture_output=True, text=True, check=True).stdout.strip()
    moments = random.Random(options.seed)
    clients = [Client(i + 1, options.seed + i, token) for i in range(CLIENTS)]
    on_their_way = done = kills = 0
    deadline = time.monotonic() + options.seconds
    switch, port = started(options, scratch)
    while kills < options.kills and (time.monotonic() < deadline or kills < FEWEST_KILLS):
        threads = [threading.Thread(target=one.write_until_killed, args=(port,)) for one in clients]
        for thread in threads:
            thread.start()
        time.sleep(moments.uniform(0, 0.3))
        switch.process.kill()
        switch.ended()
        for thread in threads:
            thread.join()
        kills += 1
        on_their_way += sum(one.would_be is not None for one in clients)
        must(is_sound(scratch), "the file is not sound")
        switch, port = started(options, scratch)
        done += check(clients, switch, port, token)
        for old in (*scratch.glob("log*"), *scratch.glob("records*"), *scratch.glob("switch*")):
            if old != switch.log_file and old != switch.records_file:
                old.unlink()
    switch.process.kill()
    switch.ended()
    acknowledged = sum(one.acknowledged for one in clients)
    print(f"{kills} kills, {on_their_way} writes were on their way then, {done} of which had been "
          f"done; {acknowledged} writes were acknowledged, none is lost")
    must(acknowledged > 2 * kills, "hardly anything was written")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--softswitch", type=pathlib.Path, required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trunkline-rest-kill-") as scratch:
        run(options, pathlib.Path(scratch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
