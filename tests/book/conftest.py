"""The built book, and one browser a test process to look at it."""

import fcntl
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from in_text import HTML, ROOT

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (path := shutil.which(name))), None)
# --host-resolver-rules: the browser finds no host, so that no check ever depends on a network.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--host-resolver-rules=MAP * ~NOTFOUND"]


@pytest.fixture(scope="session")
def html():
    """The folder of the built book. Where there is none, a small one is built, once for all test processes."""
    if not (HTML / "index.html").is_file():
        (ROOT / "_build").mkdir(exist_ok=True)
        with (ROOT / "_build" / "tests.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (HTML / "index.html").is_file():
                subprocess.run([sys.executable, Path(__file__).with_name("small_book.py")], cwd=ROOT, check=True)
    return HTML


class Reader:
    """Chromium in a thread of its own: playwright keeps an event loop running, which other tests must not find in theirs."""

    def __init__(self):
        self.thread = ThreadPoolExecutor(1)
        self.thread.submit(self._open).result()

    def _open(self):
        from playwright.sync_api import sync_playwright

        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

    def _close(self):
        self.browser.close()
        self.playwright.stop()

    def __call__(self, look, *arguments):
        return self.thread.submit(look, self.browser, *arguments).result()

    def close(self):
        self.thread.submit(self._close).result()
        self.thread.shutdown()


@pytest.fixture(scope="session")
def reader():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the pages are not looked at in a browser (install it with: sudo apt install chromium)")
    reader = Reader()
    yield reader
    reader.close()
