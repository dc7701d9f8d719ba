import csv
import threading
from http.server import ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from toy_server import CONTENT, SHA, Handler

from girlib import download, registry


@pytest.fixture
def server():
    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.daemon_threads = True
    web.state = SimpleNamespace(content=CONTENT, etag='"one"', cuts=0, pause=0, sent=0, asked=[], target="", gate=threading.Event())
    web.state.gate.set()
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    web.state.at = f"http://127.0.0.1:{web.server_address[1]}"
    yield web.state
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PAUSE", 0)
    monkeypatch.setattr(download, "PIECE", 20_000)
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """Writes a registry of one dataset `toy` and uses it."""
    def write(*files, **entry):
        folder = tmp_path / "registry"
        folder.mkdir(exist_ok=True)
        columns = dict(name="toy", title="A toy", folder="toy", how="download", bytes="", licence="free", terms="", page="", steps="",
                       holds="")
        with open(folder / "datasets.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerow(columns | entry)
        columns = dict(name="toy", file="toy/a.bin", address="", bytes=str(len(CONTENT)), hash=SHA, holds="", instead="")
        with open(folder / "files.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(columns | file for file in files)
        monkeypatch.setattr(registry, "FOLDER", folder)
        registry.registry.cache_clear()
        return folder
    yield write
    registry.registry.cache_clear()
