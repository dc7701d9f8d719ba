"""Two or three photographs of one scene. Each reader gives {name: function that reads the capture} and the number of scenes.

Multi-focus       first, second (1, 3, H, W) in [0, 1], in the dataset's order; reference, all in focus, where there is one
Multi-exposure    first = under-exposed, second = over-exposed; reference (SICE)
HDR               under, middle, over in [0, 1] of 16 bits; reference linear; meta exposure_times, relative to the shortest
Flash             noflash, flash; no reference
All pixels are valid; unit "1".
"""

from functools import partial

import numpy as np

from girlib.datasets.files import (
    check_shape,
    decoding,
    find,
    listing,
    match,
    natural,
    need,
    planes,
    read_color,
    read_hdr,
    read_tiff16,
    refuse,
    select,
)
from girlib.samples import Capture

ENDING = r"\.(?:png|jpe?g|tiff?|bmp)"


def _read(name, paths, size=None):
    """8-bit RGB images of one size."""
    images = {role: read_color(path) for role, path in paths.items()}
    _check_sizes(paths, images, size)
    return Capture(name, images)


def _check_sizes(paths, images, size=None):
    first = next(iter(images))
    for role, image in images.items():
        if size:
            check_shape(paths[role], image[0, 0], size)
        if image.shape[-2:] != images[first].shape[-2:]:
            refuse(paths[role], f"is {image.shape[-2]}x{image.shape[-1]} and {paths[first].name} "
                   f"{images[first].shape[-2]}x{images[first].shape[-1]}", "one size")


def _index(pairs, size=None):
    return {key: partial(_read, key, paths, size) for key, paths in pairs}


# ---------------------------------------------------------------------------------------------------------- multi-focus

def real_mff(folder, split, source):
    """710 pairs with reference. The split is by place in the sorted names: 650 train, 60 test; so all have to be there."""
    places = {"first": "imageA", "second": "imageB", "reference": "Fusion"}
    roles = {role: select(listing(need(folder, place)).values(), r"\D*(\d+)\D*" + ENDING) for role, place in places.items()}
    pairs = match(folder, source.layout, **roles)
    if len(pairs) != 710:
        refuse(folder, f"holds {len(pairs)} pairs", "all 710, because the split goes by their order")
    pairs.sort(key=lambda pair: pair[1]["first"].name)                      # as text, as the authors of SFIGF sort
    return _index(pairs[:650] if split == "train" else pairs[650:]), 650 if split == "train" else 60


def lytro(folder, split, source):
    """20 pairs of 520x520 without reference: lytro-NN-A.jpg beside lytro-NN-B.jpg, or lytro_NN.jpg in A/ and in B/."""
    flat = listing(folder).values()
    roles = {role: select(flat, rf"lytro[-_](\d\d)[-_]{side}\.jpg") or select(listing(find(folder, side)).values(), r"lytro[-_](\d\d)\.jpg")
             for role, side in (("first", "A"), ("second", "B"))}
    return _index(match(folder, source.layout, **roles), (520, 520)), 20


def mffw(folder, split, source):
    """19 pairs of various sizes, strong defocus spread; read without the references that a part of them has."""
    flat = listing(folder).values()
    roles = {role: select(flat, rf"(.*?)[-_ ]?[{side}{number}]{ENDING}") or select(listing(find(folder, side)).values(), rf"(.+){ENDING}")
             for role, side, number in (("first", "A", 1), ("second", "B", 2))}
    return _index(match(folder, source.layout, **roles)), 19


def mfi_whu(folder, split, source):
    """120 synthetic pairs with reference."""
    places = {"first": "source_1", "second": "source_2", "reference": "full_clear"}
    roles = {role: select(listing(need(folder, place)).values(), rf"(.+){ENDING}") for role, place in places.items()}
    return _index(match(folder, source.layout, **roles)), 120


# ---------------------------------------------------------------------------------------------------------- multi-exposure

def mefb(folder, split, source):
    """100 pairs of various sizes and formats. What the names do not tell, under or over, the mean brightness decides."""
    under, over = find(folder, "under"), find(folder, "over")
    if under and over:
        sides = ((("first", under, "A")), ("second", over, "B"))
        roles = {role: select(listing(place).values(), rf"(.+?)(?:_{side})?{ENDING}") for role, place, side in sides}
        return _index(match(folder, source.layout, **roles)), 100
    scenes = listing(find(folder, "input") or folder, folders=True)
    if not scenes:
        refuse(folder, "holds no scene", source.layout)
    index = {}
    for place in scenes.values():
        pair = list(select(listing(place).values(), rf"(.+{ENDING})").values())
        if len(pair) != 2:
            refuse(place, f"holds {len(pair)} images", "two, one under- and one over-exposed")
        index[place.name] = partial(_mefb, place.name, *pair)
    return index, 100


def _mefb(name, *pair):
    def said(path):
        return next((place for place, side in enumerate(("A|under", "B|over")) if select([path], rf"(.+)[-_](?:{side}){ENDING}")), 0.5)

    one, other = pair
    how = said if said(one) != said(other) else lambda path: float(read_color(path).mean())
    return _read(name, dict(zip(("first", "second"), sorted(pair, key=how), strict=True)))


