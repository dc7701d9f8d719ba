"""`girlib restore` on files: metadata, folders, pages, faults, and nothing half-written."""

import errno
import io
import struct
import sys
import zlib

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image
from test_restore import LOW, scene

import girlib
from girlib import pictures
from girlib.cli import app, main
from girlib.errors import GirlibError
from girlib.restoration_files import restore_files


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def chunks(path):
    data, at, found = path.read_bytes(), 8, []
    while at < len(data):
        length, = struct.unpack(">I", data[at:at + 4])
        found.append(data[at:at + 12 + length])
        at += 12 + length
    return found


def write_pair(folder, dtype=np.uint16, **options):
    low, guide = scene(**options)
    Image.fromarray(low.astype(dtype)).save(folder / "low.png")
    Image.fromarray(guide).save(folder / "guide.png")
    Image.fromarray(guide).save(folder / "guide.jpg", quality=95)
    return folder / "low.png", folder / "guide.png"


def test_png_keeps_depth_and_every_word_about_it(tmp_path, capsys):
    target, guide = write_pair(tmp_path)
    said = [chunk(b"gAMA", struct.pack(">I", 45455)), chunk(b"iCCP", b"profile\0\0" + zlib.compress(b"colours" * 20)),
            chunk(b"pHYs", struct.pack(">IIB", 3000, 3000, 1)), chunk(b"tEXt", b"Unit\0mm"), chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\0\0\0\0\0")]
    data = target.read_bytes()
    target.write_bytes(data[:33] + b"".join(said) + data[33:])
    restore_files(target, tmp_path / "guide.jpg", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        assert image.mode == "I;16" and image.size == (56, 48) and image.text == {"Unit": "mm"}
    assert [entry for entry in chunks(tmp_path / "out.png") if entry[4:8] not in (b"IHDR", b"IDAT", b"IEND")] == said
    line = capsys.readouterr().out
    assert line.count("\n") == 1 and all(word in line for word in ("12x14 uint16", "48x56", "gf", "no holes", "out.png"))


@pytest.mark.parametrize("interlaced", [False, True])
def test_png_of_16_bit_colours_keeps_all_of_them(tmp_path, interlaced):
    import cv2
    rng = np.random.default_rng(0)
    image = rng.integers(0, 65536, (37, 53, 3)).astype(np.uint16)
    image[9:20] = image[9] // 3                                         # rows of which each repeats the one above
    if interlaced:
        (tmp_path / "a.png").write_bytes(adam7(image))
    else:
        cv2.imwrite(str(tmp_path / "a.png"), image[..., ::-1])
    assert np.array_equal(pictures.read(tmp_path / "a.png").array, image)
    restore_files(tmp_path / "a.png", tmp_path / "a.png", tmp_path / "out.png", "multifocus", method="average")
    assert np.array_equal(cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)[..., ::-1], image)
    restore_files(tmp_path / "a.png", tmp_path / "a.png", tmp_path / "flash.png", "flash", options={"eps": 1e9})
    assert cv2.imread(str(tmp_path / "flash.png"), cv2.IMREAD_UNCHANGED).std() < image.std() / 2


def adam7(image):
    """A PNG whose seven passes hold ever finer pixels, unfiltered: PNG specification, 8.2."""
    rows = b""
    for y, x, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
        rows += b"".join(b"\0" + row.astype(">u2").tobytes() for row in image[y::dy, x::dx])
    header = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], 16, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_a_guide_may_be_transparent_and_have_16_bits(tmp_path):
    import cv2
    target, guide = write_pair(tmp_path)
    colours = np.asarray(Image.open(guide)).astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), np.dstack([colours[..., ::-1], np.full(colours.shape[:2], 9, np.uint16)]))
    restore_files(target, tmp_path / "deep.png", tmp_path / "deep_out.png")
    restore_files(target, guide, tmp_path / "out.png")
    assert np.abs(np.asarray(Image.open(tmp_path / "deep_out.png")).astype(int) - np.asarray(Image.open(tmp_path / "out.png"))).max() <= 1


