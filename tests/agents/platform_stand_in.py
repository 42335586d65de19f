"""The telephone's side of Twilio Media Streams: calls an agent, speaks to it, plays what it says.

It does what softswitch does (agents-and-libraries.md, 1.1), by a clock that may run faster than
the world's, and keeps all that was said both ways.
"""

import base64
import collections
import json
import select
import threading
import time
import uuid

import peers
from websocket import Closed, WebSocket

FRAME = 160
SILENCE = b"\xff"

Played = collections.namedtuple("Played", "tick what")


class Call(threading.Thread):
    """One call to an agent, by the thread that this is."""

    def __init__(self, url, speed=4, parameters=None):
        super().__init__(daemon=True)
        self.stream_sid = "MZ" + uuid.uuid4().hex
        self.call_sid = "CA" + uuid.uuid4().hex
        self.said = bytearray()     # By the caller: silence as well.
        self.heard = bytearray()    # By the caller: what the agent said, as far as it was played.
        self.messages = []          # Of the agent, as they came.
        self.media = bytearray()    # The agent's, as it came.
        self.order = []             # Played(tick, "media" | "clear" | "mark NAME" | "back NAME").
        self.trouble = []           # What no agent should do.
        self.closed = None          # The code.
        self.ticks = 0
        self._interval = 0.02 / speed
        self._to_say = bytearray()
        self._queue = collections.deque()
        self._sequence = 0
        self._hanging_up = threading.Event()
        self.socket = WebSocket(url)
        self._begin(parameters or {})
        self.start()

    def _begin(self, parameters):
        account = "AC" + uuid.uuid4().hex
        self._goodbye = {"accountSid": account, "callSid": self.call_sid}
        self.socket.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        self._send("start", {
            "accountSid": account, "callSid": self.call_sid, "streamSid": self.stream_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"from_number": "+14155550199", "to_number": "+14155550100",
                                 "direction": "inbound", **parameters},
        })

    def _send(self, event, what):
        self._sequence += 1
        self.socket.send({"event": event, "sequenceNumber": str(self._sequence),
                          "streamSid": self.stream_sid, event: what})

    def say(self, audio):
        """The caller says this, after what is left of the last thing."""
        self._to_say += audio

    def press(self, digit):
        self._send("dtmf", {"track": "inbound_track", "digit": digit})

    def hang_up(self):
        self._hanging_up.set()
        self.join(20)
        assert not self.is_alive(), "the call does not end"

    def run(self):
        try:
            next_tick = time.monotonic()
            while not self._hanging_up.is_set():
                self._tick()
                next_tick += self._interval
                self._listen_until(next_tick)
            self._send("stop", self._goodbye)
            self.socket.close()
        except Closed as closed:
            self.closed = closed.code
            self.socket.drop()
        except OSError:
            self.closed = 1006
            self.socket.drop()

    def _tick(self):
        frame = bytes(self._to_say[:FRAME])
        del self._to_say[:FRAME]
        frame += SILENCE * (FRAME - len(frame))
        self.said += frame
        self._send("media", {
            "track": "inbound", "chunk": str(self.ticks + 1), "timestamp": str(self.ticks * 20),
            "payload": base64.b64encode(frame).decode(),
        })
        self.ticks += 1
        wanted = FRAME
        while self._queue and (wanted or isinstance(self._queue[0], str)):
            first = self._queue.popleft()
            if isinstance(first, str):
                self._echo(first)
                continue
            self.heard += first[:wanted]
            if len(first) > wanted:
                self._queue.appendleft(first[wanted:])
            wanted -= min(wanted, len(first))

    def _listen_until(self, when):
        while True:
            left = when - time.monotonic()
            ready = self.socket.pending() or select.select([self.socket], [], [], max(left, 0))[0]
            if not ready:
                return
            self._receive(self.socket.receive())
            if left < 0:
                return

    def _receive(self, text):
        message = json.loads(text)
        self.messages.append(message)
        if message.get("streamSid") != self.stream_sid:
            self.trouble.append(f"another stream's: {text[:100]}")
        match message:
            case {"event": "media", "media": {"payload": payload}}:
                audio = base64.b64decode(payload, validate=True)
                self.media += audio
                self._queue.append(audio)
                self._note("media")
            case {"event": "mark", "mark": {"name": str(name)}}:
                self._note(f"mark {name}")
                if self._queue:
                    self._queue.append(name)
                else:
                    self._echo(name)
            case {"event": "clear"}:
                self._note("clear")
                marks = [one for one in self._queue if isinstance(one, str)]
                self._queue.clear()
                for name in marks:
                    self._echo(name)
            case _:
                self.trouble.append(f"unknown: {text[:100]}")

    def _echo(self, name):
        self._note(f"back {name}")
        self._send("mark", {"name": name})

    def _note(self, what):
        self.order.append(Played(self.ticks, what))

    def happened(self, what):
        """The ticks at which it did."""
        return [one.tick for one in self.order if one.what == what]

    def wait_for(self, what, count=1, seconds=60):
        """The tick of the latest of `count`."""
        def so_often():
            assert self.is_alive() or len(self.happened(what)) >= count, f"closed: {self.closed}"
            return len(self.happened(what)) >= count
        peers.wait_until(so_often, seconds, f"{count} of {what!r}; there is {self.order}")
        return self.happened(what)[count - 1]
