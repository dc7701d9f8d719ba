"""data/: the sample pairs are what their script computes, and the page lists what the registry holds."""

from pathlib import Path

import data_table
import examples
import numpy as np
import pytest
from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "data" / "examples"


NOISY = {"depth_target_tof.tif", "flash_target.png", "raw", "mono"}     # by file or by array


@pytest.fixture(scope="module")
def made():
    return examples.examples()


def read(path):
    """What a file holds, as a dictionary of arrays."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as content:
            return dict(content)
    with Image.open(path) as image:
        return {path.name: np.asarray(image)}


def arrays(name, content):
    return content if isinstance(content, dict) else {name: content}


def test_sample_pairs_are_what_the_script_computes(made):
    """To a level in a hundredth of the pixels, for another processor may round the last bit otherwise.

    The noise may then even be drawn otherwise from some pixel on, so of noisy images the mean and deviation count.
    """
    for name, content in made.items():
        stored = read(FOLDER / name)
        assert arrays(name, content).keys() == stored.keys()
        for key, array in arrays(name, content).items():
            assert array.dtype == stored[key].dtype and array.shape == stored[key].shape, (name, key)
            new, old = array.astype(float), stored[key].astype(float)
            if key in NOISY:
                assert np.allclose([new.mean(), new.std()], [old.mean(), old.std()], rtol=0.02), (name, key)
            else:
                assert (np.abs(new - old) > 0).mean() < 0.01 and np.abs(new - old).mean() < 0.01, (name, key)


def test_every_sample_is_made_by_the_script_and_they_are_small(made):
    files = sorted(path.name for path in FOLDER.iterdir())
    assert files == sorted(made)
    assert sum((FOLDER / name).stat().st_size for name in files) < 1_500_000


def test_written_files_hold_the_arrays_exactly(made, tmp_path):
    examples.write(tmp_path, made)
    for name, content in made.items():
        for key, array in read(tmp_path / name).items():
            assert np.array_equal(array, arrays(name, content)[key]), (name, key)


def test_the_page_lists_what_the_registry_holds():
    page = data_table.PAGE.read_text(encoding="utf-8")
    assert page == data_table.with_table(page), "run .venv/bin/python tools/data_table.py"
