"""Pairs stay pairs: cut, turned, batched and loaded, every image of a scene shows the same place."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from girlib.errors import GirlibError
from girlib.samples import Capture, Sample, augment, collate, crop, crop_to_multiple, loader, random_crop, random_generator

settings.register_profile("steady", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("steady")


def places(H, W, cell=1):
    """Each pixel holds the row and column of its cell's first pixel on the fine grid: (1, 2, H / cell, W / cell)."""
    y, x = torch.meshgrid(torch.arange(0, H, cell), torch.arange(0, W, cell), indexing="ij")
    return torch.stack([y, x])[None].float()


def sample(H=24, W=32, scale=4):
    return Sample(target=places(H, W), guide=(places(H, W), places(H, W)), reference=places(H, W), low=places(H, W, scale),
                  valid=torch.ones(1, 1, H, W, dtype=torch.bool), unit="m", meta={"scale": scale})


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 8), st.integers(0, 10**6))
def test_every_image_of_a_random_crop_shows_the_same_place(cell, rows, columns, seed):
    whole = sample(rows * 8 * cell, columns * 8 * cell, cell)
    cut = random_crop(whole, 8 * cell, torch.Generator().manual_seed(seed))
    assert cut.target.shape[-2:] == (8 * cell, 8 * cell)
    assert torch.equal(cut.target, cut.reference) and torch.equal(cut.target, cut.guide[1])
    assert torch.equal(cut.low, cut.target[..., ::cell, ::cell])
    assert cut.valid.shape[-2:] == (8 * cell, 8 * cell) and cut.unit == "m"


def test_packed_raw_is_cut_at_half_the_place_of_its_reference():
    raw = Sample(target=places(8, 12, 2), guide=places(8, 12, 2), reference=places(8, 12), meta={"pattern": "RGGB"})
    cut = crop(raw, 2, 4, 4, 6)
    assert torch.equal(cut.target, cut.reference[..., ::2, ::2])
    assert cut.target[0, :, 0, 0].tolist() == [2, 4]


def test_random_crops_reach_every_corner():
    tops = {tuple(random_crop(sample(12, 12, 4), 8, torch.Generator().manual_seed(seed)).target[0, :, 0, 0].tolist())
            for seed in range(60)}
    assert tops == {(0, 0), (0, 4), (4, 0), (4, 4)}


def test_an_image_smaller_than_the_crop_is_taken_whole():
    assert random_crop(sample(24, 32), 500, torch.Generator()).target.shape[-2:] == (24, 32)


def test_cutting_to_a_multiple_keeps_the_top_left():
    capture = Capture("odd", {"color": places(37, 41), "depth": places(37, 41)})
    cut = crop_to_multiple(capture, 8)
    assert cut.images["depth"].shape[-2:] == (32, 40) and torch.equal(cut.images["color"], capture.images["color"][..., :32, :40])


@pytest.mark.parametrize("seed", range(24))
def test_all_images_of_a_capture_turn_alike(seed):
    capture = Capture("pair", {"color": places(6, 10), "depth": places(6, 10)})
    turned = augment(capture, torch.Generator().manual_seed(seed))
    assert torch.equal(turned.images["color"], turned.images["depth"])
    assert sorted(turned.images["color"][0, 0].flatten().tolist()) == sorted(capture.images["color"][0, 0].flatten().tolist())


def test_eight_orientations_occur():
    capture = Capture("square", {"color": places(4, 4)})
    seen = {tuple(augment(capture, torch.Generator().manual_seed(seed)).images["color"].flatten().tolist()) for seed in range(100)}
    assert len(seen) == 8


