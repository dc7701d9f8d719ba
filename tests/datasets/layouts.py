"""Writes every dataset as its authors lay it out, small: `write(name, root)` gives the images by scene, to compare with what is read.

The values are written here by other means than the readers use wherever another one is at hand.
"""

import struct

import numpy as np
import torch
from PIL import Image


def noise(*shape, seed=0, low=1, high=255, dtype=np.uint8):
    return np.random.default_rng([seed, *shape]).integers(low, high, shape).astype(dtype)


def smooth(height, width, seed=0):
    """RGB of few distinct values, so that large files stay small."""
    return np.tile((np.arange(width) // 8 % 200 + seed + 1).astype(np.uint8)[:, None], (height, 1, 3))


def image(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        options["compress_level"] = 1
    Image.fromarray(array).save(path, **options)
    with Image.open(path) as saved:                                         # JPEG changes what it is given
        return np.asarray(saved).astype(float)


def tiff16(path, array):
    import tifffile
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, array, photometric="rgb")
    return array / 65535


def unit(array):
    return array.astype(float) / 255


# ---------------------------------------------------------------------------------------------------------- depth

def _nyu_pair(seed):
    depth = np.tile(np.linspace(1 + seed, 5, 640, dtype=np.float32), (480, 1))
    return smooth(480, 640, seed=seed), depth


def nyu(root, form="files"):
    folder = root / "nyu_v2"
    folder.mkdir(parents=True)
    scenes = {}
    if form == "labelled":
        return _nyu_labelled(folder)
    if form == "stacked":
        return _nyu_stacked(folder)
    for k, i in enumerate((1000, 1448)):
        color, depth = _nyu_pair(k)
        scenes[str(i)] = {"color": unit(image(folder / f"RGB/{i}.jpg", color)), "depth": depth}
    if form == "files":
        (folder / "Depth").mkdir()
        for i, images in scenes.items():
            np.save(folder / f"Depth/{i}.npy", np.asfortranarray(images["depth"]))
    else:
        import h5py
        with h5py.File(folder / "depth.h5", "w") as file:
            file["index"] = np.array([int(i) for i in scenes], np.int32)
            file.create_dataset("depth", data=np.stack([images["depth"] for images in scenes.values()]), compression="gzip")
    return scenes


def _nyu_labelled(folder):
    """HDF5 with the axes reversed; only the chunks of three images are written, so 3 GB take little room."""
    import h5py
    scenes = {}
    with h5py.File(folder / "nyu_depth_v2_labeled.mat", "w") as file:
        images = file.create_dataset("images", (1449, 3, 640, 480), "uint8", chunks=(1, 3, 640, 480), compression="gzip")
        depths = file.create_dataset("depths", (1449, 640, 480), "float32", chunks=(1, 640, 480), compression="gzip")
        for k, i in enumerate((0, 999, 1000)):
            color, depth = _nyu_pair(k)
            images[i], depths[i] = color.transpose(2, 1, 0), depth.T
            scenes[str(i)] = {"color": unit(color), "depth": depth}
    return scenes


def _nyu_stacked(folder):
    pairs = [_nyu_pair(k) for k in range(2)]
    color, depth = np.stack([c for c, _ in pairs]), np.stack([d for _, d in pairs])
    low, high = (edge(depth, axis=(1, 2)) for edge in (np.min, np.max))
    normal = (depth - low[:, None, None]) / (high - low)[:, None, None]
    for names in (("test_images_v2", "test_depth"), ("train_images_split", "train_depth_split")):
        for name, array in zip(names, (color, normal.astype(np.float32)), strict=True):
            np.save(folder / f"{name}.npy", array)
    np.save(folder / "test_minmax.npy", np.stack([high, low]))
    return {str(1000 + k): {"color": unit(color[k]), "depth": depth[k]} for k in range(2)}


def middlebury(root, form="folders", name="middlebury", stem="Middlebury", out="output", size=(37, 41)):
    scenes, rgb, depth = {}, "", ""
    if form == "folders":
        rgb, depth = "RGB/", "Depth/"
    for k, key in enumerate(("01", "03")):
        scenes[key] = {"color": unit(image(root / f"{name}/{rgb}{stem}_{key}_{out}_color.png", smooth(*size, seed=k))),
                       "depth": image(root / f"{name}/{depth}{stem}_{key}_output_depth.png", smooth(*size, seed=k)[..., 0])}
    return scenes


def lu(root, form="folders"):
    return middlebury(root, form, "lu", "RGBD", "ou" "put", (480, 640))                       # a t is missing, as in the published names


def sintel(root):
    scenes = {}
    for k in (1, 2):
        depth = np.tile(np.linspace(0.5, 900, 1024, dtype=np.float32), (436, 1))
        path = root / f"sintel/training/depth/alley_1/frame_{k:04d}.dpt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(struct.pack("<fii", 202021.25, 1024, 436) + depth.astype("<f4").tobytes())
        color = image(root / f"sintel/training/final/alley_1/frame_{k:04d}.png", smooth(436, 1024, seed=k))
        scenes[f"alley_1/{k:04d}"] = {"color": unit(color), "depth": depth}
    return {key.replace("/", "/frame_"): images for key, images in scenes.items()}


def rgbdd(root):
    scenes = {}
    for place, key in (("models/models_test", "20200518"), ("plants/plants_test", "20200601"), ("models/models_train", "20200519")):
        folder = root / f"rgbdd/{place}/{key}"
        depth, low = (np.tile(np.arange(n, dtype=np.uint16) + 500, (h, 1)) for h, n in ((384, 512), (144, 192)))
        depth[0, :5] = 0
        images = {"color": unit(image(folder / f"{key}_RGB.jpg", smooth(384, 512))),
                  "depth": image(folder / f"{key}_HR_gt.png", depth) / 1000,
                  "low": image(folder / f"{key}_LR_fill_depth.png", low) / 1000, "valid": depth > 0}
        if place.endswith("test"):
            scenes[key] = images
    return scenes


def tofmark(root):
    folder = root / "tofmark/Books"
    truth, low, amplitude = (np.tile(np.arange(n, dtype=np.uint16) + 500, (h, 1)) for h, n in ((610, 810), (120, 160), (120, 160)))
    truth[::2] = 0
    grey = image(folder / "intensity.png", smooth(610, 810)[..., 0])
    return {"books": {"color": unit(np.stack([grey] * 3, -1)), "depth": image(folder / "gt.png", truth) / 1000, "valid": truth > 0,
                      "low": image(folder / "depth.png", low) / 1000, "amplitude": image(folder / "amplitude.png", amplitude) / 65535}}


def art(root):
    from girlib.resampling import upsample
    folder = root / "art"
    low = noise(68, 86, low=20000, high=40000, dtype=np.uint16)
    wide = upsample(torch.from_numpy(low.astype(float))[None, None], (1088, 1376), "bicubic-matlab")[0, 0].round().numpy().astype(np.uint16)
    return {"art": {"color": unit(image(folder / "reference.png", smooth(1088, 1376))),
                    "depth": image(folder / "ground_truth.png", smooth(1088, 1376)[..., 0]),
                    "target": image(folder / "target.png", wide) / 65535 * 255,
                    "confidence": image(folder / "confidence.png", wide) / 65535,
                    "low": low.astype(float) / 65535 * 255}}


# ---------------------------------------------------------------------------------------------------------- spectral

def mat(path, **arrays):
    from scipy.io import savemat
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, arrays)


def _cube(seed, bands, size, maximum, dtype):
    low, pan, reference = (noise(*shape, seed=seed, high=2000, dtype=np.float64)
                           for shape in ((size, size, bands), (4 * size, 4 * size), (4 * size, 4 * size, bands)))
    return [(array if maximum > 1 else array / 2047).astype(dtype) for array in (low, pan, reference)]


def _reduced(root, place, names, bands):
    cube = _cube(1, bands, 4, 1, np.float64)
    mat(root / place, **dict(zip(names, cube, strict=True)), extra="text beside")
    return {place.split("/")[1][:-4]: dict(zip(("low", "pan", "reference"), cube, strict=True))}


def worldview3(root):
    return _reduced(root, "worldview3/WV3_test.mat", ("lrms", "pan", "gt"), 8)


def pleiades(root):
    return _reduced(root, "pleiades/Pleiades_test.mat", ("lrms", "pan", "gt"), 4)


def pan_im4(root):
    return _reduced(root, "gdd/pan_im4.mat", ("I_MS_input", "I_PAN_input", "I_MS_GT"), 8)


def worldview2(root):
    low, pan, _ = _cube(2, 8, 4, 2047, np.uint16)
    mat(root / "worldview2/imgWV2.mat", I_MS=low, I_PAN=pan, L=11.0, ratio=4.0, sensor="WV2")
    return {"imgWV2": {"low": low / 2047, "pan": pan / 2047}}


def wv3(root, form="h5"):
    cubes = [_cube(k, 8, 4, 2047, np.float64) for k in range(2)]
    folder = root / "pancollection/test_data/wv3"
    folder.mkdir(parents=True)
    if form == "h5":
        import h5py
        with h5py.File(folder / "test_wv3_multiExm1.h5", "w") as file:
            for name, arrays in zip(("ms", "pan", "gt"), zip(*cubes, strict=True), strict=True):
                array = np.stack(arrays)
                file[name] = array[:, None] if array.ndim == 3 else array.transpose(0, 3, 1, 2)
            file["lms"] = file["gt"][:]
    else:
        for k, (low, pan, reference) in enumerate(cubes):
            names = ("ms", "pan", "gt") if form == "mat" else ("I_MS_LR", "I_PAN", "I_GT")
            mat(folder / f"Test(HxWxC)_wv3_data{k}.mat", **dict(zip(names, (low, pan, reference), strict=True)), I_MS=reference)
    return {str(k): {"low": low / 2047, "pan": pan / 2047, "reference": reference / 2047} for k, (low, pan, reference) in enumerate(cubes)}


def cave(root):
    """31 bands of seven kinds, since writing takes time; the third scene is not one of the test."""
    scenes = {}
    for scene in ("cd", "watercolors", "beads"):
        folder = root / f"cave/complete_ms_data/{scene}_ms/{scene}_ms"
        bands = []
        for n in range(1, 32):
            path, like = folder / f"{scene}_ms_{n:02d}.png", folder / f"{scene}_ms_{n - 7:02d}.png"
            grey = smooth(512, 512, seed=n)[..., 0]
            if n > 7:
                path.write_bytes(like.read_bytes())
                bands.append(bands[n - 8])
            elif scene == "watercolors":
                bands.append(image(path, np.stack([grey] * 3 + [np.full_like(grey, 255)], -1))[..., 0] / 255)
            else:
                bands.append(image(path, grey.astype(np.uint16) * 257) / 65535)
        color = unit(image(folder / f"{scene}_RGB.bmp", smooth(512, 512)))
        if scene != "beads":
            scenes[scene] = {"bands": np.stack(bands, -1), "color": color}
    response = np.random.default_rng(0).random((31, 3))
    np.savez(root / "cave/response.npz", R=response / response.sum(0), C=np.ones((2, 2)))
    return scenes


# ---------------------------------------------------------------------------------------------------------- fusion

def _group(root, size=(12, 10), **paths):
    return {role: unit(image(root / path, noise(*size, 3, seed=k, low=1 + 60 * k, high=60 + 60 * k)))
            for k, (role, path) in enumerate(paths.items())}


def real_mff(root):
    scenes = {}
    one = {role: noise(6, 8, 3, seed=k) for k, role in enumerate(("first", "second", "reference"))}
    for role, place in (("first", "imageA"), ("second", "imageB"), ("reference", "Fusion")):
        path = root / f"realmff/{place}/001.png"
        image(path, one[role])
        for n in range(2, 711):
            (path.parent / f"{n:03d}.png").write_bytes(path.read_bytes())
    for n in range(651, 711):
        scenes[f"{n:03d}"] = {role: unit(array) for role, array in one.items()}
    return scenes


def lytro(root, form="flat"):
    names = [f"lytro-{{}}-{side}.jpg" if form == "flat" else f"{side}/lytro_{{}}.jpg" for side in "AB"]
    return {key: _group(root / "lytro", (520, 520), first=names[0].format(key), second=names[1].format(key)) for key in ("01", "02")}


def mffw(root, form="flat"):
    names = [f"{{}}_{side}.png" if form == "flat" else f"{side}/{{}}.png" for side in "AB"]
    return {key: _group(root / "mffw", first=names[0].format(key), second=names[1].format(key)) for key in ("1", "2")}


def mfi_whu(root):
    return {key: _group(root / "mfi_whu", first=f"source_1/{key}.jpg", second=f"source_2/{key}.jpg", reference=f"full_clear/{key}.jpg")
            for key in ("1", "2")}


def mefb(root, form="authors"):
    if form != "authors":
        return {key: _group(root / "mef", first=f"under/{key}_A.tif", second=f"over/{key}_B.jpg") for key in ("arno", "land")}
    return {"Arno": _group(root / "mef/input", first="Arno/Arno_A.png", second="Arno/arno3.png"),
            "Land": _group(root / "mef/input", first="Land/9.jpg", second="Land/2.jpg"),              # the names don't tell
            "Mask": _group(root / "mef/input", first="Mask/x.png", second="Mask/mask_over.png")}


def sice(root):
    scenes = {}
    for key in ("1", "12"):
        group = _group(root / "sice/Dataset_Part1", first=f"{key}/1.JPG", middle=f"{key}/2.JPG", second=f"{key}/3.JPG")
        del group["middle"]
        scenes[key] = group | {"reference": unit(image(root / f"sice/Dataset_Part1/Label/{key}.JPG", noise(12, 10, 3)))}
    return scenes


def rgbe(path, array):
    """Run-length coded Radiance file of integers 1..255 with the exponent of 1/256; plain runs of at most 128 bytes."""
    height, width, _ = array.shape
    data = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n" + f"-Y {height} +X {width}\n".encode()
    for row in array:
        data += bytes((2, 2, width >> 8, width & 255))
        for plane in (*row.T, None):
            data += bytes((128 + width, 128)) if plane is None else bytes((width, *plane))
    path.write_bytes(data)
    return array / 256.0


def kalantari(root):
    scenes = {}
    for key in ("Bridge", "Cars"):
        folder = root / f"kalantari/Test/PAPER/{key}"
        images = {role: tiff16(folder / f"2{k}.tif", noise(12, 10, 3, seed=k, low=9 + k * 9999, high=9999 * (k + 1), dtype=np.uint16))
                  for k, role in enumerate(("under", "middle", "over"))}
        (folder / "exposure.txt").write_text("-2.00\n0.00\n2.00\n")
        scenes[key.lower()] = images | {"reference": rgbe(folder / "HDRImg.hdr", noise(12, 10, 3, low=128))}
    return {key.capitalize(): images for key, images in scenes.items()}


def flash(root):
    _group(root, noflash="gdd/im_noflash.jpg", flash="gdd/im_flash.jpg")
    scenes = {"carpet": _group(root / "flash", noflash="carpet_01_noflash.jpg", flash="carpet_00_flash.jpg")}
    return scenes | {"gdd": _group(root, noflash="gdd/im_noflash.jpg", flash="gdd/im_flash.jpg")}


def deep_red_flash(root):
    folder = root / "deep_red_flash"
    return {key: {"noflash": tiff16(folder / f"rgb_{key}.tiff", noise(12, 10, 3, high=65535, dtype=np.uint16)),
                  "flash": unit(image(folder / f"guide_{key}.bmp", noise(12, 10, 3, seed=1))),
                  "reference": unit(image(folder / f"gt_{key}.bmp", noise(12, 10, 3, seed=2)))} for key in ("3", "4")}


# ---------------------------------------------------------------------------------------------------------- raw, labels

class SmallCamera:
    """What rawpy.imread gives, of 6 x 8 pixels; brighter for longer exposures. Opens only files that begin as the fixture's do."""

    color_desc, raw_pattern, camera_whitebalance = b"RGBG", np.array([[0, 1], [3, 2]]), [2048.0, 1024.0, 1536.0, 0.0]

    def __init__(self, path):
        if not open(path, "rb").read().startswith(b"ARW 1"):
            raise RuntimeError("Unsupported file format")
        self.seconds = float(path.rsplit("_", 1)[1].removesuffix("s.ARW"))
        self.raw_image_visible = (420 + 1500 * self.seconds + np.arange(48).reshape(6, 8)).astype(np.uint16)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def postprocess(self, use_camera_wb, half_size, no_auto_bright, output_bps):
        assert (use_camera_wb, half_size, no_auto_bright, output_bps) == (True, False, True, 16)
        return np.full((6, 8, 3), round(6000 * self.seconds), np.uint16)


def dng(path, mosaic):
    """The smallest file that a real rawpy takes for a camera's: RGGB, black 512, white 16383."""
    import tifffile
    ones = (1, 1)
    identity = (*ones, 0, 1, 0, 1, 0, 1, *ones, 0, 1, 0, 1, 0, 1, *ones)
    tags = [(50706, "B", 4, bytes((1, 4, 0, 0))), (50708, "s", 0, "Test"), (33421, "H", 2, (2, 2)), (33422, "B", 4, bytes((0, 1, 1, 2))),
            (50714, "H", 1, 512), (50717, "H", 1, 16383), (50721, "2i", 9, identity), (50778, "H", 1, 21),
            (50728, "2I", 3, (1, 2, *ones, 1, 2))]
    tifffile.imwrite(path, mosaic, photometric=32803, extratags=[(*tag, True) for tag in tags])


def sid(root):
    """The camera's files hold nothing here: SmallCamera makes the picture from the name."""
    lines = []
    for name in ("10003_00_0.04s", "10003_00_0.1s", "10034_00_0.033s"):
        long = f"{name[:5]}_00_10s"
        for place, file in (("short", name), ("long", long)):
            path = root / f"sid/Sony/{place}/{file}.ARW"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"ARW " + file.encode())
        lines.append(f"./Sony/short/{name}.ARW ./Sony/long/{long}.ARW ISO200 F9")
    (root / "sid/Sony_test_list.txt").write_text("\n".join(lines) + "\n")
    return {}


