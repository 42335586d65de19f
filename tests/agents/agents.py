"""The agents that are called here: bots of examples/agents, OpenAI's transport with its model."""

import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))
import peers  # noqa: E402
from speech import ASSETS  # noqa: E402

ROOT = HERE.parents[1]
BOT_IN_NODE = "examples/agents/node"
OPENAI = "tests/agents/openai"


def options(*more):
    """What a script of this folder is called with."""
    return (("--installed", {"type": pathlib.Path, "help": "where npm.py ran npm ci"}), *more)


class Agents(peers.Case):
    def installed(self, folder, package):
        """Where npm.py has put that folder's programs, beside their packages."""
        peers.need_program("node")
        where = peers.options.installed / folder
        peers.need((where / "node_modules" / package).exists(), f"package {package} in {where}")
        return where

    def bot_command(self, language):
        if language == "node":
            return ["node", self.installed(BOT_IN_NODE, "ws") / "bot.mjs"]
        found = subprocess.run([sys.executable, "-c", "import websockets"], capture_output=True)
        peers.need(found.returncode == 0, f"package websockets for {sys.executable}")
        return [sys.executable, "-B", ROOT / "examples/agents/python/bot.py"]

    def listens(self, name, command, **how):
        """The process, and where it says that it listens."""
        process = self.process(command, name, **how)
        found = peers.wait_until(
            lambda: re.search(r"listening on (ws://127\.0\.0\.1:\d+)\n", process.log.read_text()),
            60, f"{name} listens")
        return process, found[1]

    def bot(self, language, greeting=ASSETS / "greeting.wav"):
        return self.listens(
            "bot", [*self.bot_command(language), "--port", "0", "--greeting", greeting])

    def openai(self, between=20):
        """(model, transport, address); the model says a quarter of a second every `between` ms."""
        folder = self.installed(OPENAI, "@openai/agents")
        env = {**os.environ, "OPENAI_AGENTS_DISABLE_TRACING": "1"}
        model, behind = self.listens(
            "model", ["node", folder / "model.mjs", "--greeting", ASSETS / "greeting.wav",
                      "--record", self.work, "--between", str(between)], env=env)
        transport, url = self.listens(
            "transport", ["node", folder / "transport.mjs", "--model", behind], env=env)
        return model, transport, url


def told(process, **fields):
    """The JSON that a program has written, as far as it says this."""
    lines = [json.loads(one) for one in process.log.read_text().splitlines(keepends=True)
             if one.startswith("{") and one.endswith("}\n")]
    return [one for one in lines if fields.items() <= one.items()]


def until_told(process, seconds=60, **fields):
    return peers.wait_until(lambda: told(process, **fields), seconds, f"it told {fields}")[0]
