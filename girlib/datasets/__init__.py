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
from girlib.notebook import find_data
from girlib.registry import registry


@dataclass(frozen=True)
class Source:
    """How a dataset is read. What it is called, where it lies and under what terms stands in the registry, for readers and fetch alike.

    tasks    that it serves                         splits   the first is the default
    reader   "module:function" that makes the index, or says why it can't
    layout   what the reader expects inside the folder
    """

    name: str
    tasks: tuple[str, ...]
    splits: tuple[str, ...]
    reader: str
    paper: str
    layout: str

    @property
    def entry(self):
        return registry()[self.name]

    def __str__(self):
        terms = " ".join([f"{self.entry.licence}.", self.entry.terms]).strip()
        return (f"{self.name}: {self.entry.title}\n  for     {', '.join(self.tasks)}; splits {', '.join(self.splits)}\n"
                f"  paper   {self.paper}\n  terms   {terms}\n  layout  {self.entry.folder}/: {self.layout}")


SOURCES = {source.name: source for source in [
    Source("nyu", ("depth",), ("test", "train"), "depth:nyu",
           "Silberman et al., Indoor Segmentation and Support Inference from RGBD Images, ECCV 2012",
           "nyu_depth_v2_labeled.mat; or RGB/{i}.jpg with Depth/{i}.npy; or RGB/{i}.jpg with depth.h5; or the stacked arrays "
           "{train_images_split,train_depth_split,test_images_v2,test_depth,test_minmax}.npy"),
    Source("middlebury", ("depth",), ("test",), "depth:middlebury",
           "Lu et al., Depth Enhancement via Low-rank Matrix Completion, CVPR 2014",
           "Middlebury_NN_output_color.png and Middlebury_NN_output_depth.png, NN = 01..30, side by side or in RGB/ and Depth/"),
    Source("lu", ("depth",), ("test",), "depth:lu",
           "Lu et al., Depth Enhancement via Low-rank Matrix Completion, CVPR 2014",
           "RGBD_NN_ouput_color.png (so spelled) and RGBD_NN_output_depth.png, NN = 01..06, side by side or in RGB/ and Depth/"),
    Source("sintel", ("depth",), ("final", "clean"), "depth:sintel",
           "Butler et al., A Naturalistic Open Source Movie for Optical Flow Evaluation, ECCV 2012",
           "training/{final,clean}/<sequence>/frame_NNNN.png and training/depth/<sequence>/frame_NNNN.dpt"),
    Source("rgbdd", ("depth",), ("test", "train", "lights"), "depth:rgbdd",
           "He et al., Towards Fast and Accurate Real-World Depth Super-Resolution, CVPR 2021",
           "*_RGB.jpg, *_HR_gt.png and *_LR_fill_depth.png, below folders whose names end in train or test, or begin with light"),
    Source("tofmark", ("depth",), ("test",), "depth:tofmark",
           "Ferstl et al., Image Guided Depth Upsampling using Anisotropic Total Generalized Variation, ICCV 2013",
           "Books/, Devil/, Shark/, each with intensity.png, gt.png, depth.png, amplitude.png (names and 16-bit millimetres are ours)"),
    Source("art", ("depth",), ("test",), "depth:art",
           "Ferstl et al., Image Guided Depth Upsampling using Anisotropic Total Generalized Variation, ICCV 2013",
           "reference.png, target.png, confidence.png, ground_truth.png"),
    Source("wv3", ("pansharpening",), ("test", "full", "train", "valid"), "spectral:pancollection",
           "Deng et al., Machine Learning in Pansharpening: A Benchmark, GRSM 2022",
           "training_wv3/{train,valid}_wv3.h5 and test_data/wv3/test_wv3{,_multiExm1,_OrigScale_multiExm1}.h5"),
    Source("worldview3", ("pansharpening",), ("reduced", "full"), "spectral:worldview3",
           "Deng et al., CDIF (reduced); Ciotola et al., Z-PNN (full)",
           "WV3_test.mat (gt, lrms, pan) and WV3_example.mat (I_MS_LR, I_PAN)"),
    Source("worldview2", ("pansharpening",), ("full",), "spectral:worldview2",
           "Vivone et al., A Critical Comparison Among Pansharpening Algorithms, TGRS 2015",
           "imgWV2.mat (I_MS, I_PAN, L, ratio, sensor)"),
    Source("pleiades", ("pansharpening",), ("reduced",), "spectral:pleiades",
           "Deng et al., CDIF",
           "Pleiades_test.mat (gt, lrms, pan)"),
    Source("pan_im4", ("pansharpening",), ("reduced",), "spectral:pan_im4",
           "Uezato et al., Guided Deep Decoder, ECCV 2020",
           "pan_im4.mat (I_MS_GT, I_MS_input, I_PAN_input)"),
    Source("cave", ("hyperspectral",), ("test", "train"), "spectral:cave",
           "Yasuma et al., Generalized Assorted Pixel Camera, TIP 2010",
           "<scene>_ms/<scene>_ms_NN.png, NN = 01..31, at any depth, <scene>_RGB.bmp beside"),
    Source("real_mff", ("multifocus",), ("test", "train"), "fusion:real_mff",
           "Zhang et al., Real-MFF: A Large Realistic Multi-focus Image Dataset with Ground Truth, PRL 2020",
           "imageA/, imageB/ and Fusion/, 710 PNG each, matched in sorted order"),
    Source("lytro", ("multifocus",), ("test",), "fusion:lytro",
           "Nejati et al., Multi-focus Image Fusion using Dictionary-based Sparse Representation, Information Fusion 2015",
           "lytro-NN-A.jpg with lytro-NN-B.jpg; or A/lytro_NN.jpg with B/lytro_NN.jpg"),
    Source("mffw", ("multifocus",), ("test",), "fusion:mffw",
           "Xu et al., MFFW: A New Dataset for Multi-focus Image Fusion, 2020",
           "two files a pair whose names end in A and B (or 1 and 2), side by side or in two folders"),
    Source("mfi_whu", ("multifocus",), ("test",), "fusion:mfi_whu",
           "Zhang et al., MFF-GAN, Information Fusion 2021",
           "source_1/, source_2/ and full_clear/, same names"),
    Source("mefb", ("multiexposure",), ("test",), "fusion:mefb",
           "Zhang, Benchmarking and Comparing Multi-exposure Image Fusion Algorithms, Information Fusion 2021",
           "input/<scene>/ with two files; or under/<scene>_A.* with over/<scene>_B.*"),
    Source("sice", ("multiexposure",), ("part1", "part2"), "fusion:sice",
           "Cai et al., Learning a Deep Single Image Contrast Enhancer from Multi-Exposure Images, TIP 2018",
           "Dataset_Part1/<n>/*.jpg with Dataset_Part1/Label/<n>.jpg; Dataset_Part2 likewise"),
    Source("kalantari", ("hdr",), ("test", "train"), "fusion:kalantari",
           "Kalantari and Ramamoorthi, Deep High Dynamic Range Imaging of Dynamic Scenes, SIGGRAPH 2017",
           "{Training,Test}/<scene>/ with three *.tif, exposure.txt and HDRImg.hdr"),
    Source("flash", ("flash",), ("test",), "fusion:flash",
           "Li et al., Deep Joint Image Filtering, ECCV 2016; Uezato et al., Guided Deep Decoder, ECCV 2020",
           "<name>_NN_flash.jpg with <name>_NN_noflash.jpg; also im_flash.jpg with im_noflash.jpg in the folder gdd beside"),
    Source("sid", ("lowlight_red",), ("test", "train", "valid"), "raw:sid",
           "Chen et al., Learning to See in the Dark, CVPR 2018",
           "Sony/short/*.ARW and Sony/long/*.ARW, with Sony_{train,val,test}_list.txt or sony_scenes.tsv"),
    Source("mcr", ("lowlight_mono",), ("test", "train", "sample"), "raw:mcr",
           "Dong et al., Abandoning the Bayer-Filter to See in the Dark, CVPR 2022",
           "Mono_Colored_RAW_Paired_DATASET/{Color_RAW_Input,Mono_GT,RGB_GT} and the list of the test pictures, the authors' "
           "test_c_path.npy or test_384.txt"),
    Source("deep_red_flash", ("flash",), ("test",), "fusion:deep_red_flash",
           "Xiong et al., Seeing in Extra Darkness Using a Deep-Red Flash, CVPR 2021",
           "rgb_N.tiff (16 bits, linear), guide_N.bmp and gt_N.bmp, side by side"),
    Source("dut_omron", ("saliency",), ("test",), "labels:dut_omron",
           "Yang et al., Saliency Detection via Graph-Based Manifold Ranking, CVPR 2013",
           "DUT-OMRON-image/*.jpg and pixelwiseGT-new-PNG/*.png, same names"),
    Source("voc", ("segmentation",), ("val", "train", "test"), "labels:voc",
           "Everingham et al., The Pascal Visual Object Classes Challenge: A Retrospective, IJCV 2015",
           "VOCdevkit/VOC2012/{JPEGImages,SegmentationClass,ImageSets/Segmentation}"),
]}


