"""Scenes from a seed: exact geometry, light that can be blocked, spectra of real materials, the same bytes everywhere."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from test_shapes import inside

from girlib.errors import GirlibError
from girlib.scenes import CLASSES, KINDS, RESPONSES, WAVELENGTHS, depth_statistics, make_scene
from girlib.scenes.materials import FIXED, NAMES
from girlib.scenes.points import LIFT

RGB = RESPONSES["rgb"]
scene_of = cache(make_scene)


def fingerprint(kind, size):
    scene = make_scene(kind, 3, size)
    images = [scene.depth, scene.normal, scene.ids, scene.labels, scene.color, scene.image(RESPONSES["worldview3"]),
              scene.image(RGB, "flash")]
    return hashlib.sha256(b"".join(image.numpy().tobytes() for image in images)).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [16, (33, 90), 128])
def test_shapes_dtypes_and_ranges(kind, size):
    scene, (height, width) = scene_of(kind, 1, size), (size, size) if isinstance(size, int) else size
    expected = {"depth": (1, torch.float32), "normal": (3, torch.float32), "ids": (1, torch.int64), "labels": (1, torch.int64),
                "color": (3, torch.float32)}
    for name, (channels, dtype) in expected.items():
        image = getattr(scene, name)
        assert image.shape == (1, channels, height, width) and image.dtype == dtype and image.isfinite().all(), name
    assert 0 <= scene.color.min() and scene.color.max() <= 1 and scene.color.std() > 0.02
    assert scene.depth.min() > 0.05 and (scene.normal.norm(dim=1) - 1).abs().max() < 1e-5
    p = scene.points
    assert sum(n * b for n, b in zip(p.normal, p.back, strict=True)).min() > -1e-4         # every surface faces the camera


@pytest.mark.parametrize("kind", KINDS)
def test_one_object_has_one_class(kind):
    scene = scene_of(kind, 1, 128)
    pairs = torch.stack([scene.ids.flatten(), scene.labels.flatten()], 1).unique(dim=0)
    assert len(pairs) == len(pairs[:, 0].unique()) > 5 and pairs[:, 0].min() >= 1
    assert pairs[:, 1].min() >= 0 and pairs[:, 1].max() < len(CLASSES) and len(pairs[:, 1].unique()) >= 3


def points(scene):
    """What each pixel sees, in metres: along the camera's right, up and towards it (H, W, 3), float64."""
    (height, width), camera = scene.size, scene.camera
    step = 2 * scene.setting.half / max(height, width)
    u, v = np.meshgrid((np.arange(width) - (width - 1) / 2) * step, ((height - 1) / 2 - np.arange(height)) * step)
    depth = scene.depth[0, 0].double().numpy()
    spread = 1 if camera.parallel else depth
    return np.stack([u * spread, v * spread, -depth], -1)


@pytest.mark.parametrize("kind", KINDS)
def test_normals_are_those_of_the_depth(kind):
    scene = scene_of(kind, 1, 128)
    p, ids = points(scene), scene.ids[0, 0].numpy()
    right, down = p[1:-1, 2:] - p[1:-1, :-2], p[2:, 1:-1] - p[:-2, 1:-1]
    bend = [np.abs(p[1:-1, 2:] + p[1:-1, :-2] - 2 * p[1:-1, 1:-1]).max(-1), np.abs(p[2:, 1:-1] + p[:-2, 1:-1] - 2 * p[1:-1, 1:-1]).max(-1)]
    smooth = (np.maximum(*bend) < 0.02 * np.linalg.norm(right, axis=-1).clip(1e-3))
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
        smooth &= ids[dy:dy + 126, dx:dx + 126] == ids[1:-1, 1:-1]
    normal = np.cross(-down, -right)
    normal = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    back = np.array([0.0, 0.0, 1.0]) if scene.camera.parallel else -p[1:-1, 1:-1]
    normal = normal * np.sign((normal * back).sum(-1, keepdims=True))
    cosine = (normal * scene.normal[0, :, 1:-1, 1:-1].permute(1, 2, 0).numpy()).sum(-1)[smooth]
    assert smooth.mean() > 0.15 and (cosine > 0.995).mean() > 0.98


