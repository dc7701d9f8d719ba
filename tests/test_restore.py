"""girlib.restore and `girlib restore`: what comes in comes out better, of the same kind, with all that the file said about it."""

import errno
import io
import math
import struct
import sys
import zlib

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
import torch
from oracles import guided_filter as guided_filter_by_loops
from PIL import Image

import girlib
from girlib import pictures, restoration, tiles
from girlib.alignment import find_shift
from girlib.cli import app
from girlib.errors import GirlibError
from girlib.networks import create_model
from girlib.restoration_files import restore_files


def scene(h=12, w=14, scale=4, seed=0):
    """(low float64, guide uint8 (H, W, 3)): steps and a slope, which the guide shows too."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h * scale, :w * scale] / scale
    depth = 1000 + 40 * x + 900 * (x > w / 2) + 500 * (y > h / 3)
    guide = np.stack([depth / 12, 255 - depth / 12, 90 + 20 * np.sin(x)], axis=-1) + rng.normal(0, 2, (*depth.shape, 3))
    return depth.reshape(h, scale, w, scale).mean((1, 3)), guide.clip(0, 255).astype(np.uint8)


# ------------------------------------------------------------------------------------------------------------ arrays

def test_the_default_is_the_guided_filter_of_the_enlarged_target():
    low, guide = scene(4, 5)
    enlarged = np.asarray(Image.fromarray(low.astype(np.float32)).resize((20, 16), Image.Resampling.BICUBIC), np.float64)
    expected = guided_filter_by_loops(enlarged[None], guide.transpose(2, 0, 1) / 255, 4, 1e-3)[0].clip(low.min(), low.max())
    assert np.abs(girlib.restore(low, guide) - expected).max() < 1e-3 * np.ptp(low)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float16", "float32", "float64"])
def test_type_layout_and_unit_come_back(dtype):
    low, guide = scene()
    low = (low / 20).astype(dtype)
    for target, size in ((low, (48, 56)), (low[..., None], (48, 56, 1)), (low[None], (1, 48, 56))):
        out = girlib.restore(target, guide)
        assert isinstance(out, np.ndarray) and out.dtype == dtype and out.shape == size
        assert out.min() >= low.min() and out.max() <= low.max() and abs(out.astype(float).mean() - low.astype(float).mean()) < 2


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_tensors_come_back_as_tensors(dtype):
    low, guide = scene()
    low, guide = torch.from_numpy(low / 20).to(dtype), torch.from_numpy(guide).permute(2, 0, 1)
    for target, helper, size in ((low, guide, (48, 56)), (low[None], guide, (1, 48, 56)), (low[None, None], guide[None], (1, 1, 48, 56))):
        out = girlib.restore(target, helper)
        assert out.dtype == dtype and tuple(out.shape) == size


@pytest.mark.parametrize("mode, dtype", [("L", "uint8"), ("I;16", "uint16"), ("I", "int32"), ("F", "float32")])
def test_pictures_of_pillow_come_back_with_what_they_say(mode, dtype):
    low, guide = scene()
    target = Image.fromarray((low / 20).astype(dtype))
    target.info["dpi"] = (72, 72)
    out = girlib.restore(target, Image.fromarray(guide))
    assert target.mode == mode and out.mode == mode and out.size == (56, 48) and out.info["dpi"] == (72, 72)


def test_an_image_of_equal_size_is_filtered_and_fusion_averages():
    _, guide = scene()
    out = girlib.restore(guide, 254 - guide // 2, "multifocus")
    assert np.abs(out - (guide.astype(float) + 254 - guide // 2) / 2).max() < 0.5 + 1e-3                 # halves round either way
    assert girlib.restore(guide, guide, "flash").shape == guide.shape


def test_pansharpening_keeps_bands_and_bits():
    rng = np.random.default_rng(0)
    bands, pan = rng.integers(100, 2000, (8, 16, 16)).astype(np.uint16), rng.integers(100, 2000, (64, 64)).astype(np.uint16)
    out = girlib.restore(bands, pan, "pansharpening")
    assert out.shape == (8, 64, 64) and out.dtype == np.uint16
    assert np.abs(out.mean((1, 2)) - bands.mean((1, 2))).max() < 20


def test_a_method_may_be_a_function_or_a_network():
    low, guide = scene()
    assert np.array_equal(girlib.restore(low, guide, method=lambda sample: sample.target * 0 + 1500), np.full((48, 56), 1500.0))
    torch.manual_seed(0)
    out = girlib.restore(low, guide, method=create_model("svlrm", "depth", width=4, depth=1))
    assert out.shape == (48, 56) and out.min() >= low.min() and out.max() <= low.max()


# ----------------------------------------------------------------------------------------------------- holes and range

@pytest.mark.parametrize("method", ["gf", "jbf", "jbu", "bicubic"])
@pytest.mark.parametrize("mark", [np.nan, np.inf, 0.0, 65535.0])
def test_holes_stay_and_never_spread(mark, method):
    low, guide = scene()
    low[3:5, 4:8] = low[0, 0] = mark
    out = girlib.restore(low, guide, method=method, nodata=65535 if mark == 65535 else None)
    hole = np.kron(low == mark if mark == mark else np.isnan(low), np.ones((4, 4))).astype(bool)
    assert np.array_equal(out[hole], np.full(hole.sum(), mark), equal_nan=True)
    valid = low[~hole[::4, ::4]]
    assert out[~hole].min() >= valid.min() and out[~hole].max() <= valid.max()


def test_holes_are_filled_by_choice_with_what_lies_around_them():
    low, guide = scene(20, 20)
    whole = girlib.restore(low, guide)
    torn = low.copy()
    torn[8:10, 3:6] = np.nan
    out = girlib.restore(torn, guide, fill=True)
    assert np.isfinite(out).all() and np.abs(out - whole).max() < 200                    # steps are 500 and 900
    far = np.ones_like(out, bool)
    far[16:56, 0:40] = False
    assert np.abs(out - whole)[far].max() < 1e-3


def test_a_hole_as_large_as_half_the_image_is_filled_within_the_range():
    low, guide = scene()
    low[:, 7:] = np.nan
    out = girlib.restore(low, guide, fill=True)
    assert np.isfinite(out).all() and out.min() >= np.nanmin(low) and out.max() <= np.nanmax(low)


def test_zero_is_a_measurement_where_depth_is_negative_or_nodata_is_false():
    low, guide = scene()
    low[2, 2] = 0
    assert (girlib.restore(low, guide) == 0).sum() == 16
    assert (girlib.restore(low, guide, nodata=False) == 0).sum() < 16
    assert (girlib.restore(low - 1200, guide) == 0).sum() < 16


def test_a_guide_with_nan_spoils_nothing():
    low, guide = scene()
    guide = guide / 255.0
    guide[10:14, 10:14] = np.nan
    assert np.isfinite(girlib.restore(low, guide)).all()


def test_the_result_stays_in_the_targets_range_where_the_plain_method_leaves_it():
    low, guide = np.where(np.mgrid[:8, :8][1] > 3, 4.0, 0.5), np.zeros((64, 64), np.uint8)
    guide[:, 32:] = 255
    plain = np.asarray(Image.fromarray(low.astype(np.float32)).resize((64, 64), Image.Resampling.BICUBIC))
    out = girlib.restore(low, guide, method="bicubic")
    assert plain.min() < 0.3 and plain.max() > 4.2 and out.min() == 0.5 and out.max() == 4


# --------------------------------------------------------------------------------------------------------------- tiles

@pytest.mark.parametrize("method", ["gf", "jbf", "jbu"])
def test_tiles_equal_the_whole_image(method):
    low, guide = scene(40, 44)
    low[10:14, 20:22] = np.nan
    whole, cut = (girlib.restore(low, guide, method=method, tile=tile) for tile in (0, 64))
    assert np.nanmax(np.abs(whole - cut)) < 1e-5 * np.nanmax(low) and np.isnan(cut).sum() == 128


@pytest.mark.parametrize("name, options, size", [("svlrm", {"width": 4}, (70, 150)), ("fdkn", {}, (120, 200)), ("djf", {}, (64, 140)),
                                                 ("dagf", {"width": 2}, (333, 400))])
def test_tiles_of_a_network_equal_the_whole_image_and_need_their_margin(name, options, size):
    torch.manual_seed(1)
    model = create_model(name, "depth", **options).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() == 1:
                parameter.fill_(0.4)                                # a norm that starts as the identity shall do something
    margin, step = restoration.MARGINS[name]
    images = torch.rand(1, 1, *size), torch.rand(1, 3 if name != "svlrm" else 1, *size)
    tile = 160 if name == "dagf" else 64
    with torch.no_grad():
        whole = model(*images)
        assert (tiles.in_tiles(model, images, tile, margin, step) - whole).abs().max() < 1e-5
        assert (tiles.in_tiles(model, images, tile, 0, step) - whole).abs().max() > 1e-3


@pytest.mark.parametrize("size, tile, margin, step, feather", [((50, 70), 16, 8, 1, 0), ((50, 70), 16, 8, 4, 5), ((33, 20), 32, 4, 2, 4)])
def test_tiles_cover_every_pixel_once(size, tile, margin, step, feather):
    image = torch.rand(2, 3, *size, dtype=torch.float64)
    seen = []
    out = tiles.in_tiles(lambda part: seen.append(part.shape) or part, (image,), tile, margin, step, feather)
    assert (out - image).abs().max() < 1e-12
    assert max(max(shape[-2:]) for shape in seen) <= 2 * math.ceil(tile / step) * step + 2 * math.ceil(margin / step) * step


def test_blended_tiles_of_a_method_that_pools_show_no_seam():
    """Steps across seams are as large as one pixel beside them."""
    image = torch.linspace(0, 1, 160)[None, None, None].expand(1, 1, 16, 160).contiguous()
    pooled = lambda part: part + part.mean()
    hard, soft = (tiles.in_tiles(pooled, (image,), 32, 16, feather=feather)[0, 0, 8].diff() for feather in (0, 12))
    beside = hard[[29, 61, 93]].abs().max()
    assert hard[[31, 63, 95]].abs().max() > 5 * beside
    assert (soft[[31, 63, 95]] / soft[[30, 62, 94]] - 1).abs().max() < 0.01


class Pooling(torch.nn.Module):
    """A network that pads to eights, pools over the whole image, and notes how large the images are that it sees."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def prepare(self, sample):
        pad = [n for side in sample.target.shape[:1:-1] for n in (0, -side % 8)]
        return [torch.nn.functional.pad(image, pad, mode="replicate") for image in (sample.target, sample.guide)]

    def forward(self, target, guide):
        self.seen.append(max(target.shape[-2:]))
        return target + 0.01 * guide.mean(dim=(1, 2, 3), keepdim=True)

    def finish(self, output, sample):
        return output[..., :sample.target.shape[2], :sample.target.shape[3]]


