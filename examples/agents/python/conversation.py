"""One call in Twilio's Media Streams: what is heard and said, and in whose turn."""

import base64
import json

from speech import SpeechDetector

KEPT_BEFORE = 2_400  # Bytes, 8 a millisecond: words begin before a detector is sure of them.
LONGEST = 480_000  # Of somebody who goes on and on, a minute is said back.


class Conversation:
    def __init__(self, socket, stream_sid, call_sid):
        self._socket, self._stream_sid, self._call_sid = socket, stream_sid, call_sid
        self._detector = SpeechDetector()
        self._sentence = bytearray()  # The caller's, with what led up to it.
        self._heard = 0  # Bytes so far: the caller's clock, and the only one there is.
        self._turns = 0
        self._saying = None  # Until its mark comes back: (name, since, what to log then).

    async def listen(self, audio):
        self._heard += len(audio)
        self._sentence += audio[:LONGEST - len(self._sentence)]
        change = self._detector.hear(audio)
        if change == "began":
            await self._fall_silent()
        elif change == "ended":
            sentence, self._sentence = self._sentence, bytearray()
            await self.say("repeated", sentence)
        elif not self._detector.speaking:
            del self._sentence[:-KEPT_BEFORE]

    async def _fall_silent(self):
        if self._saying:
            _, since, _ = self._saying
            self._saying = None  # The mark comes back even so, and nobody waits for it any more.
            await self._send(event="clear")
            self._log(f"interrupted after {(self._heard - since) // 8} ms")

    async def say(self, deed, audio):
        self._turns += 1
        name = f"turn-{self._turns}"
        self._saying = name, self._heard, f"{deed} {len(audio) // 8} ms, mark came back"
        await self._send(event="media", media={"payload": base64.b64encode(audio).decode()})
        await self._send(event="mark", mark={"name": name})

    def was_said(self, name):
        if self._saying and self._saying[0] == name:
            self._log(self._saying[2])
            self._saying = None

    async def _send(self, **message):
        await self._socket.send(json.dumps(message | {"streamSid": self._stream_sid}))

    def _log(self, line):
        print(f"{self._call_sid}: {line}", flush=True)
