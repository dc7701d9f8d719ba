"""A server on loopback that misbehaves as each test asks, a registry of one dataset `toy`, and what fetching it says."""

import hashlib
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler

import pytest

from girlib.errors import GirlibError
from girlib.fetch import fetch as girlib_fetch

CONTENT = bytes(range(256)) * 2000                      # 512,000 bytes
SHA = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves `server.content`; the first part of the path says how."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        server, way = self.server.state, self.path.split("/")[1]
        server.asked.append((way, self.headers.get("Range")))
        if way == "redirect":
            self.send_response(302)
            self.send_header("Location", server.target)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if way in ("404", "500"):
            return self.send_error(int(way))
        if way == "folder":
            server.content = (server.folder / self.path.removeprefix("/folder/")).read_bytes()
        content = {"wrong": CONTENT[::-1], "longer": CONTENT + b"more", "shorter": CONTENT[:-5]}.get(way, server.content)
        start = 0
        if (asked := self.headers.get("Range")) and way != "plain":
            fresh = self.headers.get("If-Range") in (None, server.etag)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if fresh else 0
        if start >= len(content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if server.etag:
            self.send_header("ETag", server.etag)
        if way in ("unlimited", "brief"):               # no length stated, and more or less than registered
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            content = content + b"x" * 4096 if way == "unlimited" else content[:start + 1000]
        else:
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
        body = content[start:]
        server.gate.wait(60)
        if way == "cut" and server.cuts:                # breaks off after 100,000 bytes, as often as the test says
            server.cuts -= 1
            body, self.close_connection = body[:100_000], True
        for at in range(0, len(body), 20_000):
            try:
                self.wfile.write(body[at:at + 20_000])
            except ConnectionError:
                return
            server.sent += len(body[at:at + 20_000])
            if server.pause:
                time.sleep(server.pause)


def fails(root, **options):
    """The sentence with which fetching fails."""
    with pytest.raises(GirlibError) as error:
        girlib_fetch(["toy"], str(root), **options)
    sentence = str(error.value)
    assert sentence.endswith(".") and "\n" not in sentence and sentence.split(":")[0] in ("fetch", "unpack")
    return sentence


def nothing_broken(root):
    """No file but parts that wait to be resumed, in the folder kept for them."""
    left = [path for path in root.rglob("*") if path.is_file()]
    assert all(path.parent == root / ".fetch" and (path.name == "lock" or path.suffix in (".part", ".tag")) for path in left), left
    return True


def other_process(folder, root, *arguments):
    code = ("import sys; from pathlib import Path; from girlib import registry, download, cli\n"
            "registry.FOLDER, download.PIECE = Path(sys.argv.pop(1)), 20_000\ncli.main()")
    return subprocess.Popen([sys.executable, "-c", code, str(folder), "fetch", "toy", "--root", str(root), *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