def test_a_jpeg_comes_out_as_png_with_its_profile_and_exif(tmp_path):
    _, guide = scene()
    exif = Image.Exif()
    exif[271] = "a maker of cameras"
    Image.fromarray(guide).save(tmp_path / "a.jpg", icc_profile=b"colours" * 20, exif=exif, dpi=(300, 300))
    restore_files(tmp_path / "a.jpg", tmp_path / "a.jpg", tmp_path / "out.png", "multifocus", method="average")
    with Image.open(tmp_path / "out.png") as image:
        assert image.info["icc_profile"] == b"colours" * 20 and image.getexif()[271] == "a maker of cameras"
        assert np.allclose(image.info["dpi"], 300, atol=0.1)


def world(tags, column, row):
    """Coordinates of a place counted in pixels from the upper left corner: GeoTIFF 1.1, Annex B.6."""
    keys = tags[34735]
    kind = next(keys[i + 3] for i in range(4, len(keys), 4) if keys[i] == 1025)
    i, j = (column, row) if kind == 1 else (column - 0.5, row - 0.5)
    if 34264 in tags:
        return (np.array(tags[34264]).reshape(4, 4) @ [i, j, 0, 1])[:2]
    I, J, _, x, y, _ = tags[33922]
    return np.array([x + (i - I) * tags[33550][0], y - (j - J) * tags[33550][1]])


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("transformation", [False, True])
def test_geotiff_lies_where_it_lay(tmp_path, kind, transformation):
    low, guide = scene()
    low[1, 2] = -9999
    place = ([(34264, "d", 16, (20.0, 3, 0, 5e5, 2, -20, 0, 4e6, 0, 0, 0, 0, 0, 0, 0, 1), True)] if transformation else
             [(33550, "d", 3, (20.0, 30.0, 0.0), True), (33922, "d", 6, (2.0, 3.0, 0.0, 5e5, 4e6, 0.0), True)])
    keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, kind, 3072, 0, 1, 32633)
    others = [(34735, "H", len(keys), keys, True), (34737, "s", 0, "WGS 84|", True), (42113, "s", 0, "-9999", True),
              (42112, "s", 0, "<GDALMetadata><Item name='UNIT'>m</Item></GDALMetadata>", True), (34675, "B", 4, b"\1\2\3\4", True),
              (306, "s", 0, "2020:01:02 03:04:05", True), (33432, "s", 0, "somebody", True)]
    tifffile.imwrite(tmp_path / "low.tif", low.astype(np.float32), extratags=place + others, metadata=None, compression="zlib",
                     description="depth in metres", software="sensor 1", resolution=(100, 100), resolutionunit=2)
    Image.fromarray(guide).save(tmp_path / "guide.png")
    restore_files(tmp_path / "low.tif", tmp_path / "guide.png", tmp_path / "out.tif")

    def tags(path):
        with tifffile.TiffFile(path) as file:
            return {tag.code: tag.value for tag in file.pages[0].tags}, file.pages[0].asarray()

    (before, _), (after, array) = tags(tmp_path / "low.tif"), tags(tmp_path / "out.tif")
    for column, row in ((0, 0), (3, 5), (14, 12)):
        assert np.allclose(world(before, column, row), world(after, 4 * column, 4 * row), rtol=0, atol=1e-6)
    storage = {256, 257, 273, 278, 279, 33550, 33922, 34264}                             # size, strips and place
    assert {k: v for k, v in after.items() if k not in storage} == {k: v for k, v in before.items() if k not in storage}
    assert array.dtype == np.float32 and (array[4:8, 8:12] == -9999).all() and (array == -9999).sum() == 16


@pytest.mark.parametrize("options", [{}, {"photometric": "rgb"}, {"tile": (16, 16)}, {"planarconfig": "separate"}, {"byteorder": ">"}])
def test_tiff_of_colours_and_bands_keeps_its_layout(tmp_path, options):
    image = np.random.default_rng(0).integers(0, 4000, (48, 64, 3)).astype(np.uint16)
    stored = image.transpose(2, 0, 1) if "planarconfig" in options else image
    tifffile.imwrite(tmp_path / "a.tif", stored, metadata=None, **{"photometric": "minisblack", "planarconfig": "contig", **options})
    restore_files(tmp_path / "a.tif", tmp_path / "a.tif", tmp_path / "out.tif", "multifocus", method="average")
    with tifffile.TiffFile(tmp_path / "a.tif") as a, tifffile.TiffFile(tmp_path / "out.tif") as b:
        assert np.array_equal(a.asarray(), b.asarray()) and a.byteorder == b.byteorder
        for name in ("photometric", "planarconfig", "is_tiled", "bitspersample", "extrasamples"):
            assert getattr(a.pages[0], name) == getattr(b.pages[0], name), name


