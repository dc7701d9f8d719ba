"""Readers of the public datasets, each in its authors' own layout.

    data = open_dataset("middlebury")            # looks below GIRLIB_DATA; only names are read until a scene is asked for
    capture = data[0]                            # girlib.samples.Capture: all images of one scene, and their unit
    len(data), data.names, data.expected         # how many are here, which, and how many the dataset has

A reader refuses what it cannot vouch for in one sentence: a missing partner, another layout, type or size than stated, values
that are no measurement, a truncated file. A folder may hold a part of a dataset; then `expected` is larger than `len(data)`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from girlib.errors import GirlibError


@dataclass(frozen=True)
class Source:
    """What is known of a dataset before it is opened.

    folder   below GIRLIB_DATA              tasks    kinds of task that it serves
    splits   the first is the default       layout   what the reader expects inside the folder
    reader   module and function that make the index, e.g. "depth:middlebury"
    """

    name: str
    title: str
    folder: str
    tasks: tuple[str, ...]
    splits: tuple[str, ...]
    terms: str
    paper: str
    layout: str
    reader: str


SOURCES = {source.name: source for source in [
    Source("nyu", "NYU Depth v2", "nyu_v2", ("depth",), ("test", "train"),
           "open download for research; cite the paper",
           "Silberman et al., Indoor Segmentation and Support Inference from RGBD Images, ECCV 2012",
           "nyu_depth_v2_labeled.mat; or RGB/{i}.jpg with Depth/{i}.npy; or RGB/{i}.jpg with depth.h5; or the stacked arrays "
           "{train_images_split,train_depth_split,test_images_v2,test_depth,test_minmax}.npy",
           "depth:nyu"),
    Source("middlebury", "Middlebury 2001-2006, 30 filled pairs", "middlebury", ("depth",), ("test",),
           "no licence text; cite the Middlebury papers and Lu et al.",
           "Lu et al., Depth Enhancement via Low-rank Matrix Completion, CVPR 2014",
           "Middlebury_NN_output_color.png and Middlebury_NN_output_depth.png, NN = 01..30, side by side or in RGB/ and Depth/",
           "depth:middlebury"),
    Source("lu", "Lu, 6 pairs", "lu", ("depth",), ("test",),
           "no licence text; cite the paper",
           "Lu et al., Depth Enhancement via Low-rank Matrix Completion, CVPR 2014",
           "RGBD_NN_ouput_color.png (so spelled) and RGBD_NN_output_depth.png, NN = 01..06, side by side or in RGB/ and Depth/",
           "depth:lu"),
    Source("sintel", "MPI Sintel with depth", "sintel", ("depth",), ("final", "clean"),
           "open download for research; cite the paper",
           "Butler et al., A Naturalistic Open Source Movie for Optical Flow Evaluation, ECCV 2012",
           "training/{final,clean}/<sequence>/frame_NNNN.png and training/depth/<sequence>/frame_NNNN.dpt",
           "depth:sintel"),
    Source("rgbdd", "RGB-D-D", "rgbdd", ("depth",), ("test", "train", "lights"),
           "signed agreement, academic and non-commercial; shows people, so nothing that ships is trained on it",
           "He et al., Towards Fast and Accurate Real-World Depth Super-Resolution, CVPR 2021",
           "*_RGB.jpg, *_HR_gt.png and *_LR_fill_depth.png, below folders whose names end in train or test, or begin with light",
           "depth:rgbdd"),
    Source("tofmark", "ToFMark", "tofmark", ("depth",), ("test",),
           "open download for research; cite the paper",
           "Ferstl et al., Image Guided Depth Upsampling using Anisotropic Total Generalized Variation, ICCV 2013",
           "Books/, Devil/, Shark/, each with intensity.png, gt.png, depth.png, amplitude.png (names and 16-bit millimetres are ours)",
           "depth:tofmark"),
    Source("art", "Art with simulated time-of-flight noise, x16", "art", ("depth",), ("test",),
           "Middlebury 2005, noise by Ferstl et al.; cite both",
           "Ferstl et al., Image Guided Depth Upsampling using Anisotropic Total Generalized Variation, ICCV 2013",
           "reference.png, target.png, target_lr_68x86.png, confidence.png, ground_truth.png",
           "depth:art"),
    Source("wv3", "PanCollection, WorldView-3", "pancollection", ("pansharpening",), ("test", "full", "train", "valid"),
           "open download; cite the paper",
           "Deng et al., Machine Learning in Pansharpening: A Benchmark, GRSM 2022",
           "training_wv3/{train,valid}_wv3.h5 and test_data/wv3/test_wv3{,_multiExm1,_OrigScale_multiExm1}.h5",
           "spectral:pancollection"),
    Source("worldview3", "one WorldView-3 scene, reduced and full resolution", "worldview3", ("pansharpening",), ("reduced", "full"),
           "from public repositories without licence text; cite the papers",
           "Deng et al., CDIF (reduced); Ciotola et al., Z-PNN (full)",
           "WV3_test.mat (gt, lrms, pan) and WV3_example.mat (I_MS_LR, I_PAN)",
           "spectral:worldview3"),
    Source("worldview2", "one WorldView-2 scene, full resolution", "worldview2", ("pansharpening",), ("full",),
           "from a public repository without licence text; cite the paper",
           "Vivone et al., A Critical Comparison Among Pansharpening Algorithms, TGRS 2015",
           "imgWV2.mat (I_MS, I_PAN, L, ratio, sensor)",
           "spectral:worldview2"),
    Source("pleiades", "one Pleiades scene, reduced resolution, synthetic pan", "pleiades", ("pansharpening",), ("reduced",),
           "from a public repository without licence text; cite the paper",
           "Deng et al., CDIF",
           "Pleiades_test.mat (gt, lrms, pan)",
           "spectral:pleiades"),
    Source("pan_im4", "GDD's WorldView-2 demo", "gdd", ("pansharpening",), ("reduced",),
           "from the authors' repository; cite the paper",
           "Uezato et al., Guided Deep Decoder, ECCV 2020",
           "pan_im4.mat (I_MS_GT, I_MS_input, I_PAN_input)",
           "spectral:pan_im4"),
    Source("cave", "CAVE, 32 scenes of 31 bands", "cave", ("hyperspectral",), ("test", "train"),
           "open download for research; cite the paper",
           "Yasuma et al., Generalized Assorted Pixel Camera, TIP 2010",
           "<scene>_ms/<scene>_ms_NN.png, NN = 01..31, at any depth, <scene>_RGB.bmp beside",
           "spectral:cave"),
    Source("real_mff", "Real-MFF", "realmff", ("multifocus",), ("test", "train"),
           "research use; cite the paper",
           "Zhang et al., Real-MFF: A Large Realistic Multi-focus Image Dataset with Ground Truth, PRL 2020",
           "imageA/, imageB/ and Fusion/, 710 PNG each, matched in sorted order",
           "fusion:real_mff"),
    Source("lytro", "Lytro, 20 pairs", "lytro", ("multifocus",), ("test",),
           "research use; cite the paper",
           "Nejati et al., Multi-focus Image Fusion using Dictionary-based Sparse Representation, Information Fusion 2015",
           "lytro-NN-A.jpg with lytro-NN-B.jpg; or A/lytro_NN.jpg with B/lytro_NN.jpg",
           "fusion:lytro"),
    Source("mffw", "MFFW, 19 pairs", "mffw", ("multifocus",), ("test",),
           "research use; cite the paper",
           "Xu et al., MFFW: A New Dataset for Multi-focus Image Fusion, 2020",
           "two files a pair whose names end in A and B (or 1 and 2), side by side or in two folders",
           "fusion:mffw"),
    Source("mfi_whu", "MFI-WHU, 120 synthetic pairs", "mfi_whu", ("multifocus",), ("test",),
           "research use; cite the paper",
           "Zhang et al., MFF-GAN, Information Fusion 2021",
           "source_1/, source_2/ and full_clear/, same names",
           "fusion:mfi_whu"),
    Source("mefb", "MEFB, 100 pairs", "mef", ("multiexposure",), ("test",),
           "research use; cite the paper and the sources it names",
           "Zhang, Benchmarking and Comparing Multi-exposure Image Fusion Algorithms, Information Fusion 2021",
           "input/<scene>/ with two files; or under/<scene>_A.* with over/<scene>_B.*",
           "fusion:mefb"),
    Source("sice", "SICE", "sice", ("multiexposure",), ("part1", "part2"),
           "research use; cite the paper",
           "Cai et al., Learning a Deep Single Image Contrast Enhancer from Multi-Exposure Images, TIP 2018",
           "Dataset_Part1/<n>/*.jpg with Dataset_Part1/Label/<n>.jpg; Dataset_Part2 likewise",
           "fusion:sice"),
    Source("kalantari", "Kalantari HDR", "kalantari", ("hdr",), ("test", "train"),
           "open download for research; cite the paper",
           "Kalantari and Ramamoorthi, Deep High Dynamic Range Imaging of Dynamic Scenes, SIGGRAPH 2017",
           "{Training,Test}/<scene>/ with three *.tif, exposure.txt and HDRImg.hdr",
           "fusion:kalantari"),
    Source("flash", "flash and no-flash pairs", "flash", ("flash",), ("test",),
           "from the authors' repositories; cite the papers",
           "Li et al., Deep Joint Image Filtering, ECCV 2016; Uezato et al., Guided Deep Decoder, ECCV 2020",
           "<name>_NN_flash.jpg with <name>_NN_noflash.jpg; also im_flash.jpg with im_noflash.jpg in the folder gdd beside",
           "fusion:flash"),
    Source("sid", "See in the Dark, Sony", "sid", ("lowlight_red",), ("test", "train", "valid"),
           "MIT for the code; download once and keep it, as the authors ask",
           "Chen et al., Learning to See in the Dark, CVPR 2018",
           "Sony/short/*.ARW and Sony/long/*.ARW, with Sony_{train,val,test}_list.txt or sony_scenes.tsv",
           "raw:sid"),
    Source("mcr", "Mono-Colored Raw pairs", "mcr", ("lowlight_mono",), ("test", "train", "sample"),
           "CC BY-NC 4.0",
           "Dong et al., Abandoning the Bayer-Filter to See in the Dark, CVPR 2022",
           "Mono_Colored_RAW_Paired_DATASET/{Color_RAW_Input,Mono_GT,RGB_GT} and test_384.txt",
           "raw:mcr"),
    Source("deep_red_flash", "Deep-red flash", "deep_red_flash", ("flash",), ("test",),
           "see the authors' page; no table of the four papers uses it",
           "Xiong et al., Seeing in Extra Darkness Using a Deep-Red Flash, CVPR 2021",
           "rgb_N.tiff (16 bits, linear), guide_N.bmp and gt_N.bmp, side by side",
           "fusion:deep_red_flash"),
    Source("dut_omron", "DUT-OMRON", "dut_omron", ("saliency",), ("test",),
           "research use; cite the paper",
           "Yang et al., Saliency Detection via Graph-Based Manifold Ranking, CVPR 2013",
           "DUT-OMRON-image/*.jpg and pixelwiseGT-new-PNG/*.png, same names",
           "labels:dut_omron"),
    Source("voc", "Pascal VOC 2012", "voc2012", ("segmentation",), ("val", "train", "test"),
           "Flickr terms for the images; cite the challenge",
           "Everingham et al., The Pascal Visual Object Classes Challenge: A Retrospective, IJCV 2015",
           "VOCdevkit/VOC2012/{JPEGImages,SegmentationClass,ImageSets/Segmentation}",
           "labels:voc"),
]}


class Dataset(Sequence):
    """The scenes of one split: reads a scene when it is asked for, by its number."""

    def __init__(self, source, split, folder, index, expected):
        self.source, self.split, self.folder, self.expected = source, split, folder, expected
        self._index = index                                             # name -> function that reads the Capture

    @property
    def names(self):
        return list(self._index)

    def __len__(self):
        return len(self._index)

    def __getitem__(self, number):
        return self._index[self.names[number]]()

    def __repr__(self):
        whole = f" of {self.expected}" if self.expected and self.expected != len(self) else ""
        return f"<{self.source.title}, {self.split}: {len(self)}{whole} scenes in {self.folder}>"


def list_datasets(task=None):
    """Names of all datasets, or of those that serve a task."""
    return [name for name, source in SOURCES.items() if task is None or task in source.tasks]


def open_dataset(name, split=None, root=None):
    """The dataset's split (by default its first, `SOURCES[name].splits[0]`) below the folder `root` (by default GIRLIB_DATA)."""
    from girlib.notebook import find_data
    if name not in SOURCES:
        raise GirlibError(f"open_dataset: there is no dataset {name!r}; choose one of {', '.join(SOURCES)}.")
    source = SOURCES[name]
    split = source.splits[0] if split is None else split
    if split not in source.splits:
        raise GirlibError(f"open_dataset: {name} has no split {split!r}; choose one of {', '.join(source.splits)}.")
    root = find_data(root or "")
    if root is None:
        raise GirlibError("open_dataset: no folder of datasets is known; set GIRLIB_DATA to the folder that holds "
                          f"{source.folder}, or pass root=.")
    from girlib.datasets.files import find
    folder = find(Path(root), source.folder)
    if folder is None:
        raise GirlibError(f"open_dataset: {name} should be in {Path(root) / source.folder}, which is not there; "
                          f"get it with `girlib fetch {name}`.")
    module, function = source.reader.split(":")
    index, expected = getattr(import_module(f"girlib.datasets.{module}"), function)(folder, split, source)
    return Dataset(source, split, folder, index, expected)
