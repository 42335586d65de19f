"""Installs what runs in node as its README says, below the build: the source stays as it was."""

import shutil
import subprocess

from agents import ASSETS, BOT_IN_NODE, OPENAI, ROOT, options, peers


class Npm(peers.Case):
    def installs(self, folder):
        peers.need_program("node")
        peers.need_program("npm")
        into = peers.options.installed / folder
        into.mkdir(parents=True, exist_ok=True)
        for one in (ROOT / folder).glob("*.mjs"):
            shutil.copy(one, into)
        before = into / "package-lock.json"
        lock = (ROOT / folder / "package-lock.json").read_text()
        if (into / "node_modules/.package-lock.json").exists() and before.read_text() == lock:
            return
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / folder / name, into)
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=into, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=150)
        if done.returncode:
            before.unlink()
        peers.need(done.returncode == 0, f"way to run npm ci in {into}:\n{done.stdout}")

    def test_the_bot_in_node(self):
        shutil.copytree(ASSETS, peers.options.installed / "examples/assets", dirs_exist_ok=True)
        self.installs(BOT_IN_NODE)

    def test_openais_transport(self):
        self.installs(OPENAI)

    def test_a_lock_names_no_registry(self):
        for lock in ROOT.glob("*/agents/*/package-lock.json"):
            self.assertNotIn('"resolved"', lock.read_text(), lock)


if __name__ == "__main__":
    peers.main(*options())
