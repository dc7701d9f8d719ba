"""Every reader reads what was written in its authors' layout, in every published form, and gives it in the unit that it states."""

import copy
import pickle
import shutil
import sys
from types import SimpleNamespace

import layouts
import numpy as np
import pytest
import torch

from girlib.datasets import SOURCES, list_datasets, open_dataset, raw
from girlib.errors import GirlibError

CASES = [(name, form) for name in SOURCES if name != "sid" for form in layouts.FORMS.get(name, (None,))]


def same(tensor, array):
    """(1, C, H, W) holds an array (H, W) or (H, W, C), to the accuracy of float32."""
    array = np.asarray(array, float)
    array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return tensor.shape == (1, *array.shape) and np.allclose(tensor[0].double().numpy(), array, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name, form", CASES)
def test_reads_the_layout_of_the_authors(tmp_path, name, form):
    written = layouts.write(name, tmp_path, form)
    data = open_dataset(name, root=tmp_path)
    wanted = {key: images for key, images in written.items() if key in data.names}
    assert wanted and (data.names == list(wanted) or form == "labelled")
    for key, images in wanted.items():
        capture = data[data.names.index(key)]
        assert capture.name == key and capture.images.keys() == images.keys()
        for role in images:
            assert same(capture.images[role], images[role]), (key, role)


@pytest.mark.parametrize("name, form", [case for case in CASES if case[1] not in ("labelled", "flat") and case[0] != "art"])
def test_names_in_another_case_are_found(tmp_path, name, form):
    written = layouts.write(name, tmp_path, form)
    for path in sorted(tmp_path.rglob("*"), reverse=True):
        path.rename(path.with_name(path.name.swapcase()))
    data = open_dataset(name, root=tmp_path)
    assert [key.lower() for key in data.names] == [key.lower() for key in written]
    assert data[0].images.keys() == next(iter(written.values())).keys()


def test_nyu_splits_at_1000(tmp_path):
    written = layouts.nyu(tmp_path, "labelled")
    train, test = (open_dataset("nyu", split, tmp_path) for split in ("train", "test"))
    assert (len(train), len(test), train.names[-1], test.names[0], test.names[-1]) == (1000, 449, "999", "1000", "1448")
    assert same(train[999].images["depth"], written["999"]["depth"]) and train[0].unit == "m"
    with pytest.raises(GirlibError, match="nyu_depth_v2_labeled.mat holds .* depths of zero or less"):
        train[1]                                                            # an image that was never written


def test_normalised_depth_of_nyu_says_that_it_has_no_unit(tmp_path):
    layouts.nyu(tmp_path, "stacked")
    capture = open_dataset("nyu", "train", tmp_path)[0]
    assert capture.unit == "1" and (capture.images["depth"].min(), capture.images["depth"].max()) == (0, 1)


@pytest.mark.parametrize("name, split, key", [("rgbdd", "train", "20200519"), ("cave", "train", "beads"), ("real_mff", "train", "001"),
                                              ("mcr", "train", "C00012_48mp_0x8_0x2fff")])
def test_the_other_split_holds_the_rest(tmp_path, name, split, key):
    written = layouts.write(name, tmp_path)
    data = open_dataset(name, split, tmp_path)
    assert key in data.names and not set(data.names) & set(written)


def test_a_part_of_a_dataset_says_so(tmp_path):
    layouts.middlebury(tmp_path)
    data = open_dataset("middlebury", root=tmp_path)
    assert (len(data), data.expected) == (2, 30) and "2 of 30 scenes" in repr(data)


def test_meta_says_what_a_task_must_know(tmp_path):
    for name in ("kalantari", "worldview3", "mcr", "cave"):
        layouts.write(name, tmp_path)
    first = {name: open_dataset(name, root=tmp_path)[0].meta for name in ("kalantari", "worldview3", "mcr", "cave")}
    assert first["kalantari"]["exposure_times"] == (1, 4, 16)
    assert (first["worldview3"]["sensor"], first["worldview3"]["ratio"]) == ("worldview3", 4)
    assert (first["mcr"]["ratio"], first["mcr"]["pattern"]) == (12287 / 127, "RGGB")
    assert first["cave"]["response"].shape == (31, 3) and first["cave"]["wavelengths"][[0, -1]].tolist() == [400, 700]


def test_a_dataset_is_lazy_and_can_be_sent_to_other_processes(tmp_path):
    layouts.lytro(tmp_path)
    data = pickle.loads(pickle.dumps(copy.copy(open_dataset("lytro", root=tmp_path))))
    (tmp_path / "lytro/lytro-02-A.jpg").unlink()
    assert data[0].name == data[-2].name == "01"
    with pytest.raises(GirlibError, match="lytro-02-A.jpg is not there"):
        data[1]


def test_rle_of_radiance_equals_opencv(tmp_path):
    cv2 = pytest.importorskip("cv2")
    from girlib.datasets.files import read_hdr
    rng = np.random.default_rng(1)
    picture = np.repeat(rng.random((20, 10, 3)) ** 4 * 50, 8, axis=1).astype(np.float32)     # runs, and values of every size
    picture[3] = 0
    assert cv2.imwrite(str(tmp_path / "a.hdr"), picture[..., ::-1])
    # OpenCV adds no half step either: both give mantissa * 2^(e - 136)
    assert np.array_equal(read_hdr(tmp_path / "a.hdr"), cv2.imread(str(tmp_path / "a.hdr"), cv2.IMREAD_UNCHANGED)[..., ::-1])


# ---------------------------------------------------------------------------------------------------------- the camera's raw files

@pytest.fixture
def small_camera(monkeypatch):
    raw._developed.cache_clear()
    monkeypatch.setitem(sys.modules, "rawpy", SimpleNamespace(imread=layouts.SmallCamera))
    monkeypatch.setattr(raw, "SONY_SIZE", (6, 8))
    yield
    raw._developed.cache_clear()


def test_sid_reads_the_list_and_removes_the_black_level(tmp_path, small_camera):
    layouts.sid(tmp_path)
    data = open_dataset("sid", root=tmp_path)
    assert data.names == ["10003_00_0.04s", "10003_00_0.1s", "10034_00_0.033s"] and data.expected == 598
    first, last = data[0], data[2]
    mosaic = np.maximum(420 + 1500 * 0.04 + np.arange(48).reshape(6, 8) - 512, 0) / (16383 - 512)
    assert same(first.images["raw"], mosaic) and mosaic.min() == 0 < mosaic.max()
    assert same(first.images["reference"], np.full((6, 8, 3), 60000 / 65535)) and first.images["long_raw"].max() > 0.9
    assert (first.meta["ratio"], data[1].meta["ratio"], last.meta["ratio"]) == (250, 100, 300)
    assert (first.meta["aligned"], last.meta["aligned"]) == (True, False)
    assert (first.meta["balance"], first.meta["curve"]) == ((2.0, 1.0, 1.5), "bt709")


def test_sid_without_its_lists_or_with_a_missing_file_says_so(tmp_path, small_camera):
    layouts.sid(tmp_path)
    (tmp_path / "sid/Sony/long/10003_00_10s.ARW").unlink()
    with pytest.raises(GirlibError, match="10003_00_10s.ARW is not there"):
        open_dataset("sid", root=tmp_path)
    (tmp_path / "sid/Sony_test_list.txt").unlink()
    with pytest.raises(GirlibError, match="neither Sony_test_list.txt nor sony_scenes.tsv"):
        open_dataset("sid", root=tmp_path)


def test_an_exposure_of_zero_is_refused(tmp_path, small_camera):
    layouts.sid(tmp_path)
    listed = tmp_path / "sid/Sony_test_list.txt"
    listed.write_text(listed.read_text().replace("_0.04s", "_0.00s"))
    with pytest.raises(GirlibError, match="Sony_test_list.txt has the line"):
        open_dataset("sid", root=tmp_path)


def test_sid_table_of_scenes_gives_the_same_pairs(tmp_path, small_camera):
    layouts.sid(tmp_path)
    expected = open_dataset("sid", root=tmp_path).names
    (tmp_path / "sid/Sony_test_list.txt").unlink()
    rows = ["split\tid\tlong_s\tiso\tfnumber\tshort_s:frames(;...)", "test\t10003\t10\tISO200\tF9\t0.04:0;0.1:0",
            "train\t00001\t10\tISO200\tF8\t0.1:0,1", "test\t10034\t10\tISO200\tF8\t0.033:0"]
    (tmp_path / "sid/sony_scenes.tsv").write_text("\n".join(rows))
    assert open_dataset("sid", root=tmp_path).names == expected


def test_sid_with_the_real_rawpy(tmp_path, monkeypatch):
    pytest.importorskip("rawpy", reason="rawpy is not installed, so no raw file can be read.")
    layouts.sid(tmp_path)
    raw._developed.cache_clear()
    monkeypatch.setattr(raw, "SONY_SIZE", (64, 96))
    mosaic = layouts.noise(64, 96, low=400, high=16383, dtype=np.uint16)
    for path in (tmp_path / "sid/Sony").rglob("*.ARW"):
        layouts.dng(path, mosaic)
    images = open_dataset("sid", root=tmp_path)[0].images
    assert same(images["raw"], np.maximum(mosaic.astype(float) - 512, 0) / 15871)
    assert images["reference"].shape == (1, 3, 64, 96) and 0.3 < images["reference"].mean() < 1


def test_a_damaged_raw_file_is_one_sentence(tmp_path, small_camera):
    layouts.sid(tmp_path)
    (tmp_path / "sid/Sony/short/10003_00_0.04s.ARW").write_bytes(b"ARX")
    with pytest.raises(GirlibError, match="10003_00_0.04s.ARW can't be decoded .Unsupported file format.; expected a raw file"):
        open_dataset("sid", root=tmp_path)[0]


def test_without_rawpy_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    layouts.sid(tmp_path)
    raw._developed.cache_clear()
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(GirlibError, match=r"needs rawpy, which is not installed; run `pip install \"girlib\[raw\]\"`"):
        open_dataset("sid", root=tmp_path)[0]


# ---------------------------------------------------------------------------------------------------------- names and folders

def test_unknown_names_list_what_exists(tmp_path):
    with pytest.raises(GirlibError, match="no dataset 'nope'; choose one of nyu, middlebury, .*, voc"):
        open_dataset("nope")
    with pytest.raises(GirlibError, match="nyu has no split 'val'; choose one of test, train"):
        open_dataset("nyu", "val")
    with pytest.raises(GirlibError, match="lu should be in .*lu, which is not there; get it with `girlib fetch lu`"):
        open_dataset("lu", root=tmp_path)


def test_every_dataset_serves_a_task_and_every_empty_folder_says_what_belongs_there(tmp_path):
    assert list_datasets() == list(SOURCES) and list_datasets("hdr") == ["kalantari"]
    for source in SOURCES.values():
        assert all(part in str(source) for part in (*source.tasks, *source.splits, source.paper, source.entry.licence, source.layout))
        (tmp_path / source.entry.folder).mkdir(exist_ok=True)
        for split in source.splits:
            with pytest.raises(GirlibError, match="expected") as caught:
                open_dataset(source.name, split, tmp_path)
            assert source.entry.folder in str(caught.value) and "\n" not in str(caught.value)
        shutil.rmtree(tmp_path / source.entry.folder)


def test_images_are_what_the_tasks_expect(tmp_path):
    layouts.voc(tmp_path)
    layouts.rgbdd(tmp_path)
    labels = open_dataset("voc", root=tmp_path)[0].images["labels"]
    assert labels.dtype == torch.int64 and 255 in labels and labels[labels < 255].max() <= 20
    assert open_dataset("rgbdd", root=tmp_path)[0].images["valid"].dtype == torch.bool


def test_the_test_pictures_of_mcr_are_named_by_either_list_or_asked_for(tmp_path):
    written = layouts.mcr(tmp_path)
    listed = tmp_path / "mcr/test_384.txt"
    names = listed.read_text().splitlines()
    listed.unlink()
    with pytest.raises(GirlibError, match=r"holds no list of the test pictures; .*test_c_path\.npy.*random_path_list"):
        open_dataset("mcr", root=tmp_path)
    (tmp_path / "mcr/random_path_list/test").mkdir(parents=True)
    np.save(tmp_path / "mcr/random_path_list/test/test_c_path.npy", np.array([f"./Color_RAW_Input/{name}" for name in names]))
    assert open_dataset("mcr", root=tmp_path).names == list(written)
    np.save(tmp_path / "mcr/random_path_list/test/test_c_path.npy", np.array(names, object), allow_pickle=True)
    with pytest.raises(GirlibError, match=r"test_c_path\.npy can't be decoded"):
        open_dataset("mcr", root=tmp_path)


def test_the_sample_of_mcr_is_read_as_it_is_fetched(tmp_path):
    folder = tmp_path / "mcr/raw"
    folder.mkdir(parents=True)
    written = {name: layouts.noise(1024, 1280, seed=k) for k, name in enumerate(("C00400_48mp_0x8_0x007f", "C00400_48mp_0x8_0x2fff",
                                                                                   "M00400_48mp_0x8_0x2fff"))}
    for name, values in written.items():
        (folder / f"{name}.raw").write_bytes(values.tobytes())
    data = open_dataset("mcr", "sample", tmp_path)
    assert data.names == ["C00400_48mp_0x8_0x007f", "C00400_48mp_0x8_0x2fff"]
    images = data[0].images
    for role, name in (("raw", data.names[0]), ("long_raw", data.names[1]), ("mono", "M00400_48mp_0x8_0x2fff")):
        assert same(images[role], written[name] / 255)
    (folder / "C00400_48mp_0x8_0x007f.raw").write_bytes(b"x" * 1000)
    with pytest.raises(GirlibError, match="has 1000 bytes; .*1310720"):
        data[0]
