"""Fetching: whatever a server, a disk or a killed process does, no broken file stands at its final place."""

import errno
import io
import os
import signal
import subprocess
import time
from http.server import ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from toy_server import CONTENT, Handler, fails, nothing_broken, other_process

from girlib import download, fetch
from girlib.errors import GirlibError
from girlib.fetch import fetch as girlib_fetch


@pytest.mark.parametrize("way", ["good", "plain"])
def test_a_file_arrives_whole_and_is_not_asked_for_again(server, root, listed, way):
    listed({"address": f"{server.at}/{way}/a.bin"})
    assert girlib_fetch(["toy"], str(root)) and girlib_fetch(["toy"], str(root))
    assert (root / "toy/a.bin").read_bytes() == CONTENT
    assert len(server.asked) == 1
    assert sorted(path.name for path in root.rglob("*")) == [".fetch", "a.bin", "lock", "toy"]


@pytest.mark.parametrize(("way", "said"), [
    ("cut", "did not come whole"), ("wrong", "its hash differs"), ("shorter", "511995 bytes, but 512000 are registered"),
    ("longer", "512004 bytes, but 512000 are registered"), ("unlimited", "sends more than the 512000 bytes"),
    ("brief", "ended after 3000 of 512000 bytes"), ("404", "answers 404"), ("500", "the server answers 500")])
def test_what_a_server_does_wrong_is_one_sentence_and_leaves_no_file(server, root, listed, way, said):
    server.cuts = 3
    listed({"address": f"{server.at}/{way}/a.bin"})
    assert said in fails(root)
    assert nothing_broken(root)
    listed({"address": f"{server.at}/good/a.bin"})                     # once the server is mended, the same command succeeds
    assert girlib_fetch(["toy"], str(root))
    assert (root / "toy/a.bin").read_bytes() == CONTENT


def test_no_network_is_one_sentence(root, listed):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_address[1]
    listed({"address": f"http://127.0.0.1:{port}/a.bin"})
    assert "no connection" in fails(root) and nothing_broken(root)


def test_a_silent_server_is_given_up(root, listed, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", (0.2, 0.2))
    monkeypatch.setattr(download, "ATTEMPTS", 2)
    import socket
    with socket.create_server(("127.0.0.1", 0)) as silent:
        listed({"address": f"http://127.0.0.1:{silent.getsockname()[1]}/a.bin"})
        assert "no answer in time" in fails(root) and nothing_broken(root)


def test_a_cut_connection_goes_on_where_it_ended(server, root, listed):
    server.cuts = 2
    listed({"address": f"{server.at}/cut/a.bin"})
    assert girlib_fetch(["toy"], str(root))
    assert (root / "toy/a.bin").read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, "bytes=100000-", "bytes=200000-"]
    assert server.sent == len(CONTENT)                                 # no byte twice


def test_without_ranges_a_cut_download_begins_anew(server, root, listed):
    server.cuts = 3
    listed({"address": f"{server.at}/cut/a.bin"})
    fails(root)
    listed({"address": f"{server.at}/plain/a.bin"})
    assert girlib_fetch(["toy"], str(root)) and (root / "toy/a.bin").read_bytes() == CONTENT


def test_a_killed_download_leaves_a_part_that_the_next_call_resumes(server, root, listed):
    server.pause = 0.05
    process = other_process(listed({"address": f"{server.at}/good/a.bin"}), root)
    part = root / ".fetch/toy__a.bin.part"
    give_up = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 100_000) and time.monotonic() < give_up:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    had = part.stat().st_size
    assert 100_000 < had < len(CONTENT) and not (root / "toy").exists()
    server.pause = 0
    assert girlib_fetch(["toy"], str(root)) and (root / "toy/a.bin").read_bytes() == CONTENT
    assert server.asked[-1] == ("good", f"bytes={had}-")
    assert [path.name for path in (root / ".fetch").iterdir()] == ["lock"]      # what pooch had begun is swept too