@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
@pytest.mark.parametrize("seed", range(24))
def test_turning_a_mosaic_keeps_its_pattern_and_its_partner(pattern, seed):
    H, W = 6, 10
    colours = torch.tensor([["RGB".index(c) for c in pattern[:2]], ["RGB".index(c) for c in pattern[2:]]]).repeat(H // 2, W // 2)
    place = torch.arange(H * W).reshape(1, 1, H, W).float()
    reference = torch.cat([place, place + 1000, place + 2000], 1)
    mosaic = reference.gather(1, colours[None, None])
    capture = Capture("raw", {"raw": mosaic, "reference": reference}, meta={"pattern": pattern})
    turned = augment(capture, torch.Generator().manual_seed(seed))
    h, w = turned.images["raw"].shape[-2:]
    again = torch.tensor([["RGB".index(c) for c in pattern[:2]], ["RGB".index(c) for c in pattern[2:]]]).repeat(h // 2, w // 2)
    assert torch.equal(turned.images["raw"], turned.images["reference"].gather(1, again[None, None]))


def test_images_with_a_low_partner_are_mirrored_along_the_diagonal_only():
    capture = Capture("satellite", {"pan": places(8, 8), "low": places(8, 8, 4)})
    seen = {tuple(augment(capture, torch.Generator().manual_seed(seed)).images["pan"].flatten().tolist()) for seed in range(60)}
    assert len(seen) == 2
    for seed in range(8):
        turned = augment(capture, torch.Generator().manual_seed(seed)).images
        assert torch.equal(turned["pan"][..., ::4, ::4], turned["low"])


def test_a_batch_joins_images_and_lists_what_differs():
    one, two = sample(), sample()
    two.meta["exposure"] = 3
    batch = collate([one, two])
    assert batch.target.shape == (2, 2, 24, 32) and batch.guide[1].shape[0] == 2 and batch.low.shape == (2, 2, 6, 8)
    assert batch.meta == {"scale": 4, "exposure": [None, 3]} and batch.unit == "m"
    lights = [Sample(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2), meta={"gain": torch.tensor([float(i)])}) for i in (1, 1, 2)]
    assert isinstance(collate(lights[:2]).meta["gain"], torch.Tensor) and len(collate(lights).meta["gain"]) == 3


def make(index, generator):
    value = torch.full((1, 1, 2, 2), float(index))
    return Sample(value, value + torch.rand(1, generator=generator))


@pytest.mark.parametrize("workers", [1, 4])
def test_the_order_does_not_depend_on_the_workers(workers):
    for length in (None, 5):
        alone = list(loader(make, 4, 3, seed=7, length=length))
        shared = list(loader(make, 4, 3, seed=7, length=length, workers=workers))
        assert all(torch.equal(a.target, b.target) and torch.equal(a.guide, b.guide) for a, b in zip(alone, shared, strict=True))


def test_each_pass_sees_every_image_once_in_a_new_order():
    seen = torch.cat([batch.target[:, 0, 0, 0] for batch in loader(make, 6, 5, seed=1, length=10)]).tolist()
    passes = [seen[0:10], seen[10:20], seen[20:30]]
    assert all(sorted(one) == list(range(10)) for one in passes) and len({tuple(one) for one in passes}) == 3


def test_going_on_gives_what_would_have_come():
    whole = list(loader(make, 6, 2, seed=3, length=5))
    rest = list(loader(make, 6, 2, seed=3, length=5, start=4))
    assert len(rest) == 2 and all(torch.equal(a.guide, b.guide) for a, b in zip(whole[4:], rest, strict=True))


def test_seeds_and_positions_give_other_numbers():
    drawn = {torch.rand((), generator=random_generator(seed, position)).item() for seed in range(5) for position in range(-3, 20)}
    assert len(drawn) == 5 * 23


@pytest.mark.parametrize(("call", "words"), [
    (lambda: crop(sample(), 0, 0, 26, 32), "do not lie inside 24x32"),
    (lambda: crop(sample(), 1, 0, 8, 8), "multiples of 4"),
    (lambda: crop(Capture("x", {"a": places(8, 8), "b": places(8, 8)[..., :7]}), 0, 0, 4, 4), "no whole grid"),
    (lambda: random_crop(sample(), 3, torch.Generator()), "no whole step of 4"),
    (lambda: crop_to_multiple(sample(), 64), "smaller than 64"),
    (lambda: augment(Capture("x", {"raw": places(5, 6)}, meta={"pattern": "RGGB"}), torch.Generator().manual_seed(2)), "even height"),
    (lambda: collate([]), "no sample"),
    (lambda: collate([sample(), sample(16, 16)]), "differs in shape"),
    (lambda: collate([sample(), Sample(places(24, 32), places(24, 32))]), "do not mix"),
    (lambda: next(loader(make, 1, 0)), "batch_size is 0"),
    (lambda: next(loader(make, 1, 1, workers=True)), "workers is True"),
    (lambda: next(loader(make, 1, 1, length=0)), "empty"),
])  # fmt: skip
def test_what_cannot_be_cut_or_batched_is_one_sentence(call, words):
    with pytest.raises(GirlibError) as caught:
        call()
    assert words in str(caught.value) and "\n" not in str(caught.value)