def test_a_network_that_pads_and_pools_goes_in_tiles_too_and_says_so():
    rng = np.random.default_rng(0)
    a, b = rng.random((70, 301, 3)), rng.random((70, 301, 3))
    network = Pooling()
    done = restoration.run(restoration.Image(a, "target"), restoration.Image(b, "guide"), "multifocus", method=network, tile=64)
    assert max(network.seen) <= 2 * 64 + 2 * 64 and len(network.seen) > 3 and "tiles that are blended" in done.did
    assert np.abs(done.planes[0].permute(1, 2, 0).numpy() - np.minimum(a + 0.005, 1)).max() < 1e-3


# --------------------------------------------------------------------------------------------------------------- files

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


def test_a_jpeg_comes_out_as_png_with_its_profile_and_exif(tmp_path):
    _, guide = scene()
    exif = Image.Exif()
    exif[271] = "a maker of cameras"
    Image.fromarray(guide).save(tmp_path / "a.jpg", icc_profile=b"colours" * 20, exif=exif, dpi=(300, 300))
    restore_files(tmp_path / "a.jpg", tmp_path / "a.jpg", tmp_path / "out.png", "multifocus")
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
    restore_files(tmp_path / "a.tif", tmp_path / "a.tif", tmp_path / "out.tif", "multifocus")
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


