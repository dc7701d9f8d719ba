"""Fetching: whatever a server, a disk or a killed process does, no broken file stands at its final place.

A server on loopback misbehaves as each test asks; the registry is one that the test writes.
"""

import csv
import errno
import hashlib
import io
import os
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from girlib import download, fetch, registry
from girlib.datasets import list_datasets
from girlib.download import unpack
from girlib.errors import GirlibError
from girlib.fetch import fetch as girlib_fetch
from girlib.networks import NETWORKS

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


# --------------------------------------------------------------------------------------------------------------- one file

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


# ---------------------------------------------------------------------------------------------------------------- archives

def zipped(*members):
    """A zip archive of (name, bytes) and of ready ZipInfo pairs."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return content.getvalue()


def tarred(*members, mode="w"):
    """A tar archive of (name, bytes), or of (name, a tar type) for what is no file."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:
        for name, body in members:
            info = tarfile.TarInfo(name)
            if isinstance(body, tuple):
                info.type, info.linkname = body
                archive.addfile(info)
            else:
                info.size = len(body)
                archive.addfile(info, io.BytesIO(body))
    return content.getvalue()


def link_in_zip():
    info = zipfile.ZipInfo("b/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, "/etc/passwd"


NOISE = hashlib.shake_256(b"noise").digest(30_000)                      # does not shrink, as images do not
GOOD = [("b/one.png", NOISE), ("b/c/two.png", b"two"), ("__MACOSX/b/._one.png", b"junk"), ("b/._one.png", b"junk")]
ARCHIVES = {"zip": zipped(*GOOD), "tar": tarred(*GOOD), "tar.gz": tarred(*GOOD, mode="w:gz")}


def lying_zip(holds, says):
    """Declares another size for its one member than it has."""
    body = zipped(("b/one.png", (NOISE * 100)[:holds]))
    return body.replace(holds.to_bytes(4, "little"), says.to_bytes(4, "little"))


EVIL = {
    "zip, outside": (zipped(*GOOD, ("../evil", b"x")), "outside its folder"),
    "zip, outside with backslashes": (zipped(*GOOD, ("..\\evil", b"x")), "outside its folder"),
    "zip, absolute": (zipped(*GOOD, ("/tmp/evil", b"x")), "outside its folder"),
    "zip, drive": (zipped(*GOOD, ("C:/evil", b"x")), "outside its folder"),
    "zip, link": (zipped(*GOOD, link_in_zip()), "a link or device"),
    "zip, bomb": (zipped(*GOOD, ("b/zeros", bytes(5_000_000))), "times its size"),
    "zip, says less than it holds": (lying_zip(2_999_999, 29_999), "damaged"),
    "zip, says more than it holds": (lying_zip(29_999, 39_999), "not as long as declared"),
    "zip, truncated": (ARCHIVES["zip"][:-40], "no zip or tar archive"),
    "zip, damaged": (ARCHIVES["zip"].replace(NOISE[50:100], bytes(50)), "damaged"),
    "tar, outside": (tarred(*GOOD, ("b/../../evil", b"x")), "outside its folder"),
    "tar, absolute": (tarred(*GOOD, ("/tmp/evil", b"x")), "outside its folder"),
    "tar, symbolic link": (tarred(("b/link", (tarfile.SYMTYPE, "/etc")), *GOOD), "a link or device"),
    "tar, hard link": (tarred(*GOOD, ("b/link", (tarfile.LNKTYPE, "b/one.png"))), "a link or device"),
    "tar, device": (tarred(*GOOD, ("b/null", (tarfile.CHRTYPE, ""))), "a link or device"),
    "tar, pipe": (tarred(*GOOD, ("b/pipe", (tarfile.FIFOTYPE, ""))), "a link or device"),
    "tar.gz, bomb": (tarred(*GOOD, ("b/zeros", bytes(5_000_000)), mode="w:gz"), "times its size"),
    "tar.gz, truncated": (ARCHIVES["tar.gz"][:-5000], "damaged"),
    "tar, truncated": (ARCHIVES["tar"][:20_000], "damaged"),
    "the same name twice": (tarred(*GOOD, ("b/one.png", b"x")), "twice"),
    "no archive": (b"<html>Please sign in</html>", "no zip or tar archive"),
}


def archive_row(server, content, **more):
    server.content = content
    return {"file": "toy/a.pack", "address": f"{server.at}/good/a.pack", "bytes": str(len(content)),
            "hash": hashlib.sha256(content).hexdigest(), "holds": "toy/b/**/*.png=2"} | more


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_is_unpacked_and_not_kept(server, root, listed, kind):
    listed(archive_row(server, ARCHIVES[kind]))
    assert girlib_fetch(["toy"], str(root)) and girlib_fetch(["toy"], str(root))
    assert (root / "toy/b/one.png").read_bytes() == NOISE and (root / "toy/b/c/two.png").read_bytes() == b"two"
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()) == \
        [".fetch/lock", "toy/b/c/two.png", "toy/b/one.png"]
    assert len(server.asked) == 1


