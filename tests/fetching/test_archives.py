"""Archives: unpacked after a look at all members, refused whole if one of them is wrong."""

import hashlib
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from toy_server import fails

from girlib.download import unpack
from girlib.errors import GirlibError
from girlib.fetch import fetch as girlib_fetch


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