def test_the_ground_lies_where_the_rays_cross_it():
    """Depth of the ground y = 0 is height over descent of the ray, an independent formula."""
    scene = scene_of("outdoor", 1, 128)
    camera, step = scene.camera, 2 * scene.setting.half / 128
    u, v = np.meshgrid((np.arange(128) - 63.5) * step, (63.5 - np.arange(128)) * step)
    falls = -(camera.forward[1].item() + u * camera.right[1].item() + v * camera.up[1].item())
    ground = scene.labels[0, 0].numpy() == CLASSES.index("ground")
    expected = camera.origin[1].item() / falls[ground]
    assert ground.sum() > 500 and np.allclose(scene.depth[0, 0].numpy()[ground], expected, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_shadow_is_where_something_stands_in_the_way_of_the_sun(kind):
    """Marches from surface points to the sun through all bodies, by the definition of each."""
    scene, random = scene_of(kind, 1, 128), np.random.default_rng(0)
    facing = sum(n * t for n, t in zip(scene.points.normal, scene.setting.towards, strict=True))
    free = scene.points.sun[2]
    at = np.concatenate([random.choice(((facing > 0.2) & side).nonzero()[:, 0].numpy(), 30) for side in (free, ~free)])
    start = np.stack([x.double().numpy()[at] for x in scene.points.where], -1)
    way = np.array(scene.setting.towards) / np.linalg.norm(scene.setting.towards)
    reach, steps = {"indoor": (4.0, 1600), "outdoor": (30.0, 2000), "overhead": (40.0, 1200)}[kind]
    path = start[:, None] + np.linspace(LIFT[kind], reach, steps)[:, None] * way
    blocked = np.zeros(len(at), dtype=bool)
    for body in scene.solids.bodies:
        size = sum(h * h for h in body.half) * 1.01
        close = (((path - np.array(body.centre)) ** 2).sum(-1) <= size).any(1)
        if body.casts and close.any():
            blocked[close] |= inside(body, path[close]).any(1)
    assert (free.numpy()[at] == ~blocked).mean() >= 0.93     # thin things slip between the steps, contact points differ by the lift


def test_same_bytes_with_one_thread_and_two_here_and_elsewhere():
    """181 x 190 rays are more than torch gives to one thread, and no multiple of anything."""
    code = (f"import sys, torch; sys.path[:0] = {sys.path!r}; from test_make_scene import KINDS, fingerprint\n"
            "for n in (1, 2): torch.set_num_threads(n); print([fingerprint(kind, (181, 190)) for kind in KINDS])")
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}                              # two threads on a busy core else wait in turns
    lines = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment).stdout.splitlines()
    torch.manual_seed(5)
    state = torch.get_rng_state()
    assert lines[0] == lines[1] == str([fingerprint(kind, (181, 190)) for kind in KINDS])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("kind", KINDS)
def test_one_seed_is_one_scene_at_every_size(kind):
    small, large = scene_of(kind, 1, 48), make_scene(kind, 1, 144)
    same = (large.depth[..., 1::3, 1::3] - small.depth).abs() < 1e-3                       # these pixels have the same centres
    assert same.float().mean() > 0.995
    assert (torch.nn.functional.avg_pool2d(large.color, 3) - small.color).abs().mean() < 0.03
    one, two = (depth_statistics(s.depth, s.color.mean(1)) for s in (make_scene(kind, 1, 64), scene_of(kind, 1, 128)))
    assert abs(one["depth, mean"] - two["depth, mean"]) < 0.03 and abs(one["depth, std"] - two["depth, std"]) < 0.03


@pytest.mark.parametrize("kind", KINDS)
def test_a_wide_picture_is_the_middle_of_the_square_one(kind):
    wide, square = make_scene(kind, 2, (64, 96)), make_scene(kind, 2, 96)
    assert torch.equal(wide.depth, square.depth[..., 16:80, :]) and torch.equal(wide.ids, square.ids[..., 16:80, :])
    assert (wide.color - square.color[..., 16:80, :])[..., 1:-1, :].abs().max() < 1e-6      # the outer rows have other neighbours


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_is_another_scene(kind):
    assert (scene_of(kind, 1, 128).depth - make_scene(kind, 2, 128).depth).abs().mean() > 0.05


