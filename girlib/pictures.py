"""Image files with all that they say about their pixels: read, and written again with other pixels.

Kept       of a target, in the restored file: type and layout of the numbers; PNG: resolution, colour profile, gamma, EXIF, texts;
           JPEG, which comes out as PNG: the first, second and fourth of these;
           TIFF: every tag that doesn't describe the storage, so georeference, nodata value, colour profile, units, texts too;
           HDF5: the attributes of the array. Where the image is enlarged, the georeference is made to fit
Not kept   EXIF and GPS folders of a TIFF, overviews, and the compression where only Pillow reads it
Arrays     of a file that holds several are named after a colon: scene.npz:depth, scene.mat:depth, scene.h5:depth
Safety     as in girlib.datasets.files: nothing in a file is executed, and damage is one sentence. Files are written beside the place
           and moved there when they are whole
"""

import os
import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np

from girlib.datasets.files import check_size, decoding, h5_array, library, open_h5, read_image, read_npz, read_raw, refuse
from girlib.datasets.mat import read_mat
from girlib.errors import GirlibError

PHOTOS, TIFFS, HDF5 = (".png", ".jpg", ".jpeg", ".bmp"), (".tif", ".tiff"), (".h5", ".hdf5")
ARCHIVES, RAW = (".npz", ".mat", *HDF5), (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw")
SUFFIXES = (*PHOTOS, *TIFFS, ".npy", *ARCHIVES, *RAW)
SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT_CHUNKS = (b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"pHYs", b"tIME", b"tEXt", b"zTXt", b"iTXt", b"eXIf")
# tags of TIFF that describe the storage, or point to places in the file
STORAGE = {254, 255, 256, 257, 258, 259, 262, 266, 270, 273, 277, 278, 279, 282, 283, 284, 296, 305, 317, 320, 322, 323, 324, 325, 330,
           338, 339, 347, 530, 531, 532, 34665, 34853, 40965}
PIXEL_SCALE, TIEPOINTS, TRANSFORMATION, GEO_KEYS, NODATA = 33550, 33922, 34264, 34735, 42113
POINT = (1025, 0, 1, 2)                                             # the key that says: coordinates belong to pixels' centres


@dataclass(frozen=True)
class Picture:
    """array (H, W), (H, W, C) or (C, H, W) as the file holds it, and what is needed to write its like."""

    path: Path
    array: np.ndarray
    name: str = ""                                                  # of the array in its file
    nodata: float | None = None                                     # the value that stands for no measurement, as the file says
    extra: dict = field(default_factory=dict)


def split(path):
    """"scene.npz:depth" -> (Path("scene.npz"), "depth"); a file that is there by its whole name is taken so."""
    text = str(path)
    head, colon, name = text.rpartition(":")
    if colon and not Path(text).exists() and Path(head).suffix.lower() in ARCHIVES:
        return Path(head), name
    return Path(text), ""


def read(path):
    """A picture from a file, by its ending."""
    path, name = split(path)
    suffix = path.suffix.lower()
    try:
        if path.is_dir():
            refuse(path, "is a folder", "a file (or two folders)")
        if suffix in PHOTOS:
            array = read_png16(path) if suffix == ".png" and has_16_bit_colours(path) else read_image(path, "RGB", "L", "I;16", "RGBA")
            return Picture(path, array, extra={"chunks": chunks(path)} if suffix == ".png" else {"info": info(path)})
        if suffix in TIFFS:
            return read_tiff(path)
        if suffix in RAW:
            return Picture(path, develop(path))
        if suffix == ".npy":
            return Picture(path, read_npy(path))
        if suffix in ARCHIVES:
            return read_archive(path, name, suffix)
        refuse(path, "has an unknown ending", ", ".join(SUFFIXES))
    except GirlibError as error:
        raise GirlibError(str(error).replace("datasets: ", "restore: ", 1)) from None


def write(path, array, like, enlarged=(1, 1)):
    """An array in the manner of the picture it was made from; enlarged = (rows, columns), how many times."""
    path = Path(path)
    suffix = path.suffix.lower()
    with replacing(path) as part:
        if suffix in PHOTOS:
            part.write_bytes(png(array, **like.extra))
        elif suffix in TIFFS:
            write_tiff(part, array, like.extra, enlarged)
        elif suffix == ".npy":
            np.save(part, array)
        elif suffix == ".npz":
            np.savez_compressed(part, **{like.name: array})
        elif suffix == ".mat":
            library("scipy.io", "scipy").savemat(part, {like.name: array}, do_compression=True)
        else:
            with library("h5py").File(part, "w") as file:
                file.create_dataset(like.name, data=array, compression="gzip").attrs.update(like.extra["attributes"])


@contextmanager
def replacing(path):
    """A path to write to, beside the final one, which it replaces when it is whole; a full disk is one sentence."""
    path = Path(path)
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise GirlibError(f"restore: {path} can't be written ({error.strerror or error}); make room, or choose another place.") from None
    finally:
        part.unlink(missing_ok=True)


# ------------------------------------------------------------------------------------------------------------- PNG

def chunks(path):
    """What a PNG says beside its pixels: [(name, data)]."""
    data = Path(path).read_bytes()
    found, at = [], 8
    while at + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        if name in KEPT_CHUNKS:
            found.append(data[at:at + 12 + length])                 # length, name, data, checksum
        at += 12 + length
    return found


def info(path):
    """What a JPEG says beside its pixels, as far as a PNG can say it."""
    with library("PIL.Image", "pillow").open(path) as image:
        return {name: image.info[name] for name in ("icc_profile", "exif", "dpi") if name in image.info}


def has_16_bit_colours(path):
    """Of a PNG: 16 bits, and colour type 2 (RGB) or 6 (with transparency)."""
    if not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        start = file.read(26)
    return start[:16] == SIGNATURE + b"\0\0\0\rIHDR" and start[24:] in (b"\x10\2", b"\x10\6")


def read_png16(path):
    """(H, W, 3 or 4) uint16. Pillow keeps 8 bits of 16: asked for big-endian numbers the upper ones, for little-endian the lower."""
    Image, halves = library("PIL.Image", "pillow"), []
    with decoding(path, "a 16-bit colour PNG"):
        with Image.open(path, formats=["PNG"]) as image:
            check_size(path, (image.height, image.width, len(image.getbands())))
            image.verify()                                          # load() does not look at the checksums
        for order in "BL":
            with Image.open(path, formats=["PNG"]) as image:
                image.tile = [tile._replace(args=f"{image.mode};16{order}") for tile in image.tile]
                halves.append(np.asarray(image).astype(np.uint16))
    return halves[0] << 8 | halves[1]


def png16(array, chunks=()):
    """A PNG file of (H, W, 3 or 4) uint16, which Pillow doesn't write: each row as its difference from the one above."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    H, W, C = array.shape
    rows = np.zeros((H, 1 + 2 * W * C), np.uint8)
    rows[:, 0] = 2                                                  # the filter "Up" of each row
    rows[:, 1:] = np.ascontiguousarray(array.astype(">u2")).view(np.uint8).reshape(H, -1)
    rows[1:, 1:] -= rows[:-1, 1:].copy()
    header = struct.pack(">IIBBBBB", W, H, 16, {3: 2, 4: 6}[C], 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def png(array, chunks=(), info=None):
    if array.ndim == 3 and array.dtype == np.uint16:
        return png16(array, chunks)
    buffer = BytesIO()
    library("PIL.Image", "pillow").fromarray(np.ascontiguousarray(array)).save(buffer, "PNG", **(info or {}))
    data = buffer.getvalue()
    header = 8 + 12 + 13                                            # signature and IHDR
    return data[:header] + b"".join(chunks) + data[header:]


# ------------------------------------------------------------------------------------------------------------ TIFF

def read_tiff(path):
    tifffile = library("tifffile")
    with decoding(path, "a TIFF image"):
        with tifffile.TiffFile(path) as file:
            pages = [page for page in file.pages if not page.is_reduced and not page.is_mask]
            if len(pages) != 1:
                refuse(path, f"holds {len(pages)} images", "one")
            page = pages[0]
            check_size(path, page.shape)
            if page.photometric.name not in ("MINISBLACK", "RGB"):
                refuse(path, f"is {page.photometric.name.lower()}", "grey, colour or bands")
            try:
                array = page.asarray()
            except ValueError as error:
                if "imagecodecs" not in str(error):
                    raise
                array = read_by_pillow(path, page)
            separate = page.planarconfig == 2 and array.ndim == 3
            kept = [(tag.code, int(tag.dtype), tag.count, tag.value, True) for tag in page.tags if tag.code not in STORAGE]
            values = {tag.code: tag.value for tag in page.tags}
            extra = {
                "tags": kept, "photometric": page.photometric.name.lower(), "planarconfig": "separate" if separate else "contig",
                "compression": None if page.compression == 1 else "zlib", "predictor": page.predictor != 1 and array.dtype.kind in "ui",
                "tile": (page.tilelength, page.tilewidth) if page.is_tiled else None,
                "extrasamples": [int(entry) for entry in page.extrasamples] or None, "byteorder": file.byteorder,
                "description": values.get(270), "software": values.get(305, False),
                "resolution": (values[282], values[283]) if {282, 283} <= values.keys() else None, "resolutionunit": values.get(296),
            }
    try:
        nodata = float(str(values[NODATA]).strip("\0 ")) if NODATA in values else None
    except ValueError:
        refuse(path, f"has the nodata value {values[NODATA]!r}", "a number")
    return Picture(path, array, nodata=nodata, extra=extra)


def read_by_pillow(path, page):
    """Compressions that tifffile reads only with another library."""
    with library("PIL.Image", "pillow").open(path, formats=["TIFF"]) as image:
        array = np.asarray(image)
    if array.shape != page.shape or array.dtype.newbyteorder("=") != page.dtype.newbyteorder("="):
        raise ValueError(f"its compression {page.compression.name} needs imagecodecs: pip install imagecodecs")
    return array


def write_tiff(path, array, extra, enlarged):
    options = {name: extra[name] for name in ("photometric", "planarconfig", "compression", "tile", "extrasamples", "byteorder",
                                              "description", "software", "resolution", "resolutionunit")}
    if array.ndim == 2:
        del options["planarconfig"]
    library("tifffile").imwrite(path, array, metadata=None, extratags=placed(extra["tags"], *enlarged),
                                predictor=bool(extra["predictor"] and extra["compression"]), **options)


def placed(tags, rows, columns):
    """The tags, with a georeference that fits an image of so many times more rows and columns: GeoTIFF 1.1, Annex B.6."""
    keys = next((tag[3] for tag in tags if tag[0] == GEO_KEYS), ())
    shift = 0.5 if POINT in [tuple(keys[i:i + 4]) for i in range(4, len(keys), 4)] else 0
    new = []
    for code, dtype, count, value, once in tags:
        if code == PIXEL_SCALE:                                     # of x, y, z
            value = (value[0] / columns, value[1] / rows, *value[2:])
        elif code == TIEPOINTS:                                     # (column, row, height, x, y, z), again and again
            value = tuple((number + shift) * (columns, rows)[i % 6] - shift if i % 6 < 2 else number for i, number in enumerate(value))
        elif code == TRANSFORMATION:                                # 4 x 4, column and row -> x and y
            m = np.array(value, float).reshape(4, 4)
            m[:, 3] += shift * (m[:, 0] * (1 / columns - 1) + m[:, 1] * (1 / rows - 1))
            m[:, 0], m[:, 1] = m[:, 0] / columns, m[:, 1] / rows
            value = tuple(m.ravel())
        new.append((code, dtype, count, value, once))
    return new


# ------------------------------------------------------------------------------------------------- arrays and raw files

def read_npy(path):
    with decoding(path, "a numeric .npy array"):
        array = np.load(path, allow_pickle=False)
        check_size(path, array.shape)
        return array


def read_archive(path, name, suffix):
    """One array of an .npz, MATLAB or HDF5 file: the one that is named, or the only one."""
    extra = {}
    if suffix == ".npz":
        with decoding(path, "an .npz file"), np.load(path, allow_pickle=False) as file:
            name = name or the_only(path, file.files)
        array = read_npz(path, name)
    elif suffix == ".mat" and path.is_file() and path.read_bytes()[:10] != b"MATLAB 7.3":
        if not name:
            refuse(path, "holds named arrays", f"the name of one, {path.name}:NAME")
        array = read_mat(path, [name]).get(name)
        if array is None:
            refuse(path, f"has no array {name!r}", "the name of one that it has")
    else:
        with open_h5(path) as file:
            name = name or the_only(path, list(file))
            stored = h5_array(path, file, name)
            check_size(path, stored.shape)
            array = stored[()].T if suffix == ".mat" else stored[()]
            extra["attributes"] = {key: value for key, value in stored.attrs.items() if np.asarray(value).dtype.kind in "fiuU"}
    return Picture(path, array, name, extra=extra)


def the_only(path, names):
    if len(names) != 1:
        refuse(path, f"holds {len(names)} arrays ({', '.join(sorted(names)[:8])})", f"the name of one, {path.name}:NAME")
    return names[0]


def develop(path):
    """A camera's raw file as a 16-bit photograph, by its own white balance, nothing brightened."""
    with decoding(path, "a camera's raw file"), read_raw(path) as raw:
        return raw.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16)