def sice(folder, split, source):
    """360 (part 1) and 229 (part 2) sequences of 3 to 18 exposures: the darkest and the brightest, and the reference of that number."""
    top = need(folder, {"part1": "Dataset_Part1", "part2": "Dataset_Part2"}[split])
    label = select(listing(need(top, "Label")).values(), r"(\d+)\.jpe?g")
    scenes = {key: place for key, place in listing(top, folders=True).items() if key.isdigit()}
    pairs = match(top, source.layout, sequence=scenes, reference=label)
    return {key: partial(_sice, key, **paths) for key, paths in pairs}, {"part1": 360, "part2": 229}[split]


def _sice(name, sequence, reference):
    shots = select(listing(sequence).values(), rf"(.+?){ENDING}")
    order = sorted(shots, key=natural)
    if order != [str(n) for n in range(1, len(order) + 1)] or len(order) < 3:
        refuse(sequence, f"holds {len(order)} exposures ({', '.join(order[:4])} ...)", "3 to 18, numbered from 1, dark to bright")
    paths = {"first": shots[order[0]], "second": shots[order[-1]], "reference": reference}
    capture = _read(name, paths)
    if capture.images["first"].mean() >= capture.images["second"].mean():
        refuse(paths["first"], f"is not darker than {paths['second'].name}", "exposures numbered from dark to bright")
    return capture


# ---------------------------------------------------------------------------------------------------------- HDR

def kalantari(folder, split, source):
    """74 training and 15 test scenes of three 16-bit TIFF with motion, their exposures (log2) and the linear truth."""
    top = need(folder, {"train": "Training", "test": "Test"}[split])
    places = {path.parent for path in top.rglob("*") if select([path], r"(exposure\.txt|.+\.tiff?|.+\.hdr)")}
    if not places:
        refuse(top, "holds no scene", source.layout)
    index = {place.name: partial(_kalantari, place.name, place) for place in sorted(places, key=lambda place: natural(place.name))}
    if len(index) < len(places):
        refuse(top, "holds two scenes of one name", "one folder a scene")
    return index, {"train": 74, "test": 15}[split]


def _kalantari(name, place):
    shots = sorted(select(listing(place).values(), r"(.+)\.tiff?").values(), key=lambda path: natural(path.name))
    if len(shots) != 3:
        refuse(place, f"holds {len(shots)} TIFF", "three, from the shortest exposure to the longest")
    text = need(place, "exposure.txt")
    with decoding(text, "three lines of log2 exposure"):
        stops = np.array(text.read_text().split(), float)
    if stops.shape != (3,) or not np.isfinite(stops).all() or (np.diff(stops) <= 0).any():
        refuse(text, f"says {stops.tolist()[:4]}", "three growing exposures (log2), one a line")
    paths = dict(zip(("under", "middle", "over"), shots, strict=True)) | {"reference": need(place, "HDRImg.hdr")}
    images = {role: planes(read_tiff16(path), 65535) for role, path in paths.items() if role != "reference"}
    brightness = [images[role].mean() for role in ("under", "middle", "over")]
    if brightness != sorted(brightness):
        refuse(place, f"holds {', '.join(path.name for path in shots)}, which don't grow brighter", "names in order of exposure")
    images["reference"] = planes(read_hdr(paths["reference"]))
    _check_sizes(paths, images)
    return Capture(name, images, "1", {"exposure_times": tuple(2.0 ** (stops - stops[0]))})


# ---------------------------------------------------------------------------------------------------------- flash

def flash(folder, split, source):
    """Pairs of 8-bit photographs without and with flash, and GDD's pair in the folder gdd beside; no reference."""
    roles = {role: select(listing(folder).values(), rf"(?:(.+?)_)?(?:\d+_)?{role}{ENDING}") for role in ("noflash", "flash")}
    pairs = match(folder, source.layout, **roles)
    gdd = find(folder.parent, "gdd")
    if gdd:
        pairs.append(("gdd", {role: need(gdd, f"im_{role}.jpg") for role in roles}))
    return _index(pairs), None


def deep_red_flash(folder, split, source):
    """The authors' test pairs: noflash linear, demosaiced, 16 bits, without white balance; flash 8-bit RGB under deep-red light;

    reference the 8-bit photograph gt_N.bmp, of all or of none.
    """
    files = listing(folder).values()
    roles = {"noflash": select(files, r"rgb_(\d+)\.tiff?"), "flash": select(files, r"guide_(\d+)\.bmp")}
    truth = select(files, r"gt_(\d+)\.bmp")
    pairs = match(folder, source.layout, **roles, **({"reference": truth} if truth else {}))
    return {key: partial(_deep_red_flash, key, paths) for key, paths in pairs}, None


def _deep_red_flash(name, paths):
    images = {role: planes(read_tiff16(path), 65535) if role == "noflash" else read_color(path) for role, path in paths.items()}
    _check_sizes(paths, images)
    return Capture(name, images, "1", {"linear": ("noflash",)})
