"""Streams of procedural patches: reproducible at any place, of one scale a batch, and harder where several windows are tried."""

import pytest
import torch

from girlib import GirlibError, get_task
from girlib.losses import rmse_loss
from girlib.samples import random_generator
from girlib.streams import FIRST_SCENE, Stream, varied


def stream(**changes):
    return Stream(get_task("depth"), 32, **{"scale": 8, "size": 64, "patches": 4, "pool": 2, **changes})


def test_a_patch_follows_from_the_seed_and_its_number_alone():
    options = dict(photo=1.0, inverse=0.5, whole=True, tries=2)
    first = [stream(**options)(n, random_generator(3, n))[0].images for n in range(6)]
    late = stream(**options)(5, random_generator(3, 5))[0].images               # as where a training goes on
    assert all(torch.equal(first[5][name], late[name]) for name in late)
    assert any(not torch.equal(first[4][name], late[name]) for name in late)


def test_a_plain_stream_is_scene_after_scene():
    task = get_task("depth")
    capture, scale = Stream(task, 32, scale=4, seed=2)(7, random_generator(0, 7))
    expected = task.scene(FIRST_SCENE + 2 * 2**30 + 7, 32)
    assert scale == 4 and all(torch.equal(capture.images[name], image) for name, image in expected.images.items())


def test_all_patches_of_a_batch_have_one_scale_and_batches_differ():
    of = stream(batch=4, scales=[4, 8, 16])
    scales = [of(n, random_generator(0, n))[1] for n in range(48)]
    batches = [set(scales[k:k + 4]) for k in range(0, 48, 4)]
    assert all(len(batch) == 1 for batch in batches) and set(scales) == {4, 8, 16}


def test_depth_is_measured_in_shares_of_the_whole_scene():
    captures = [stream(whole=True, inverse=0.5)(n, random_generator(0, n))[0] for n in range(8)]
    assert all(c.unit == "1" and 0 <= c.images["depth"].min() and c.images["depth"].max() <= 1 for c in captures)
    assert any(c.images["depth"].max() - c.images["depth"].min() < 0.9 for c in captures)


def test_of_several_windows_the_roughest_is_taken():
    def rough(tries):
        of = stream(size=128, tries=tries)
        return sum(of(n, random_generator(0, n))[0].images["depth"].diff(dim=-1).square().mean().item() for n in range(12))
    assert rough(4) > rough(1)


def test_a_varied_photograph_stays_a_photograph():
    photo = get_task("depth").scene(1, 32).images["color"]
    for n in range(8):
        other = varied(photo, random_generator(0, n))
        assert other.shape == photo.shape and 0 <= other.min() and other.max() <= 1 and not torch.equal(other, photo)


@pytest.mark.parametrize("wrong", (dict(size=16), dict(patches=0), dict(pool=True)))
def test_what_cannot_be_streamed_is_one_sentence(wrong):
    with pytest.raises(GirlibError, match=f"stream: {next(iter(wrong))} is"):
        stream(**wrong)


def test_the_root_of_the_mean_square_is_taken_over_the_batch():
    restored, reference = torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    reference[0] = 0.6
    assert rmse_loss(restored, reference).item() == pytest.approx((0.36 / 2) ** 0.5, rel=1e-4)        # not 0.3
