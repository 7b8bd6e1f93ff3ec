"""Stands between the sandbox and the bridge, to see the callbacks; and is the shop, to see the notifications."""

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import requests

BASE = os.environ["BASE"]
PORT = int(os.environ["RELAY_PORT"])
SHOP = f"http://127.0.0.1:{PORT}/shop"

# Each request: method, path, query, headers and body.
seen = []
# The ids of those orders whose callbacks are not forwarded to the bridge.
held = set()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        seen.append((self.command, url.path, url.query, headers, body))
        self.send_response(self.forward(url.path))
        self.end_headers()

    do_POST = do_GET

    def forward(self, path):
        if not path.startswith("/callbacks/"):
            return 204
        if path.split("/")[2] in held:
            return 503
        return requests.get(BASE + self.path).status_code

    def log_message(self, *_):
        pass


def start():
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def eventually(look, seconds=20):
    for _ in range(seconds * 20):
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("it never comes")


def received(path, count=1):
    """The request with this number, from 1, to a path that begins like this."""

    def look():
        found = [request for request in seen if f"{request[1]}/".startswith(f"{path}/")]
        return found[count - 1 : count]

    return eventually(look)[0]


def told(reference, count=1):
    return received(f"/shop/{reference}", count)


def callback(order_id):
    return received(f"/callbacks/{order_id}")
