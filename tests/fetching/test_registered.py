"""What the registry says of datasets: terms, hashes, steps, and that readers and networks find what it names."""

import hashlib
import os
from pathlib import Path

import pytest
from toy_server import CONTENT, SHA, fails

from girlib import registry
from girlib.datasets import list_datasets
from girlib.fetch import fetch as girlib_fetch
from girlib.networks import NETWORKS


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
