"""Reads single files of public datasets, and refuses in one sentence what is damaged, of another kind, or too large.

Every reader gives a numpy array as the file holds it: no scaling, no change of type. Nothing that a file contains is executed:
object arrays, MATLAB objects, links of HDF5 to other files and Python pickles are refused.
"""

import logging
import re
import warnings
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import numpy as np
import torch

from girlib.errors import GirlibError

MAX_VALUES = 2**28                                  # of one array: nearly four times the largest photograph among the datasets
FORMATS = {".png": ["PNG"], ".jpg": ["JPEG", "MPO"], ".jpeg": ["JPEG", "MPO"], ".tif": ["TIFF"], ".tiff": ["TIFF"], ".bmp": ["BMP"]}
KINDS = {"RGB": "8-bit RGB", "RGBA": "8-bit RGBA", "L": "8-bit grey", "P": "8-bit palette", "I;16": "16-bit grey", "1": "1-bit"}


def refuse(path, found, expected):
    raise GirlibError(f"datasets: {path} {found}; expected {expected}.") from None


def library(name, package=None):
    """An optional library, or the command that installs it."""
    try:
        return import_module(name)
    except ImportError:
        raise GirlibError(f"datasets: this file needs {name}, which is not installed; run `pip install {package or name}`.") from None


@contextmanager
def decoding(path, kind):
    """Turns whatever a decoder says of a damaged file into one sentence; the decoders know a dozen kinds of exception."""
    if not Path(path).is_file():
        refuse(path, "is a folder" if Path(path).is_dir() else "is not there", kind)
    if Path(path).stat().st_size == 0:
        refuse(path, "is empty", kind)
    with _quiet():
        try:
            yield
        except GirlibError:
            raise
        except Exception as error:
            first = error.args[0] if error.args else ""
            text = first.decode("latin-1") if isinstance(first, bytes) else str(error)              # LibRaw speaks in bytes
            said = " ".join(text.split()).replace(str(path), "file").split(". ")[0].rstrip(".")[:100] or type(error).__name__
            refuse(path, f"can't be decoded ({said})", f"{kind}, whole and undamaged")