@pytest.mark.parametrize("case", EVIL)
def test_a_bad_archive_is_refused_and_leaves_nothing(tmp_path, case):
    content, said = EVIL[case]
    (tmp_path / "in").mkdir()
    archive = tmp_path / "in/a.pack"
    archive.write_bytes(content)
    with pytest.raises(GirlibError, match=said) as error:
        unpack(archive, tmp_path / "in/loose")
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file() and "loose" not in path.parts) == ["a.pack"]
    assert not any(path.is_symlink() for path in tmp_path.rglob("*")) and not Path("/tmp/evil").exists()


def test_nothing_of_a_bad_archive_reaches_the_dataset(server, root, listed):
    listed(archive_row(server, lying_zip(29_999, 39_999), holds="toy/b/*.png=1"))     # found out only while it is unpacked
    assert "not as long as declared" in fails(root)
    assert not (root / "toy").exists()
    listed(archive_row(server, ARCHIVES["zip"]))
    assert girlib_fetch(["toy"], str(root))                            # the bad one is not taken again


def test_a_page_that_came_instead_of_an_archive_is_not_kept(server, root, listed):
    """Where no hash is known, only unpacking tells; the next call asks again."""
    row = archive_row(server, EVIL["no archive"][0], hash="", bytes="")
    listed(row)
    assert "no zip or tar archive" in fails(root)
    server.content = ARCHIVES["zip"]
    assert girlib_fetch(["toy"], str(root)) and (root / "toy/b/one.png").read_bytes() == NOISE


def test_an_archive_put_in_place_by_hand_is_unpacked_and_kept(server, root, listed):
    listed(archive_row(server, ARCHIVES["zip"]))
    (root / "toy").mkdir()
    (root / "toy/a.pack").write_bytes(ARCHIVES["zip"])
    assert girlib_fetch(["toy"], str(root))
    assert (root / "toy/b/one.png").read_bytes() == NOISE and (root / "toy/a.pack").is_file() and server.asked == []


def test_an_archive_that_holds_less_than_registered_is_named_and_kept(server, root, listed):
    listed(archive_row(server, ARCHIVES["tar"], holds="toy/b/**/*.png=3"))
    assert "toy/b/**/*.png: 2 of 3" in fails(root)
    assert "toy/b/**/*.png: 2 of 3" in fails(root) and len(server.asked) == 1


# ------------------------------------------------------------------------------------------------- hashes, forms and terms

def test_an_unpublished_hash_is_printed_remembered_and_a_change_reported(server, root, listed, capsys):
    listed({"address": f"{server.at}/good/a.bin", "hash": "", "bytes": ""})
    assert girlib_fetch(["toy"], str(root)) and f"sha256 {SHA}  toy/a.bin" in capsys.readouterr().out
    assert girlib_fetch(["toy"], str(root), check=True)
    (root / "toy/a.bin").write_bytes(CONTENT[::-1])
    assert not girlib_fetch(["toy"], str(root), check=True)
    assert "toy/a.bin has changed since it came" in capsys.readouterr().out
    (root / "toy/a.bin").unlink()
    server.content = CONTENT[::-1]
    assert "another file today" in fails(root) and not (root / "toy/a.bin").exists()


def test_an_md5_is_compared_where_only_that_was_published(server, root, listed):
    listed({"address": f"{server.at}/wrong/a.bin", "hash": "md5:" + hashlib.md5(CONTENT).hexdigest()})
    assert "its hash differs" in fails(root)
    listed({"address": f"{server.at}/good/a.bin", "hash": "md5:" + hashlib.md5(CONTENT).hexdigest()})
    assert girlib_fetch(["toy"], str(root)) and girlib_fetch(["toy"], str(root), check=True)


def test_terms_come_before_the_download_and_need_consent(server, root, listed, capsys):
    listed({"address": f"{server.at}/good/a.bin"}, terms="Nonprofit use only.")
    assert "add --yes" in fails(root) and "Nonprofit use only." in capsys.readouterr().out and server.asked == []
    assert girlib_fetch(["toy"], str(root), yes=True)