# ------------------------------------------------------------------------------------------------------------ alignment

def boxes(seed, size=224):
    """A target (H, W) and a guide (H, W, 3) of rectangles, each with its depth and its colour, some hardly different from the next."""
    rng = np.random.default_rng(seed)
    target, guide = np.full((size, size), 5.0), rng.normal(120, 3, (size, size, 3))
    for _ in range(60):
        y, x, h, w = *rng.integers(0, size, 2), *rng.integers(10, 60, 2)
        target[y:y + h, x:x + w] = rng.uniform(1, 5)
        guide[y:y + h, x:x + w] += rng.normal(0, 40, 3)
    return target, guide.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("shift", [(9, -14), (4, 20), (-12, 6)])
def test_a_shifted_pair_is_noticed_and_by_how_much(shift):
    target, guide = boxes(0)
    moved, guide = np.roll(target, shift, (0, 1))[24:-24, 24:-24], guide[24:-24, 24:-24]
    found = find_shift(torch.from_numpy(moved)[None, None], torch.from_numpy(guide).permute(2, 0, 1)[None])
    assert max(abs(a - b) for a, b in zip(found, shift, strict=True)) <= 2
    side, height = "left" if shift[1] < 0 else "right", "above" if shift[0] < 0 else "below"
    with pytest.warns(UserWarning, match=f"about .* pixels {height} and .* pixels {side} of the guide"):
        girlib.restore(moved, guide)