def test_a_tiff_that_only_pillow_decodes_is_read_too(tmp_path):
    low, guide = scene()
    Image.fromarray(low.astype(np.float32)).save(tmp_path / "low.tif", compression="tiff_lzw")
    Image.fromarray(guide).save(tmp_path / "guide.png")
    restore_files(tmp_path / "low.tif", tmp_path / "guide.png", tmp_path / "out.tif")
    assert tifffile.imread(tmp_path / "out.tif").shape == (48, 56)


def test_arrays_in_files_come_back_by_their_names(tmp_path):
    low, guide = scene()
    np.save(tmp_path / "a.npy", low)
    np.savez(tmp_path / "a.npz", depth=low, guide=guide)
    scipy.io.savemat(tmp_path / "a.mat", {"depth": low, "guide": guide})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["guide"] = guide
        file.create_dataset("depth", data=low).attrs["unit"] = "mm"
    expected = girlib.restore(low, guide)
    for suffix in ("npz", "mat", "h5"):
        restore_files(f"{tmp_path}/a.{suffix}:depth", f"{tmp_path}/a.{suffix}:guide", tmp_path / f"out.{suffix}")
    restore_files(tmp_path / "a.npy", f"{tmp_path}/a.npz:guide", tmp_path / "out.npy")
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["depth"].attrs["unit"] == "mm"
        found = [file["depth"][()], np.load(tmp_path / "out.npz")["depth"], scipy.io.loadmat(tmp_path / "out.mat")["depth"],
                 np.load(tmp_path / "out.npy")]
    assert all(np.array_equal(array, expected) for array in found)


def write_raw(path, mosaic):
    """The smallest file that LibRaw takes for a camera's: RGGB, white 16383."""
    one = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)
    tifffile.imwrite(path, mosaic, photometric=32803, metadata=None, extratags=[
        (33421, "H", 2, (2, 2), True), (33422, "B", 4, bytes([0, 1, 1, 2]), True), (50706, "B", 4, bytes([1, 4, 0, 0]), True),
        (50721, "2i", 9, one, True), (50717, "I", 1, 16383, True), (271, "s", 0, "maker", True), (272, "s", 0, "model", True)])


def test_a_cameras_raw_file_guides(tmp_path, monkeypatch):
    pytest.importorskip("rawpy", reason="rawpy is not installed, so no raw file can be read.")
    step = np.arange(96) >= 48
    write_raw(tmp_path / "guide.dng", np.tile(np.where(step, 9000, 900), (64, 1)).astype(np.uint16))
    np.save(tmp_path / "low.npy", np.tile(np.where(step[::4], 3.0, 1.0), (16, 1)))
    restore_files(tmp_path / "low.npy", tmp_path / "guide.dng", tmp_path / "out.npy")
    error = np.abs(np.load(tmp_path / "out.npy") - np.where(step, 3.0, 1.0))
    assert error.mean() < 0.7 * np.abs(girlib.restore(np.load(tmp_path / "low.npy"), np.zeros((64, 96)), method="bicubic")
                                       - np.where(step, 3.0, 1.0)).mean()
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(GirlibError, match=r'pip install "girlib\[raw\]"'):
        restore_files(tmp_path / "low.npy", tmp_path / "guide.dng", tmp_path / "out2.npy")


def test_folders_go_on_after_a_damaged_pair_and_name_it(tmp_path, capsys):
    targets, guides, out = (tmp_path / name for name in ("targets", "guides", "out"))
    targets.mkdir(), guides.mkdir()
    target, guide = write_pair(tmp_path)
    for k in range(3):
        (targets / f"{k}.png").write_bytes(target.read_bytes())
        (guides / f"{k}.png").write_bytes(guide.read_bytes())
    (guides / "0.png").write_bytes(guide.read_bytes()[:900])
    (targets / "lonely.png").write_bytes(target.read_bytes())
    with pytest.raises(GirlibError, match=r"2 of 4 pairs were not restored: .*0\.png.*lonely\.png"):
        restore_files(targets, guides, out)
    assert sorted(path.name for path in out.iterdir()) == ["1.png", "2.png"]
    assert capsys.readouterr().out.count("12x14") == 2


