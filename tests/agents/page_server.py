"""The switch as its page sees it: GET /, /calls, /trunks and /events, behind a token."""

import http.server
import json
import pathlib
import queue
import threading

PAGE = pathlib.Path(__file__).resolve().parents[2] / "examples/softswitch/page/index.html"


class PageServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, token="let-me-in", port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.token = token
        self.calls = {}
        self.trunks = []
        self.told = []          # Every event as (number, bytes).
        self.listeners = []
        self.requests = []      # (path, headers) as they came.
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"

    def tell(self, what, call, at, **more):
        """An event, and what it changes about the list."""
        data = {"id": call["id"], "event": what, "at": at,
                **{key: call[key] for key in ("direction", "from", "to", "trunk", "agent")}, **more}
        with self.lock:
            if what == "ended":
                self.calls.pop(call["id"], None)
            else:
                call.update(state=what, answered=at if what == "answered" else None)
                self.calls[call["id"]] = call
            number = len(self.told) + 1
            text = json.dumps(data, ensure_ascii=False)
            event = f"event: {what}\r\nid: {number}\r\ndata: {text}\r\n\r\n".encode()
            self.told.append((number, event))
            for one in self.listeners:
                one.put((number, event))

    def say(self, raw):
        """These bytes, as they are, to whoever listens."""
        with self.lock:
            for one in self.listeners:
                one.put((None, raw))

    def drop(self):
        """Ends every stream of events."""
        with self.lock:
            for one in self.listeners:
                one.put((None, None))

    def end(self):
        self.drop()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PageServer

    def log_message(self, *_):
        pass

    def do_GET(self):  # noqa: N802
        self.close_connection = True
        self.server.requests.append((self.path, dict(self.headers)))
        if self.path == "/":
            return self._answer(200, PAGE.read_bytes(), "text/html; charset=utf-8")
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return self._answer(401, b'{"error":401,"message":"no such token"}')
        if self.path == "/events":
            return self._stream()
        with self.server.lock:
            found = {"/calls": {"calls": list(self.server.calls.values())},
                     "/trunks": {"trunks": self.server.trunks}}.get(self.path)
            body = json.dumps(found).encode()
        return self._answer(200 if found else 404, body)

    def _answer(self, status, body, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")  # Nobody talks to a server that has ended.
        self.end_headers()
        self.wfile.write(body)

    def _stream(self):
        mine = queue.Queue()
        with self.server.lock:
            after = int(self.headers.get("Last-Event-ID") or len(self.server.told))
            for number, event in self.server.told[-100:]:
                mine.put((number, event))
            self.server.listeners.append(mine)
        try:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b": here\n\n")
            while (told := mine.get())[1] is not None:
                number, event = told
                if number and number <= after:
                    continue
                self.wfile.write(event)
                self.wfile.flush()
        except OSError:
            pass
        finally:
            with self.server.lock:
                self.server.listeners.remove(mine)
