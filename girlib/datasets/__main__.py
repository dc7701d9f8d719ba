"""Prints what plain interpolation scores on the datasets that are here, beside values from elsewhere: `python -m girlib.datasets`.

Depth: the reference is baselines.csv below GIRLIB_DATA where it lies there, and DAGF's Table I. Pan-sharpening: REFERENCE and REDUCED
below, which were computed with scipy and Pillow, apart from this package. A last column that is not zero says that files, readers,
resampling or metrics are not what they were.
"""

import csv
import sys
from functools import partial

from girlib.datasets import open_dataset
from girlib.datasets.files import find
from girlib.errors import GirlibError
from girlib.metrics import ergas, psnr, rmse, sam
from girlib.notebook import find_data
from girlib.resampling import crop_to_multiple, downsample, upsample
from girlib.sensors import wald

SCALES = (4, 8, 16)
DEPTH = [("middlebury", 1, "Middlebury"), ("lu", 1, "Lu"), ("nyu", 100, "NYU8")]               # metres to centimetres
PROTOCOLS = [("bicubic", "A ", 0, "all pixels"), ("bicubic", "A ", 6, "6 pixels cut (SFIGF's meter)"),
             ("nearest-bottomright", "G3 ", 0, "all pixels (DAGF)")]
DAGF_TABLE_1 = {"Middlebury": (4.44, 7.58, 11.87), "Lu": (5.07, 9.22, 14.27)}                  # its rows "Bicubic"
REFERENCE = {                                                      # PSNR, mean of the bands' PSNR, SAM in degrees, ERGAS
    ("worldview3", "exp"): (27.028652, 28.203629, 6.197563, 8.490146),
    ("worldview3", "bicubic"): (26.785319, 27.956123, 6.209169, 8.731633),
    ("worldview3", "bicubic-matlab"): (26.785688, 27.956422, 6.208533, 8.731248),
    ("worldview3", "bicubic-wald"): (26.913555, 28.081602, 6.099564, 8.603496),
    ("worldview3", "bicubic-torch"): (26.889366, 28.061462, 6.131210, 8.627309),
    ("worldview3", "bilinear"): (26.426544, 27.598030, 6.530865, 9.101382),
    ("pleiades", "exp"): (26.578475, 27.877026, 4.665937, 5.736003),
    ("pleiades", "bicubic"): (26.168539, 27.492838, 4.828447, 6.001903),
    ("pan_im4", "exp"): (26.975911, 27.241594, 4.465930, 7.637056),
    ("pan_im4", "bicubic"): (27.446103, 27.705282, 4.057386, 7.244125),
    ("pan_im4", "bicubic-matlab"): (27.447396, 27.706360, 4.057018, 7.243475),
    ("pan_im4", "bicubic-torch"): (27.633204, 27.892002, 4.087015, 7.090570),
}
REDUCED = {                                                        # worldview2 has no reference: its low bands, reduced once more
    ("bicubic-matlab", "bicubic-matlab"): (24.718480, 25.753591, 7.214773, 7.232671),
    ("bicubic-matlab", "exp"): (24.570261, 25.623826, 7.390189, 7.345020),
    ("wald", "exp"): (24.248089, 25.327643, 7.715399, 7.607753),
}


def mean_rmse(data, how, border, scale, factor=1):
    """Mean over images of the RMSE of depth made `scale` times smaller by `how` and enlarged by Pillow's bicubic."""
    errors = []
    for capture in data:
        depth = crop_to_multiple(capture.images["depth"], scale)
        restored = upsample(downsample(depth, scale, how), depth.shape[-2:])
        errors.append(rmse(restored, depth, factor=factor, border=border))
    return sum(errors) / len(errors)


def baselines():
    """{(dataset, first word of the variant, border, scale): mean RMSE} of baselines.csv; {} where it is not."""
    path = find(find_data(), "baselines.csv") if find_data() else None
    if path is None:
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        return {(row["dataset"], row["variant"].split(" ")[0] + " ", int(row["border_crop"]), int(row["scale"])):
                float(row["mean_of_per_image_rmse"]) for row in csv.DictReader(file)}


def enlarged(name, how):
    """(restored, reference) of a pan-sharpening scene by interpolation alone."""
    images = open_dataset(name)[0].images
    return upsample(images["low"], images["reference"].shape[-2:], how), images["reference"]


def reduced_and_enlarged(down, how):
    """The same of worldview2, whose low bands are the reference."""
    bands = open_dataset("worldview2")[0].images["low"]
    low = wald(bands, "worldview2") if down == "wald" else downsample(bands, 4, down)
    return upsample(low, bands.shape[-2:], how), bands


def scores(restored, reference):
    return (psnr(restored, reference, data_range=1), psnr(restored, reference, data_range=1, over="channels"), sam(restored, reference),
            ergas(restored, reference))


def show(label, ours, theirs=None, digits=6):
    numbers = "".join(f"{value:12.6f}" for value in ours)
    beside = "".join(f"{value:12.{digits}f}" for value in theirs) if theirs else f"{'no reference':>36}"
    worst = f"{max(abs(a - b) for a, b in zip(ours, theirs, strict=True)):12.6f}" if theirs else ""
    print(f"{label:54}{numbers} |{beside} |{worst}")


def main():
    known = baselines()
    print(f"Mean RMSE at scales {SCALES}: ours, reference, largest difference\n")
    for name, factor, title in DEPTH:
        try:
            data = open_dataset(name)
        except GirlibError as error:
            print(f"{name}: {error}")
            continue
        print(data)
        data = list(data)
        for how, variant, border, note in PROTOCOLS:
            ours = [mean_rmse(data, how, border, scale, factor) for scale in SCALES]
            keys = [(title, variant, border, scale) for scale in SCALES]
            comparable = all(key in known for key in keys) and (name != "nyu" or len(data) == 8)
            show(f"  {how}, {note}", ours, [known[key] for key in keys] if comparable else None)
            if how == "nearest-bottomright" and title in DAGF_TABLE_1:
                show("    beside DAGF, Table I, Bicubic", ours, DAGF_TABLE_1[title], digits=2)
    print("\nPan-sharpening: PSNR, mean of the bands' PSNR, SAM, ERGAS: ours, reference, largest difference\n")
    scenes = [(f"{name}, {how}", partial(enlarged, name, how), row) for (name, how), row in REFERENCE.items()]
    scenes += [(f"worldview2 reduced by {down}, {how}", partial(reduced_and_enlarged, down, how), row)
               for (down, how), row in REDUCED.items()]
    for label, make, row in scenes:
        try:
            show(f"  {label}", scores(*make()), row)
        except GirlibError as error:
            print(f"  {label}: {error}")


if __name__ == "__main__":
    sys.exit(main())
