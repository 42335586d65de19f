#!/usr/bin/env python3
"""A bot with manners: it greets, falls silent when the caller speaks, and says the words back.

The telephone is a WebSocket that speaks Twilio's Media Streams; it calls, and this side answers.
"""

import argparse
import asyncio
import base64
import json
import os
import pathlib
import sys

import websockets

from conversation import Conversation
from speech import read_greeting


async def answer(socket, greeting):
    conversation = None
    async for text in socket:
        match parse(text):
            case {"event": "start", "start": {"streamSid": str(stream), "callSid": str(call)}} \
                    if not conversation:
                conversation = Conversation(socket, stream, call)
                await conversation.say("greeted", greeting)
            case {"event": "media", "media": {"payload": str(payload)}} if conversation:
                await conversation.listen(decode(payload))
            case {"event": "mark", "mark": {"name": str(name)}} if conversation:
                conversation.was_said(name)


def parse(text):
    """What is no JSON matches nothing: whatever a peer sends, the call goes on."""
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def decode(payload):
    try:
        return base64.b64decode(payload)
    except ValueError:
        return b""


async def serve(options, greeting):
    async def on_connection(socket):
        try:
            await answer(socket, greeting)
        except websockets.ConnectionClosed:
            pass  # Nobody says goodbye on the telephone.

    try:
        server = await websockets.serve(on_connection, options.host, options.port, max_size=65_536)
    except OSError as error:
        sys.exit(f"bot: cannot listen: {error.strerror}; another --port?")
    async with server:
        port = server.sockets[0].getsockname()[1]
        print(f"listening on ws://{options.host}:{port}", flush=True)
        await asyncio.Future()


def main():
    assets = pathlib.Path(__file__).resolve().parents[2] / "assets"
    parser = argparse.ArgumentParser(
        description='Answers the telephone for softswitch: agent = "ws://127.0.0.1:8765".')
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8765"))
    parser.add_argument("--greeting", default=assets / "greeting.wav",
                        help="a WAV file: 8 kHz, mono, PCM16 or mu-law")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options, read_greeting(options.greeting)))
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"bot: {error}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