class Dataset(Sequence):
    """The scenes of one split: reads a scene when it is asked for, by its number."""

    def __init__(self, source, split, folder, index, expected):
        self.source, self.split, self.folder, self.expected = source, split, folder, expected
        self.names, self._index = list(index), index                    # index: name -> function that reads the Capture

    def __len__(self):
        return len(self.names)

    def __getitem__(self, number):
        return self._index[self.names[number]]()

    def __repr__(self):
        whole = f" of {self.expected}" if self.expected and self.expected != len(self) else ""
        return f"<{self.source.entry.title}, {self.split}: {len(self)}{whole} scenes in {self.folder}>"


def list_datasets(task=None):
    """Names of all datasets, or of those that serve a task."""
    return [name for name, source in SOURCES.items() if task is None or task in source.tasks]


def open_dataset(name, split=None, root=None):
    """The dataset's split (by default its first, `SOURCES[name].splits[0]`) below the folder `root` (by default GIRLIB_DATA)."""
    if name not in SOURCES:
        raise GirlibError(f"open_dataset: there is no dataset {name!r}; choose one of {', '.join(SOURCES)}.")
    source = SOURCES[name]
    split = source.splits[0] if split is None else split
    if split not in source.splits:
        raise GirlibError(f"open_dataset: {name} has no split {split!r}; choose one of {', '.join(source.splits)}.")
    root = find_data(root or "")
    if root is None:
        raise GirlibError("open_dataset: no folder of datasets is known; set GIRLIB_DATA to the folder that holds "
                          f"{source.entry.folder}, or pass root=.")
    from girlib.datasets.files import find
    folder = find(Path(root), source.entry.folder)
    if folder is None:
        raise GirlibError(f"open_dataset: {name} should be in {Path(root) / source.entry.folder}, which is not there; "
                          f"get it with `girlib fetch {name}`.")
    module, function = source.reader.split(":")
    index, expected = getattr(import_module(f"girlib.datasets.{module}"), function)(folder, split, source)
    return Dataset(source, split, folder, index, expected)
