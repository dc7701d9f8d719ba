"""The still life keeps its promises: exact shapes and ranges, one scene a seed, and the hard cases that the chapters rely on."""

import pytest
import torch

from girlib.errors import GirlibError
from girlib.scenes import still_life


@pytest.fixture(scope="module")
def scene():
    return still_life(128, seed=0)


def steps(image):
    """Largest absolute difference to the right and lower neighbour, over channels: (H - 1, W - 1)."""
    across = (image[..., :-1, 1:] - image[..., :-1, :-1]).abs()
    down = (image[..., 1:, :-1] - image[..., :-1, :-1]).abs()
    return torch.maximum(across, down).amax(dim=(0, 1))


@pytest.mark.parametrize("size", [64, 65, 128])
def test_shapes_and_ranges(size):
    scene = still_life(size)
    for name, channels in (("color", 3), ("depth", 1), ("bands", 8), ("flash", 3)):
        image = getattr(scene, name)
        assert image.shape == (1, channels, size, size) and image.dtype == torch.float32, name
        assert image.isfinite().all(), name
        if name != "depth":
            assert image.min() >= 0 and image.max() <= 1 and image.std() > 0.05, name
    assert 0.8 < scene.depth.min() < 1 and 2.8 < scene.depth.max() < 3


def test_same_seed_same_scene_whatever_the_global_generator_does(scene):
    torch.manual_seed(123)
    before = torch.get_rng_state()
    again = still_life(128, seed=0)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(getattr(scene, name), getattr(again, name)) for name in ("color", "depth", "bands", "flash"))


def test_another_seed_moves_things(scene):
    other = still_life(128, seed=1)
    assert ((other.depth - scene.depth).abs() > 0.05).float().mean() > 0.02


def test_one_seed_is_one_scene_at_every_size(scene):
    large = still_life(384, seed=0)                                  # the middle pixel of each 3 x 3 has the same centre
    same = (large.depth[..., 1::3, 1::3] - scene.depth).abs() < 1e-4
    assert same.float().mean() > 0.999                               # rounding may decide otherwise on an outline
    assert (torch.nn.functional.avg_pool2d(large.color, 3) - scene.color).abs().mean() < 0.01


def test_colour_is_a_fixed_mix_of_the_bands(scene):
    """One 3 x 8 matrix explains the colour of every unclipped pixel, and the two infrared bands have no part in it."""
    inside = (scene.color < 1).all(1).flatten()
    bands, color = scene.bands.flatten(2)[0][:, inside].T.double(), scene.color.flatten(2)[0][:, inside].T.double()
    mix = torch.linalg.lstsq(bands, color).solution                  # (8, 3)
    assert (bands @ mix - color).abs().max() < 1e-4
    assert mix[6:].abs().max() < 1e-3 < mix[:6].abs().amax(1).min()


def test_print_on_the_wall_has_colour_edges_without_depth_edges(scene):
    color, depth = steps(scene.color), steps(scene.depth)
    assert ((color > 0.3) & (depth < 0.02)).float().mean() > 0.01


def test_panel_has_depth_edges_without_colour_edges(scene):
    color, depth = steps(scene.color), steps(scene.depth)
    hidden = (depth > 0.5) & (color < 0.03)
    assert hidden.sum() >= 60                                        # the panel alone has an outline of some 80 pixels
    assert hidden[:, 40:].float().mean() < 0.002                     # and lies at the left; elsewhere depth edges can be seen


def test_stalks_are_thin(scene):
    """Between vase and berries the nearest surface is a few pixels wide: in some rows at least three separate runs."""
    runs = [(row[1:] & ~row[:-1]).sum().item() for row in (scene.depth[0, 0, 20:40] < 1.6)]
    assert max(runs) >= 3


def test_flash_casts_other_shadows_and_falls_off_with_depth(scene):
    ratio = (scene.flash.mean(1) / scene.color.mean(1))[0]
    depth = scene.depth[0, 0]
    panel = (depth > 1.8) & (depth < 2.2) & (torch.arange(128) < 25) & (torch.arange(128)[:, None] < 64)
    near, far = ratio[panel].median(), ratio[depth > 2.6].median()   # one material, facing the same way
    assert 1.4 < near / far < (2.8 / 2.0) ** 2                       # inverse square, diluted by a little ambient light
    wall = (depth > 2.6) & (ratio < 0.6 * far)                       # wall in the shadow of the flash, but not of the lamp
    assert wall.sum() > 100


@pytest.mark.parametrize("size", [63, 0, -1, 128.0, "128", None, True])
def test_a_bad_size_is_one_sentence(size):
    with pytest.raises(GirlibError, match=r"still_life: size is .*; give 64 or more"):
        still_life(size)