def test_a_form_prints_what_to_do_and_check_counts_what_was_put_there(root, listed, capsys):
    listed(how="form", steps="Ask the authors.", page="https://example.org", holds="images/*.png=2")
    assert not girlib_fetch(["toy"], str(root))
    said = capsys.readouterr().out
    assert "Ask the authors." in said and "https://example.org" in said and str(root / "toy") in said
    assert not girlib_fetch(["toy"], str(root), check=True) and "nothing of it" in capsys.readouterr().out
    (root / "toy/images").mkdir(parents=True)
    (root / "toy/images/1.png").touch()
    assert not girlib_fetch(["toy"], str(root), check=True) and "1 of 2" in capsys.readouterr().out
    (root / "toy/images/2.png").touch()
    assert girlib_fetch(["toy"], str(root), check=True) and "all is well" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["short", "other"])
def test_check_finds_a_damaged_file(root, listed, capsys, damage):
    listed({})
    (root / "toy").mkdir()
    (root / "toy/a.bin").write_bytes(CONTENT[:-1] if damage == "short" else CONTENT[:-1] + b"x")
    assert not girlib_fetch(["toy"], str(root), check=True)
    assert {"short": "has 511999 bytes", "other": "its hash differs"}[damage] in capsys.readouterr().out


def test_check_opens_the_dataset_with_its_reader(root, capsys):
    for folder in ("imageA", "imageB", "Fusion"):
        (root / "realmff" / folder).mkdir(parents=True)
        for number in range(710):
            (root / "realmff" / folder / f"{number:03d}.png").write_bytes(b"no picture")
    assert not girlib_fetch(["real_mff"], str(root), check=True)       # the counts are right, the pictures are not
    assert "650.png can't be decoded" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------------------ the registry

def test_every_dataset_that_has_a_reader_is_registered():
    assert set(list_datasets()) <= set(registry.registry())


def test_every_row_says_where_how_and_on_which_terms():
    for entry in registry.registry().values():
        assert entry.how in ("download", "form", "agreement") and entry.title and entry.licence, entry.name
        assert bool(entry.files) == (entry.how == "download") and bool(entry.steps) != bool(entry.files), entry.name
        assert not Path(entry.folder).is_absolute() and ".." not in Path(entry.folder).parts
        for file in entry.files:
            assert file.url.startswith(("http://", "https://")) and " " not in file.url
            assert not Path(file.file).is_absolute() and ".." not in Path(file.file).parts
            digest = (file.hash or "0" * 64).removeprefix("md5:")
            assert len(digest) == (32 if (file.hash or "").startswith("md5:") else 64) and int(digest, 16) >= 0
    places = [file.file for entry in registry.registry().values() for file in entry.files]
    assert len(places) == len(set(places))


def test_the_released_weights_that_networks_look_for_are_registered():
    import importlib
    known = {name for entry in registry.registry().values() for file in entry.files for name in (file.file, file.instead)}
    known |= {f"{entry.folder}/{pattern}" for entry in registry.registry().values() for pattern, _ in entry.holds}
    for network in NETWORKS:
        for released in importlib.import_module(f"girlib.networks.{network}").RELEASED.values():
            name = released[0] if isinstance(released, tuple) else released
            if isinstance(name, str) and not name.startswith("gdd/"):       # GDD's were converted from files that run code when read
                assert f"weights/{name}" in known, name


def test_what_is_here_agrees_with_the_registry():
    if "GIRLIB_DATA" not in os.environ:
        pytest.skip("GIRLIB_DATA is not set, so there is nothing to compare the registry with")
    root, seen = Path(os.environ["GIRLIB_DATA"]), 0
    for entry in registry.registry().values():
        for file in entry.files:
            path = root / file.file
            if path.is_file() and path.stat().st_size < 1 << 26 and file.hash and ":" not in file.hash:
                assert (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) == (file.bytes, file.hash), file.file
                seen += 1
    if not seen:
        pytest.skip("none of the registered files is below GIRLIB_DATA")


def test_fetched_middlebury_is_the_folder_that_readers_know(server, root, monkeypatch):
    """All 60 files, served from the folder of datasets, arrive at the same places with the same bytes."""
    server.folder = Path(os.environ.get("GIRLIB_DATA", "/nowhere"))
    if not (server.folder / "middlebury/RGB").is_dir():
        pytest.skip("GIRLIB_DATA holds no middlebury/RGB to serve")
    server.etag = ""
    monkeypatch.setattr(registry.File, "url", property(lambda file: f"{server.at}/folder/{file.file}"))
    assert girlib_fetch(["middlebury"], str(root)) and girlib_fetch(["middlebury"], str(root), check=True)
    came = {path.relative_to(root).as_posix(): path.read_bytes() for path in (root / "middlebury").rglob("*.png")}
    assert came == {name: (server.folder / name).read_bytes() for name in came} and len(came) == 60
