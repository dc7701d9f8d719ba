"""Whatever happens to a file of a dataset: one sentence that names it. No other exception, no warning, no output, no silent skip."""

import io
import shutil
import struct
import sys
import zlib
from types import SimpleNamespace

import layouts
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from girlib.datasets import SOURCES, files, open_dataset, raw
from girlib.datasets.mat import read_mat
from girlib.errors import GirlibError

FORMS = [(name, form) for name in SOURCES for form in layouts.FORMS.get(name, (None,)) if form != "labelled"]
UNREAD = ("models_train", "beads", "train_", "/2.JPG")                      # of another split, or between two exposures
OPTIONAL = ("_RGB.bmp", "response.npz")                                     # may be missing, may not be damaged
FREE_NAMES = ("Arno", "Land", "Mask", "Bridge", "Cars")                     # folders where any name will do
IMAGES = (".png", ".jpg", ".tif", ".tiff", ".bmp")
BINARY = (*IMAGES, ".npy", ".npz", ".dpt", ".hdr", ".mat", ".h5")           # a shortened text may still be a text


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """{(name, form): (root, files that matter, scenes to read)}, with the small camera in rawpy's place."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "rawpy", SimpleNamespace(imread=layouts.SmallCamera))
        patch.setattr(raw, "SONY_SIZE", (6, 8))
        for name, form in FORMS:
            root = tmp_path_factory.mktemp(name)
            scenes = list(layouts.write(name, root, form)) or ["10003_00_0.04s", "10003_00_0.1s", "10034_00_0.033s"]
            paths = [path for path in sorted(root.rglob("*")) if path.is_file() and not any(part in str(path) for part in UNREAD)]
            if name == "real_mff":
                scenes, paths = scenes[:1], [path for path in paths if path.stem == scenes[0]]
            found[name, form] = root, paths, scenes
        yield found


def damages(path):
    """The kinds of damage that a file of this ending can take."""
    suffix = path.suffix.lower()
    kinds = ["empty", "overwritten", "a folder"]
    may_go = path.name.endswith(OPTIONAL) or "wv3_data" in path.name        # a single scene that is not there is not missed
    kinds += ["removed"] * (not may_go) + ["renamed"] * (not may_go and path.parent.name not in FREE_NAMES)
    kinds += ["shortened"] * (suffix in BINARY) + ["another mode", "another size"] * (suffix in IMAGES)
    kinds += {".png": ["one byte"], ".npy": ["objects", "not finite"], ".dpt": ["not finite", "zeros", "another size"],
              ".h5": ["objects", "not finite", "another name"], ".mat": ["objects", "not finite", "another name"],
              ".npz": ["objects"], ".hdr": ["another size"]}.get(suffix, [])
    return kinds


def damage(path, kind, where):
    """`where` in [0, 1): the place of the damage."""
    data = bytearray(path.read_bytes())
    if kind == "removed":
        path.unlink()
    elif kind == "renamed":
        path.rename(path.with_name("renamed" + path.suffix))
    elif kind == "a folder":
        path.unlink()
        path.mkdir()
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "overwritten":
        path.write_bytes(bytes(int(255 * where) ^ (37 * i + 1) & 255 for i in range(16)) + data[16:])
    elif kind == "shortened":
        path.write_bytes(data[:int(len(data) * 0.9 * where) + 1])
    elif kind == "one byte":                                                # but for PNG's last chunk, the mark of its end
        data[int(where * (len(data) - 12))] ^= 0x41
        path.write_bytes(data)
    elif path.suffix.lower() in IMAGES:
        _damage_image(path, kind)
    else:
        {".npy": _damage_npy, ".mat": _damage_mat, ".h5": _damage_h5, ".npz": _damage_npz, ".dpt": _damage_dpt,
         ".hdr": _damage_hdr}[path.suffix](path, kind, data)


def _damage_image(path, kind):
    if path.parent.name in ("Bridge", "Cars") or path.suffix == ".tiff":    # 16-bit TIFF
        import tifffile
        array = tifffile.imread(path)
        tifffile.imwrite(path, array[:-1] if kind == "another size" else (array // 256).astype(np.uint8), photometric="rgb")
        return
    with Image.open(path) as image:
        image.load()
        if kind == "another size":
            changed = image.crop((0, 0, image.width, image.height - 1))
        else:
            changed = image.convert("L").convert({".png": "LA", ".bmp": "L"}.get(path.suffix, "CMYK"))
    changed.save(path, format=image.format)


def _damage_npy(path, kind, data):
    array = np.load(path).copy()
    if kind == "objects":
        np.save(path, array.astype(object), allow_pickle=True)
    else:
        array[(0,) * array.ndim] = np.nan if array.dtype.kind == "f" else 0
        np.save(path, array if array.dtype.kind == "f" else array.astype(complex))


def _damage_mat(path, kind, data):
    from scipy.io import loadmat, savemat
    arrays = {name: array for name, array in loadmat(path).items() if name[0] != "_"}
    numbers = [name for name, array in arrays.items() if array.ndim >= 2 and array.size > 9 and array.dtype.kind != "U" and name != "I_MS"]
    name = numbers[0] if numbers else "I_MS"
    if kind == "objects":
        arrays[name] = {"a": 1.0}
    elif kind == "another name":
        arrays["something"] = arrays.pop(name)
        arrays.pop("I_MS", None)
    else:
        arrays[name] = arrays[name].astype(float)
        arrays[name].flat[0] = np.nan
    savemat(path, arrays)


def _damage_h5(path, kind, data):
    import h5py
    with h5py.File(path, "r+") as file:
        name = next(name for name in ("depth", "gt") if name in file)
        if kind == "not finite":
            file[name][0, ..., 0] = np.nan
        else:
            array = file.pop(name)
            file["another" if kind == "another name" else name] = array if kind == "another name" else [b"text"] * 3


def _damage_npz(path, kind, data):
    np.savez(path, R=np.array([[None]]))


def _damage_dpt(path, kind, data):
    if kind == "another size":
        data[4:12] = struct.pack("<ii", 1024, 435)
    else:
        data[12:16] = struct.pack("<f", np.nan if kind == "not finite" else 0)
    path.write_bytes(data)


def _damage_hdr(path, kind, data):
    path.write_bytes(bytes(data).replace(b"-Y 12 ", b"-Y 11 "))


def read(name, root, scenes):
    data = open_dataset(name, root=root)
    assert set(scenes) <= set(data.names), "a scene was left out in silence"
    for scene in scenes:
        data[data.names.index(scene)]


def restore(path, data):
    for other in (path, path.with_name("renamed" + path.suffix)):
        shutil.rmtree(other) if other.is_dir() else other.unlink(missing_ok=True)
    path.write_bytes(data)


def is_one_sentence(text):
    return text.startswith("datasets: ") and text.endswith(".") and "\n" not in text and ". " not in text[:-1]


def test_the_undamaged_files_are_read(shelf):
    for (name, _), (root, _, scenes) in shelf.items():
        read(name, root, scenes)


@settings(max_examples=200, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_file_is_one_sentence_that_names_it(shelf, capfd, data):
    name, form = data.draw(st.sampled_from(FORMS))
    root, paths, scenes = shelf[name, form]
    path = data.draw(st.sampled_from(paths))
    kind = data.draw(st.sampled_from(damages(path)))
    where = data.draw(st.floats(0, 1, exclude_max=True))
    raw._developed.cache_clear()
    whole = path.read_bytes()
    try:
        damage(path, kind, where)
        with pytest.raises(ValueError) as caught:
            read(name, root, scenes)
    finally:
        restore(path, whole)
    said = str(caught.value)
    assert caught.type is GirlibError and is_one_sentence(said), said
    assert str(root) in said
    assert path.name.lower() in said.lower() or kind in ("removed", "renamed", "a folder", "another size", "overwritten"), (kind, said)
    assert capfd.readouterr() == ("", "")


# ---------------------------------------------------------------------------------------------------------- made to harm

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("side", [10000, 30000, 70000])
def test_a_small_image_that_unfolds_to_gigabytes_is_refused(tmp_path, side):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(10**5))) + chunk(b"IEND", b""))
    with pytest.raises(GirlibError, match=r"bomb\.png (would unfold|can't be decoded .*exceeds limit)"):
        files.read_image(tmp_path / "bomb.png", "RGB")


def test_a_small_array_that_unfolds_to_gigabytes_is_refused(tmp_path):
    import h5py
    with h5py.File(tmp_path / "v73.mat", "w", userblock_size=512) as file:
        file.create_dataset("gt", (8, 20000, 20000), "float64", chunks=(1, 100, 100), compression="gzip")
    with open(tmp_path / "v73.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    with pytest.raises(GirlibError, match=r"v73\.mat would unfold to 8x20000x20000 values"):
        read_mat(tmp_path / "v73.mat", ["gt"])
    header = io.BytesIO()
    np.lib.format.write_array_header_2_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)})
    (tmp_path / "a.npy").write_bytes(header.getvalue())
    with pytest.raises(GirlibError, match=r"a\.npy can't be decoded"):
        files.open_npy(tmp_path / "a.npy", 2)


def test_object_arrays_are_refused_and_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    np.save(tmp_path / "a.npy", np.array([[Trap()]]), allow_pickle=True)
    np.savez(tmp_path / "a.npz", R=np.array([[Trap()]]))
    for read_it in (lambda: files.open_npy(tmp_path / "a.npy", 2), lambda: files.read_npz(tmp_path / "a.npz", "R")):
        with pytest.raises(GirlibError, match="(?i)object"):
            read_it()
    assert not (tmp_path / "sprung").exists()


def test_matlab_objects_cells_and_texts_are_refused(tmp_path):
    from scipy.io import savemat
    for value in ({"a": 1.0}, np.array([[1, "a"]], object), "text"):
        savemat(tmp_path / "a.mat", {"gt": value})
        with pytest.raises(GirlibError, match=r"a\.mat holds 'gt' as (struct|cell|char); expected numbers"):
            read_mat(tmp_path / "a.mat", ["gt"])
    # an opaque object of MATLAB: class 17, then the name and two texts
    texts = (b"gt", b"MCOS", b"table")
    parts = b"".join(struct.pack("<ii", 1, len(text)) + text.ljust(8, b"\0") for text in texts)
    matrix = struct.pack("<iiii", 6, 8, 17, 0) + parts
    (tmp_path / "a.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + struct.pack("<ii", 14, len(matrix)) + matrix)
    with pytest.raises(GirlibError, match=r"a\.mat holds 'gt' as opaque; expected numbers"):
        read_mat(tmp_path / "a.mat", ["gt"])


def test_any_bytes_of_a_matlab_file_may_be_wrong(tmp_path):
    """Most faults of values can't be seen; whatever can is one sentence. (This is where scipy's reader crashes.)"""
    from scipy.io import savemat
    rng = np.random.default_rng(0)
    refused = 0
    for compress in (False, True):
        arrays = {"gt": rng.random((5, 6, 2)), "pan": np.arange(30, dtype=np.uint16), "s": "text"}
        savemat(tmp_path / "a.mat", arrays, do_compression=compress)
        whole = (tmp_path / "a.mat").read_bytes()
        for _ in range(400):
            data = bytearray(whole)
            for place in rng.integers(120, min(len(data), 260), 2):
                data[place] = rng.integers(256)
            (tmp_path / "b.mat").write_bytes(data)
            try:
                read_mat(tmp_path / "b.mat", ["gt", "pan"])
            except GirlibError as error:
                assert is_one_sentence(str(error))
                refused += 1
    assert refused > 400


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", ["f8", "f4", "u2", "i1", "u1", "i8", "?"])
def test_matlab_files_are_read_as_scipy_reads_them(tmp_path, dtype, compress):
    from scipy.io import loadmat, savemat
    array = (np.arange(2 * 3 * 4).reshape(2, 3, 4) % 3).astype(dtype)
    savemat(tmp_path / "a.mat", {"x": array, "row": array[:, 0], "one": array[:1, :1, 0], "other": {"a": 1}}, do_compression=compress)
    ours, theirs = read_mat(tmp_path / "a.mat", ["x", "row", "one"]), loadmat(tmp_path / "a.mat")
    assert list(ours) == ["x", "row", "one"]
    for name, value in ours.items():
        assert np.array_equal(value, theirs[name]) and value.dtype == theirs[name].dtype


def test_no_link_of_hdf5_leads_to_another_file(tmp_path):
    import h5py
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["gt"] = np.ones((1, 2))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["link"] = h5py.ExternalLink("secret.h5", "gt")
        file.create_dataset("outside", (1, 2), "float64", external=[(str(tmp_path / "secret.h5"), 0, 16)])
        layout = h5py.VirtualLayout((1, 2), "float64")
        layout[:] = h5py.VirtualSource(tmp_path / "secret.h5", "gt", (1, 2))
        file.create_virtual_dataset("virtual", layout)
        file["soft"] = h5py.SoftLink("/outside")
        file["group/inside"] = 1.0
    with files.open_h5(tmp_path / "a.h5") as file:
        for name in ("link", "outside", "virtual", "soft", "group"):
            with pytest.raises(GirlibError, match="expected an array of numbers inside the file"):
                files.h5_array(tmp_path / "a.h5", file, name)


def test_a_list_can_not_name_files_elsewhere(tmp_path):
    layouts.voc(tmp_path)
    layouts.sid(tmp_path)
    (tmp_path / "voc2012/VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt").write_text("../../../secret\n")
    (tmp_path / "sid/Sony_test_list.txt").write_text("./Sony/short/../../10003_00_0.1s.ARW ./Sony/long/x.ARW\n")
    for name in ("voc", "sid"):
        with pytest.raises(GirlibError, match="(val|Sony_test_list).txt (is no list of names|has the line)"):
            open_dataset(name, root=tmp_path)


def test_16_bit_colour_is_not_quietly_reduced_to_8_bits(tmp_path):
    rows = b"".join(b"\0" + bytes(2 * 3 * 4) for _ in range(4))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    with pytest.raises(GirlibError, match=r"a\.png is 16-bit RGB; expected 8-bit RGB"):
        files.read_image(tmp_path / "a.png", "RGB")


def test_two_names_that_differ_in_case_only_are_refused(tmp_path):
    layouts.lytro(tmp_path)
    folder = tmp_path / "lytro"
    shutil.copy(folder / "lytro-01-A.jpg", folder / "LYTRO-01-A.jpg")
    if len(list(folder.iterdir())) == 5:                                    # a file system that tells them apart
        with pytest.raises(GirlibError, match="differs from .* in upper and lower case only"):
            open_dataset("lytro", root=tmp_path)