def test_the_page_that_compares_needs_nothing_else(tmp_path):
    target, guide = write_pair(tmp_path)
    restore_files(target, guide, tmp_path / "out.png", compare=tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert 'type="range"' in text and text.count("data:image") >= 2 and "http" not in text and "src=\"data:" in text
    assert "color-scheme:light dark" in text and 'content="width=device-width"' in text


# ---------------------------------------------------------------------------------------------------------- wrong input

@pytest.mark.parametrize("arguments, said", [
    ("guide.png low.png -o out.png", "swapped"),
    ("text.png guide.png -o out.png", "can't be decoded"),
    ("absent.png guide.png -o out.png", "not there"),
    ("cut.tif guide.png -o out.tif", "cut.tif"),
    ("low.png folder -o out.png", "no folder"),
    ("folder folder -o out", "holds no image"),
    ("low.png guide.png -o out.tif", "should end in .png"),
    ("low.png guide.png -o folder.png", "is a folder"),
    ("low.png guide.png -o absent/out.png", "make it first"),
    ("low.png guide.png -o low.png", "would be overwritten"),
    ("low.png guide.png -o guide.png", "would be overwritten"),
    ("low.png guide.png -o out.png --compare page.txt", "ends in .html"),
    ("two.npz guide.png -o out.npz", "two.npz:NAME"),
    ("pickle.npy guide.png -o out.npy", "pickle.npy"),
    ("low.png guide.png -o out.png --scale 8", "scale is 8"),
    ("low.png guide.png -o out.png --task fusion", "no task"),
])
def test_wrong_files_get_one_sentence_exit_code_2_and_no_output(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    write_pair(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    tifffile.imwrite(tmp_path / "whole.tif", LOW.astype(np.float32))
    (tmp_path / "cut.tif").write_bytes((tmp_path / "whole.tif").read_bytes()[:200])
    np.savez(tmp_path / "two.npz", a=LOW, b=LOW)
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "folder").mkdir(), (tmp_path / "folder.png").mkdir()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr("sys.argv", ["girlib", "restore", *arguments.split()])
    with pytest.raises(SystemExit) as stopped:
        main()
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and said in error and error.count("\n") == 1 and error.startswith("girlib: ")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("suffix", ["png", "tif", "npy", "npz", "mat", "h5"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, suffix):
    like = pictures.Picture(tmp_path / f"low.{suffix}", LOW, "depth", extra={"attributes": {}} if suffix == "h5" else {})
    if suffix == "tif":
        tifffile.imwrite(like.path, LOW)
        like = pictures.read(like.path)
    place = tmp_path / f"out.{suffix}"
    place.write_bytes(b"what was here before")

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(GirlibError, match="No space left on device"):
        pictures.write(place, LOW.astype(np.uint16), like)
    assert place.read_bytes() == b"what was here before" and len(list(tmp_path.iterdir())) == (2 if suffix == "tif" else 1)


def test_a_disk_that_fills_while_a_file_is_written_leaves_no_half_of_it(tmp_path, monkeypatch):
    def half(path, array):
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("numpy.save", half)
    with pytest.raises(GirlibError, match="No space left on device"):
        pictures.write(tmp_path / "out.npy", LOW, pictures.Picture(tmp_path / "low.npy", LOW))
    assert not list(tmp_path.iterdir())


def test_the_command_restores(tmp_path):
    from typer.testing import CliRunner
    target, guide = write_pair(tmp_path)
    done = CliRunner().invoke(app, ["restore", str(target), str(guide), "-o", str(tmp_path / "out.png"), "--option", "radius=2"])
    assert done.exit_code == 0 and "radius 2" in done.output
    expected = girlib.restore(np.asarray(Image.open(target)), np.asarray(Image.open(guide)), radius=2)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO((tmp_path / "out.png").read_bytes()))), expected)