def test_an_interrupted_download_says_so(server, root, listed, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt
    monkeypatch.setattr(download, "_transfer", interrupt)
    listed({"address": f"{server.at}/good/a.bin"})
    assert "the same command goes on from there" in fails(root) and nothing_broken(root)


def test_two_processes_at_once_download_once(server, root, listed):
    folder = listed({"address": f"{server.at}/good/a.bin"})
    server.gate.clear()                                                # the first one's download stands still,
    first = other_process(folder, root)
    give_up = time.monotonic() + 60
    while not server.asked and time.monotonic() < give_up:
        time.sleep(0.01)
    second = other_process(folder, root)
    said = []
    while not any("waiting for it" in line for line in said) and (line := second.stdout.readline()):
        said.append(line)                                              # until the second one says that it waits
    server.gate.set()
    assert any("waiting for it" in line for line in said)
    assert all("1 of 1 files" in process.communicate(timeout=60)[0] for process in (first, second))
    assert len(server.asked) == 1 and (root / "toy/a.bin").read_bytes() == CONTENT


def test_a_part_of_another_version_is_not_continued(server, root, listed):
    """Where no hash is known, only the server's own mark can tell whether the beginning still belongs to the file."""
    server.cuts = 3
    listed({"address": f"{server.at}/cut/a.bin", "hash": ""})
    fails(root)
    server.content, server.etag = CONTENT[::-1], '"two"'
    assert girlib_fetch(["toy"], str(root)) and (root / "toy/a.bin").read_bytes() == CONTENT[::-1]


def test_without_hash_and_mark_nothing_is_continued(server, root, listed):
    server.cuts, server.etag = 3, ""
    listed({"address": f"{server.at}/cut/a.bin", "hash": ""})
    fails(root)
    assert {asked for _, asked in server.asked} == {None}


@pytest.mark.parametrize(("target", "said"), [
    ("file:///etc/hostname", "only http and https"), ("ftp://127.0.0.1/a.bin", "only http and https"),
    ("/redirect/a.bin", "more than 10 times")])
def test_redirects_elsewhere_are_refused(server, root, listed, target, said):
    server.target = target
    listed({"address": f"{server.at}/redirect/a.bin"})
    assert said in fails(root) and nothing_broken(root)


def test_a_redirect_to_the_file_is_followed(server, root, listed):
    server.target = "/good/a.bin"
    listed({"address": f"{server.at}/redirect/a.bin"})
    assert girlib_fetch(["toy"], str(root)) and (root / "toy/a.bin").read_bytes() == CONTENT


def test_https_is_never_left(monkeypatch):
    class Session:
        def get(self, url, **options):
            return SimpleNamespace(is_redirect=True, headers={"Location": "http://example.org/a"}, close=lambda: None)
    with pytest.raises(GirlibError, match="never from https back to http"):
        download._open(Session(), "https://example.org/a", {})


# ------------------------------------------------------------------------------------------------------------------- disks

def test_a_full_disk_is_one_sentence_and_what_came_is_kept(server, root, listed, monkeypatch):
    class Full(io.FileIO):
        def write(self, piece):
            if self.tell() + len(piece) > 200_000:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(piece)
    listed({"address": f"{server.at}/good/a.bin"})
    with monkeypatch.context() as patched:
        patched.setattr(download, "open", lambda path, mode: Full(path, mode.replace("b", "")), raising=False)
        assert "is full" in fails(root) and nothing_broken(root)
    assert (root / ".fetch/toy__a.bin.part").stat().st_size == 200_000
    assert girlib_fetch(["toy"], str(root)) and server.asked[-1] == ("good", "bytes=200000-")


def test_a_small_disk_fills_up_for_real(server, root, listed):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "girlib-test", str(root)], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs the rights of root")
    try:
        listed({"address": f"{server.at}/good/a.bin", "bytes": ""})    # of unknown size, or it would be refused before
        assert "is full" in fails(root) and nothing_broken(root)
    finally:
        subprocess.run(["umount", str(root)], check=True)


def test_what_cannot_fit_is_refused_before_the_first_byte(server, root, listed, monkeypatch):
    listed({"address": f"{server.at}/good/a.bin"})
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    assert "needs 512 kB, but only 1.0 kB are free" in fails(root)
    assert server.asked == [] and nothing_broken(root)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_one_sentence(server, root, listed, monkeypatch, code):
    def refuse(*args, **options):
        raise OSError(code, os.strerror(code))
    listed({"address": f"{server.at}/good/a.bin"})
    monkeypatch.setattr(fetch.Path, "mkdir", refuse)
    assert "cannot be written" in fails(root) and nothing_broken(root)


def test_a_file_of_yours_is_never_overwritten(server, root, listed):
    listed({"address": f"{server.at}/good/a.bin"})
    (root / "toy").mkdir()
    (root / "toy/a.bin").write_bytes(b"mine")
    assert "has 4 bytes, not 512000; move it away" in fails(root)
    assert (root / "toy/a.bin").read_bytes() == b"mine"
