"""A headless Chromium and one page in it, by the DevTools protocol."""

import base64
import json
import re
import shutil
import tempfile
import time
import unittest
import urllib.request

import peers
from websocket import WebSocket


class Chromium:
    def __init__(self, case):
        if not shutil.which("chromium"):  # Heavy: asked of nobody, not even of CI.
            raise unittest.SkipTest("there is no program chromium here")
        profile = tempfile.mkdtemp(prefix="chromium")
        case.addCleanup(shutil.rmtree, profile, ignore_errors=True)
        process = case.process(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"], "chromium")
        found = peers.wait_until(
            lambda: re.search(r"DevTools listening on ws://([^/]+)/", process.log.read_text()),
            60, "Chromium listens")

        def page():
            with urllib.request.urlopen(f"http://{found[1]}/json/list", timeout=20) as answer:
                return [one for one in json.load(answer) if one["type"] == "page"]
        target = peers.wait_until(page, 30, "a page in Chromium")[0]
        self._socket = WebSocket(target["webSocketDebuggerUrl"], seconds=60)
        case.addCleanup(self._socket.close)
        self._last = 0
        self.messages = []  # Of the console, and what nobody caught.
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.command(f"{domain}.enable")

    def command(self, method, **parameters):
        self._last += 1
        self._socket.send({"id": self._last, "method": method, "params": parameters})
        while True:
            message = json.loads(self._socket.receive())
            if message.get("id") == self._last:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return message["result"]
            if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.messages.append(json.dumps(message["params"]))

    def open(self, url):
        self.command("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression):
        told = self.command("Runtime.evaluate", expression=expression, returnByValue=True,
                            awaitPromise=True)
        if "exceptionDetails" in told:
            raise AssertionError(f"{expression}: {told['exceptionDetails']}")
        return told["result"].get("value")

    def until(self, expression, seconds=30):
        return peers.wait_until(lambda: self.value(expression), seconds, expression)

    def text(self, selector):
        return self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def until_text(self, selector, pattern, seconds=30):
        """What is shown there matches."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text(selector)):
            if time.monotonic() > end:
                raise AssertionError(f"{selector} is not {pattern!r} but {self.text(selector)!r}")
            time.sleep(0.02)

    def type(self, selector, text):
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        self.command("Input.insertText", text=text)
        for kind in ("keyDown", "keyUp"):
            self.command("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r",
                         windowsVirtualKeyCode=13)

    def look(self, width, scheme, height=900):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=1, mobile=width < 600)
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path):
        told = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(told["data"]))