def mcr(root):
    folder = root / "mcr/Mono_Colored_RAW_Paired_DATASET"
    end = "_48mp_0x8_0x"
    color, mono = (smooth(1024, 1280, seed=k)[..., 0] for k in range(2))
    scenes = {}
    reference = unit(image(folder / f"RGB_GT/C00012{end}2fff.jpg", smooth(1024, 1280)))
    image(folder / f"Mono_GT/M_Align_12{end}2fff.tif", mono)
    for shutter in ("007f", "2fff"):
        image(folder / f"Color_RAW_Input/C00012{end}{shutter}.tif", color)
        scenes[f"C00012{end}{shutter}"] = {"raw": unit(color), "mono": unit(mono), "long_raw": unit(color), "reference": reference}
    tested = [f"C00012{end}007f.tif"] + [f"C{n:05d}{end}00ff.tif" for n in range(20, 403)]
    (root / "mcr/test_384.txt").write_text("\n".join(tested))
    del scenes[f"C00012{end}2fff"]
    return scenes


def dut_omron(root):
    return {key: {"color": unit(image(root / f"dut_omron/DUT-OMRON-image/{key}.jpg", noise(12, 10, 3))),
                  "saliency": unit(image(root / f"dut_omron/pixelwiseGT-new-PNG/{key}.png", noise(12, 10) // 128 * 255))}
            for key in ("sun_aaa", "sun_bbb")}


def voc(root):
    folder = root / "voc2012/VOCdevkit/VOC2012"
    scenes = {}
    for key in ("2007_000033", "2007_000042"):
        labels = noise(12, 10, high=22) - 1
        labels[0] = 255
        color = unit(image(folder / f"JPEGImages/{key}.jpg", noise(12, 10, 3)))
        palette = Image.fromarray(labels).convert("P")
        palette.putpalette(list(range(256)) * 3)
        (folder / "SegmentationClass").mkdir(exist_ok=True)
        palette.save(folder / f"SegmentationClass/{key}.png")
        scenes[key] = {"color": color, "labels": labels}
    (folder / "ImageSets/Segmentation").mkdir(parents=True)
    (folder / "ImageSets/Segmentation/val.txt").write_text("\n".join(scenes) + "\n")
    return scenes


FORMS = {"nyu": ("files", "h5", "labelled", "stacked"), "middlebury": ("folders", "flat"), "lu": ("folders", "flat"),
         "wv3": ("h5", "mat", "old names"), "lytro": ("flat", "folders"), "mffw": ("flat", "folders"), "mefb": ("authors", "folders")}


def write(name, root, form=None):
    return globals()[name](root, form) if form else globals()[name](root)