@pytest.mark.parametrize("seed", range(3))
def test_aligned_and_unrelated_pairs_raise_no_warning(seed):
    target, guide = boxes(seed)
    low = target.reshape(56, 4, 56, 4).mean((1, 3))
    for other in (guide, np.random.default_rng(seed).integers(0, 256, guide.shape).astype(np.uint8)):
        girlib.restore(low, other)                                  # warnings are errors here


# ---------------------------------------------------------------------------------------------------------- wrong input

LOW, GUIDE = scene()


@pytest.mark.parametrize("given, said", [
    ((GUIDE, LOW), "swapped"),
    ((GUIDE[..., 0], LOW), "swapped"),
    ((LOW, GUIDE[:, :30]), "proportions"),
    ((LOW, GUIDE, "depht"), "no task 'depht'"),
    ((LOW, GUIDE, "hdr"), "more than two"),
    ((LOW, GUIDE, "flash"), "flash expects one size"),
    ((LOW, GUIDE, "depth", 3), "scale is 3"),
    ((LOW, GUIDE, "depth", True), "scale is True"),
    ((LOW, GUIDE, "depth", 0), "scale is 0"),
    ((GUIDE, GUIDE, "multifocus", 2), "scale is 2"),
    ((LOW, GUIDE, "depth", None, "magic"), "no method 'magic'"),
    ((LOW, GUIDE, "depth", None, "dagf"), "needs weights"),
    ((LOW, GUIDE, "depth", None, "gf", "w.pth"), "no weights"),
    ((LOW, GUIDE, "depth", None, "dagf", "girlib"), "no weights of girlib itself ship yet"),
    ((LOW, GUIDE, "depth", None, "dagf", "absent.pth"), "absent.pth"),
    ((LOW > 0, GUIDE), "bool"),
    ((LOW[:0], GUIDE), "empty"),
    ((LOW[0], GUIDE), "shape"),
    ((LOW.tolist(), GUIDE), "list"),
    ((np.full_like(LOW, np.nan), GUIDE), "only holes"),
    ((LOW, np.full((48, 56), np.nan)), "no finite pixel"),
    ((LOW.astype(complex), GUIDE), "complex"),
    ((np.ma.masked_less(LOW, 1500), GUIDE), "masked"),
])
def test_wrong_arrays_get_one_sentence(given, said):
    with pytest.raises(GirlibError) as error:
        girlib.restore(*given)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("options, said", [({"tile": 10}, "tile is 10"), ({"nodata": "x"}, "nodata is 'x'"), ({"device": "gpu"}, "gpu"),
                                           ({"diameter": 3}, "diameter"), ({"radius": -1}, "radius is -1"),
                                           ({"method": Pooling(), "radius": 3}, "radius was given")])
def test_wrong_options_get_one_sentence(options, said):
    with pytest.raises(GirlibError, match=said):
        girlib.restore(LOW, GUIDE, **options)


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
    from girlib.cli import main
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