@contextmanager
def _quiet():
    """Decoders warn and log before they give up; the one sentence is enough."""
    loggers = [logging.getLogger(name) for name in ("PIL", "tifffile")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _start(path, count):
    with open(path, "rb") as file:
        return file.read(count)


def check_size(path, shape):
    """Before anything is decoded: a small file may unfold to more than the memory holds."""
    if np.prod([float(n) for n in shape]) > MAX_VALUES:
        refuse(path, f"would unfold to {'x'.join(map(str, shape))} values", f"at most {MAX_VALUES} in one array")


def check_shape(path, array, size):
    """`size` = (H, W) of an image, as the dataset states it."""
    if tuple(array.shape[:2]) != tuple(size):
        refuse(path, f"is {array.shape[0]}x{array.shape[1]} (height x width)", f"{size[0]}x{size[1]}")


def check_finite(path, array):
    if not np.isfinite(array).all():
        refuse(path, f"holds {int((~np.isfinite(array)).sum())} values that are NaN or infinite", "finite values")


# ---------------------------------------------------------------------------------------------------------- folders

def listing(folder, folders=False):
    """{name in lower case: path} of the files (or folders) in a folder; {} where the folder is absent."""
    if folder is None or not Path(folder).is_dir():
        return {}
    found = {}
    for path in sorted(Path(folder).iterdir()):
        if path.name.startswith(".") or path.is_dir() != folders:
            continue
        if path.name.lower() in found:
            refuse(path, f"differs from {found[path.name.lower()].name} in upper and lower case only", "one of the two")
        found[path.name.lower()] = path
    return found


def find(folder, *names):
    """The first of the names (files or folders, a/b for one inside the other) that a folder has, in any case; None without."""
    for name in names:
        place = Path(folder)
        for part in name.split("/"):
            exact = place / part
            place = exact if exact.exists() else (listing(place) | listing(place, folders=True)).get(part.lower())
            if place is None:
                break
        else:
            return place
    return None


def need(folder, *names):
    """Like find, but its absence is an error."""
    return find(folder, *names) or refuse(Path(folder) / names[0], "is not there", " or ".join(names) + f" in {folder}")


def select(files, pattern):
    """{key: path} of those paths whose name matches the whole pattern, in any case; the key is the pattern's groups, in lower case."""
    chosen = {}
    for path in files:
        match = re.fullmatch(pattern, path.name, re.IGNORECASE)
        if match:
            key = "".join(match.groups(default="")).lower()
            if key in chosen:
                refuse(path, f"and {chosen[key].name} name the same image", "one of the two")
            chosen[key] = path
    return chosen


def match(folder, layout, **roles):
    """[(key, {role: path})] in order of the keys, where every role has every key; a missing partner is an error."""
    if not any(roles.values()):
        refuse(folder, "holds no file of this dataset", layout)
    keys = sorted(set().union(*roles.values()), key=natural)
    for key in keys:
        for role, files in roles.items():
            if key not in files:
                lonely = next(other[key] for other in roles.values() if key in other)
                refuse(lonely, f"has no partner ({role} of {key!r})", layout)
    return [(key, {role: files[key] for role, files in roles.items()}) for key in keys]


def natural(name):
    """Sorts a10 behind a9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


# ---------------------------------------------------------------------------------------------------------- images

def read_image(path, *modes):
    """PNG, JPEG, TIFF or BMP of one of the Pillow modes: (H, W, 3) or (H, W), uint8 or uint16."""
    Image = library("PIL.Image", "pillow")
    expected = " or ".join(KINDS[mode] for mode in modes)
    with decoding(path, f"an {expected} image"):
        formats = FORMATS.get(Path(path).suffix.lower()) or refuse(path, "has an unknown ending", ", ".join(FORMATS))
        with Image.open(path, formats=formats) as image:
            mode = "I;16" if image.mode in ("I;16B", "I") else image.mode
            if image.format == "PNG" and mode == "RGB" and _start(path, 25)[24] == 16:
                refuse(path, "is 16-bit RGB", expected)                     # Pillow would quietly drop the lower 8 bits
            if mode not in modes:
                refuse(path, f"is {KINDS.get(mode, mode)}", expected)
            check_size(path, (image.height, image.width, len(image.getbands())))
            if image.format == "PNG":
                image.verify()                                              # load() does not look at the checksums
        with Image.open(path, formats=formats) as image:
            array = np.asarray(image)
    return array.astype(np.uint16) if mode == "I;16" else array


def read_color(path):
    """(1, 3, H, W) float32 in [0, 1] of an 8-bit RGB image."""
    return planes(read_image(path, "RGB"), 255)


def planes(array, maximum=1):
    """(H, W) or (H, W, C) -> (1, C, H, W) divided by maximum; float64 stays, all else becomes float32."""
    array = np.asarray(array)
    array = array.astype(array.dtype if array.dtype == np.float64 else np.float32)
    array = array[None, None] if array.ndim == 2 else array.transpose(2, 0, 1)[None]
    return torch.from_numpy(np.ascontiguousarray(array)) / maximum


def read_tiff16(path):
    """(H, W, 3) uint16, which Pillow does not read."""
    tifffile = library("tifffile")
    with decoding(path, "a 16-bit RGB TIFF"):
        with tifffile.TiffFile(path) as file:
            check_size(path, file.pages[0].shape)
            array = file.pages[0].asarray()
        if array.dtype != np.uint16 or array.ndim != 3 or array.shape[2] != 3:
            refuse(path, f"is {array.dtype} of shape {array.shape}", "a 16-bit RGB TIFF")
        return array


def read_hdr(path):
    """Radiance RGBE (.hdr): (H, W, 3) float32, linear."""
    kind = "a Radiance .hdr image"
    with decoding(path, kind):
        data = Path(path).read_bytes()
        header = re.match(rb"#\?(?:RADIANCE|RGBE)\n(?:[^\n]*\n)*?\n-Y (\d+) \+X (\d+)\n", data[:4096])
        if not header or b"FORMAT=32-bit_rle_rgbe" not in header.group():
            refuse(path, "has no header of that format with rows from the top", kind)
        height, width = map(int, header.groups())
        check_size(path, (height, width, 4))
        if not 0 < height <= len(data) or not width:                        # a row takes some bytes, however compressed
            refuse(path, f"is truncated or empty ({len(data)} bytes for {height}x{width})", kind)
        rgbe = _decode_rgbe(data, header.end(), height, width)
    return np.where(rgbe[..., 3:] > 0, np.ldexp(rgbe[..., :3].astype(np.float32), rgbe[..., 3:].astype(np.int32) - 136), 0)


def _decode_rgbe(data, at, height, width):
    """Rows of run-length coded planes, or plain pixels where a row does not begin with the mark of coded ones."""
    mark = bytes((2, 2, width >> 8 & 255, width & 255))
    if data[at:at + 4] != mark or not 8 <= width < 32768:
        if len(data) - at != height * width * 4:
            raise ValueError(f"{len(data) - at} bytes of pixels instead of {height * width * 4}")
        return np.frombuffer(data, np.uint8, offset=at).reshape(height, width, 4)
    rows = bytearray()
    for row in range(height):
        if data[at:at + 4] != mark:
            raise ValueError(f"row {row} is damaged")
        at, end = at + 4, len(rows) + 4 * width
        while len(rows) < end:
            count = data[at]
            rows += data[at + 1:at + 2] * (count - 128) if count > 128 else data[at + 1:at + 1 + count]
            at += 2 if count > 128 else count + 1
        if len(rows) > end or at > len(data):
            raise ValueError(f"row {row} is damaged")
    return np.frombuffer(rows, np.uint8).reshape(height, 4, width).transpose(0, 2, 1)


def read_raw(path):
    """A camera's raw file, opened by rawpy: use it in a with statement inside `decoding`."""
    return library("rawpy", '"girlib[raw]"').imread(str(path))


# ---------------------------------------------------------------------------------------------------------- arrays

def open_npy(path, ndim):
    """A numeric .npy array that stays on disk until it is indexed."""
    with decoding(path, f"a numeric .npy array of {ndim} dimensions"):
        if _start(path, 6) != b"\x93NUMPY":
            refuse(path, "is no .npy file", f"a numeric .npy array of {ndim} dimensions")
        array = np.lib.format.open_memmap(path, mode="r")                   # refuses objects and checks the length
        if array.dtype.kind not in "fiu" or array.ndim != ndim:
            refuse(path, f"holds {array.dtype} of shape {array.shape}", f"numbers of {ndim} dimensions")
        return array


def read_dpt(path):
    """Sintel's depth: float32 tag 202021.25, int32 width and height, then float32 rows, all little-endian."""
    kind = "a .dpt file of Sintel"
    with decoding(path, kind):
        data = Path(path).read_bytes()
        if len(data) < 12 or np.frombuffer(data, "<f4", 1)[0] != np.float32(202021.25):
            refuse(path, "does not begin with the tag 202021.25", kind)
        width, height = map(int, np.frombuffer(data, "<i4", 2, offset=4))
        if width < 1 or height < 1 or len(data) != 12 + 4 * width * height:
            refuse(path, f"has {len(data)} bytes for {height}x{width}", "12 + 4 * height * width")
        return np.frombuffer(data, "<f4", offset=12).reshape(height, width).astype(np.float32)


@contextmanager
def open_h5(path):
    h5py = library("h5py")
    with decoding(path, "an HDF5 file"):
        with h5py.File(path, "r") as file:
            yield file


def h5_array(path, file, name):
    """The numeric array `name` of an open HDF5 file, unread; no link and no array leads out of the file."""
    import h5py
    link = file.get(name, getlink=True)
    if link is None:
        refuse(path, f"has no array {name!r} (it has {', '.join(sorted(file)[:8]) or 'nothing'})", f"an array {name!r}")
    array = file[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(array, h5py.Dataset) or array.is_virtual or array.external or array.dtype.kind not in "fiu":
        refuse(path, f"has something else than numbers under {name!r}", "an array of numbers inside the file")
    return array


def read_npz(path, name):
    """One numeric array of an .npz file."""
    with decoding(path, f"an .npz file with the array {name!r}"):
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            if name not in file:
                refuse(path, f"has no array {name!r}", f"an .npz file with the array {name!r}")
            check_size(path, [max(entry.file_size for entry in file.zip.infolist())])
            return file[name]