def test_time_moves_only_what_moves():
    moved = 0
    for kind, seed in (("indoor", 1), ("indoor", 3), ("outdoor", 1), ("overhead", 1)):
        now, later = scene_of(kind, seed, 128), make_scene(kind, seed, 128, time=0.4)
        movers = torch.tensor([body.id for body in now.solids.bodies if any(body.velocity)] or [0])
        changed = (now.depth - later.depth).abs() > 1e-3
        assert torch.isin(now.ids[changed], movers).logical_or(torch.isin(later.ids[changed], movers)).all()
        moved += changed.sum().item()
    assert moved > 50


def test_spectra_are_reflectances_and_real_materials():
    assert len(WAVELENGTHS) == 61 and WAVELENGTHS[0] == 400 and WAVELENGTHS[-1] == 1000
    assert FIXED.min() >= 0 and FIXED.max() <= 1
    at = lambda name, nm: FIXED[NAMES.index(name), (nm - 400) // 10].item()
    for leaf in ("grass", "crop", "leaf"):
        assert at(leaf, 800) > 5 * at(leaf, 680) and at(leaf, 550) > 1.3 * at(leaf, 680)    # the red edge, and why leaves are green
    assert at("water", 860) < 0.2 * at("water", 480)
    assert at("ink", 550) < 0.05 < 0.5 < at("ink", 850)
    for kind in KINDS:
        spectra = scene_of(kind, 1, 16).spectra
        assert spectra.shape[1] == 61 and spectra.min() >= 0 and spectra.max() <= 1


def test_responses_are_weights():
    channels = {"rgb": 3, "nir": 1, "worldview3": 8, "fourband": 4, "pan": 1, "mono": 1, "visible31": 31}
    assert {name: len(response) for name, response in RESPONSES.items()} == channels
    for response in RESPONSES.values():
        assert response.min() >= 0 and (response.sum(1) - 1).abs().max() < 1e-5
    red, green, blue = (WAVELENGTHS[row.argmax()] for row in RGB)
    assert blue < 480 < green < 570 < red


@pytest.mark.parametrize("light", ["day", "ambient", "flash"])
def test_grey_stays_grey(light):
    for kind in KINDS:
        scene = make_scene(kind, 1, 32)
        scene.spectra, scene.setting = torch.full_like(scene.spectra, 0.2), replace(scene.setting, haze=0.0)
        scene.paint[3] = 0                                                                   # no gloss
        image = scene.image(torch.cat([RGB, RESPONSES["nir"]]), light)
        if light != "day":
            assert (image - image[:, :1]).abs().max() < 1e-5
        lit = scene.picture(scene.points.sun[0])[0, 0] > 0.9
        if light == "day" and lit.any():                                       # in shadow daylight is bluer than in the sun
            assert (image[0, :3, lit] / image[0, :1, lit] - 1).abs().max() < 0.12


def test_haze_is_the_same_everywhere_and_blue():
    scene, clear = make_scene("overhead", 1, 32), make_scene("overhead", 1, 32)
    clear.setting = replace(scene.setting, haze=0.0)
    one_band = torch.zeros(2, 61)
    one_band[0, 0] = one_band[1, 40] = 1.0                                                   # 400 and 800 nm
    added = scene.image(one_band) - clear.image(one_band)
    assert added[:, 0].mean().item() == pytest.approx(scene.setting.haze * (550 / 400) ** 4, rel=1e-3) and added[:, 0].std() < 1e-5
    assert added[:, 0].mean() / added[:, 1].mean() == pytest.approx(16, rel=1e-3)
    assert torch.equal(scene.image(one_band, "flash"), clear.image(one_band, "flash"))


def test_red_flash_is_white_flash_in_red_alone():
    scene = make_scene("indoor", 1, 32)
    scene.spectra = torch.full_like(scene.spectra, 0.2)
    white, red = scene.image(RGB, "flash"), scene.image(RGB, "red flash")
    assert (white[:, 0] - red[:, 0]).abs().max() < 1e-5 and red[:, 2].max() < 1e-3 < white[:, 2].max()


def test_flash_falls_off_with_the_square_of_the_distance():
    scene = make_scene("indoor", 1, 48)
    scene.spectra = torch.full_like(scene.spectra, 0.01)
    scene.paint[2:4] = 0
    scene.number[2] = 0                                                                      # one plain material
    image = scene.image(RGB, "flash")[0, 0].numpy()
    origin = scene.setting.focus * np.array([0.03, 0.04, 0.0])
    way = origin - points(scene)
    distance = np.linalg.norm(way, axis=-1)
    slant = (scene.normal[0].permute(1, 2, 0).numpy() * way).sum(-1) / distance
    expected = 0.01 * scene.setting.exposure * slant * (scene.setting.focus / distance) ** 2
    lit = scene.picture(scene.points.flash[2])[0, 0].numpy()
    edges = np.ones(48 * 48, dtype=bool).reshape(48, 48)
    edges[2:-2, 2:-2] = False
    mark = scene.ids[0, 0].numpy()
    for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        edges |= np.roll(mark, shift, (0, 1)) != mark
        edges |= np.roll(lit, shift, (0, 1)) != lit
    clear = lit & ~edges & (slant > 0.1)
    assert clear.sum() > 300 and np.median(abs(image[clear] / expected[clear] - 1)) < 1e-3


def test_plants_shine_in_infrared_and_water_does_not():
    scene = next(s for s in (make_scene("overhead", seed, 96) for seed in range(12)) if (s.labels == CLASSES.index("water")).sum() > 200)
    infrared, water = scene.image(RESPONSES["nir"]), scene.labels == CLASSES.index("water")
    plant = (scene.labels == CLASSES.index("plant")) & scene.picture(scene.points.sun[2])
    assert infrared[water].median() < 0.05 < 0.15 < infrared[plant].median()


def test_controls_make_the_hard_cases():
    def mean(name, **controls):
        scenes = [make_scene("indoor", seed, 128, **controls) for seed in range(6)]
        return np.mean([depth_statistics(s.depth, s.color.clamp_min(1e-6).pow(1 / 2.2).mean(1))[name] for s in scenes])

    assert mean("image-edge density", texture=1.0) > 1.15 * mean("image-edge density", texture=0.0)
    hidden = "depth edges without image edge"
    assert mean(hidden, hidden=1.0, texture=0.0) > 1.1 * mean(hidden, hidden=0.0, texture=0.0)


@pytest.mark.parametrize("given, message", [
    ({"kind": "submarine"}, "kind is 'submarine', expected one of indoor, outdoor, overhead"),
    ({"kind": None}, "kind is None"), ({"kind": ["indoor"]}, "kind is"),
    ({"size": 0}, "size is 0"), ({"size": 15}, "size is 15"), ({"size": True}, "size is True"), ({"size": (3,)}, "size is"),
    ({"size": (64, 15)}, "size is"), ({"size": 64.0}, "size is 64.0"), ({"size": "64"}, "size is '64'"), ({"size": None}, "size is None"),
    ({"seed": -1}, "seed is -1"), ({"seed": True}, "seed is True"), ({"seed": 1.5}, "seed is 1.5"), ({"seed": 2**63}, "seed is"),
    ({"time": float("nan")}, "time is nan"), ({"time": "now"}, "time is 'now'"), ({"time": True}, "time is True"),
    ({"texture": 1.5}, "texture is 1.5"), ({"hidden": -0.1}, "hidden is -0.1"), ({"hidden": None}, "hidden is None"),
    ({"device": "kettle"}, "device 'kettle' can't be used here"), ({"device": "cuda:99"}, "device 'cuda:99' can't be used here"),
    ({"device": 1.5}, "device 1.5 can't"), ({"device": "meta"}, "device 'meta' can't"),
])
def test_bad_input_is_one_sentence(given, message):
    with pytest.raises(GirlibError) as caught:
        make_scene(**{"kind": "indoor", "seed": 0, "size": 32} | given)
    assert str(caught.value).startswith("make_scene: ") and message in str(caught.value) and "; give" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("response, light", [(RGB, "moon"), (RGB, None), (RGB[:, :60], "day"), (RGB[0], "day"), (RGB.long(), "day"),
                                             ([[1.0] * 61], "day"), (RGB[:0], "day"), (RGB * torch.nan, "day"), (-RGB, "day")])
def test_a_bad_camera_is_one_sentence(response, light):
    with pytest.raises(GirlibError, match=r"^scene.image: .*; give .*"):
        scene_of("indoor", 1, 16).image(response, light)
