"""Data of one's own, and weights to begin from: what is given is used, what does not fit is refused."""

from dataclasses import replace

import pytest
import torch

from girlib.errors import GirlibError
from girlib.evaluation import evaluate
from girlib.networks import create_model
from girlib.recipes import recipe
from girlib.tasks import get_task
from girlib.training import train

TASK = get_task("depth")
ROOMS = [TASK.scene(seed, 40) for seed in range(5)]


def tiny(**changes):
    return recipe("fdkn", "depth", 4, **{**dict(steps=4, batch=2, patch=32, validate=2, images=2), **changes})


def parameters(network):
    return dict(network.state_dict())


def test_captures_of_ones_own_are_scored_one_by_one():
    record = evaluate("bicubic", "depth", ROOMS[:3], scale=4)[0]
    alone = [evaluate("bicubic", "depth", [room], scale=4)[0].value for room in ROOMS[:3]]
    assert list(record.images.values()) == alone and list(record.images) == [room.name for room in ROOMS[:3]]
    assert record.dataset == "own" and record.data and record.unit == "cm"
    assert evaluate("bicubic", "depth", ROOMS, scale=4, limit=3, workers=1)[0].images == record.images


def test_training_reads_its_data_and_scores_the_other_ones():
    class Watched(list):
        names, read = [room.name for room in ROOMS[:3]], []

        def __getitem__(self, place):
            self.read.append(place)
            return super().__getitem__(place)
    data = Watched(ROOMS[:3])
    trained = train(tiny(), data=data, validation=ROOMS[3:])
    assert sorted(set(data.read)) == [0, 1, 2] and len(data.read) == 8              # 4 steps of 2
    assert trained.best == min(line["rmse"] for line in trained.history)
    assert trained.history[-1]["rmse"] == evaluate(trained.network, "depth", ROOMS[3:], scale=4)[0].value


def test_other_data_cannot_go_on_with_a_training(tmp_path):
    train(tiny(steps=2), tmp_path, data=ROOMS[:3], validation=ROOMS[3:])
    train(tiny(steps=2), tmp_path, data=ROOMS[:3], validation=ROOMS[3:], resume=True)
    with pytest.raises(GirlibError, match="another data"):
        train(tiny(steps=2), tmp_path, data=ROOMS[:2], validation=ROOMS[3:], resume=True)


def test_training_begins_from_the_weights_given_and_leaves_them_alone():
    start = create_model("fdkn", "depth")
    before = {name: value.clone() for name, value in parameters(start).items()}
    near = train(tiny(steps=1, rate=1e-6), start=start).network
    for name, value in near.named_parameters():
        assert (value - before[name]).abs().max() <= 1.1e-6     # Adam's first step is the rate; near 1 float32 rounds by 6e-8
    assert all(torch.equal(value, before[name]) for name, value in parameters(start).items())


def test_what_is_frozen_does_not_move():
    start = create_model("fdkn", "depth")
    start.guide_kernel.requires_grad_(False)
    trained = dict(train(tiny(steps=2), start=start).network.named_parameters())
    for name, value in start.named_parameters():
        assert torch.equal(value, trained[name]) == name.startswith("guide_kernel")


def frozen():
    return create_model("fdkn", "depth").requires_grad_(False)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: train(tiny(), data=ROOMS), "give data= to train on, and validation="),
    (lambda: train(tiny(), data=ROOMS[:3], validation=ROOMS[2:]), "'indoor 2' is in data= and in validation="),
    (lambda: train(tiny(), data=[], validation=ROOMS), "no capture"),
    (lambda: train(tiny(), data=[ROOMS[0], ROOMS[0]], validation=ROOMS[1:]), "two captures named 'indoor 0'"),
    (lambda: train(tiny(), data=iter(ROOMS), validation=ROOMS), "list_iterator"),
    (lambda: train(tiny(), data=[1, 2], validation=ROOMS), "something else"),
    (lambda: train(tiny(), start=create_model("svlrm", "depth")), "start is another network"),
    (lambda: train(tiny(), start=create_model("fdkn", "depth", filter_size=7, kernel_size=5)), "start is another network"),
    (lambda: train(tiny(), start=frozen()), "no parameter of start requires a gradient"),
    (lambda: evaluate("bicubic", "depth", {"a": ROOMS[0]}, scale=4), "are a dict"),
    (lambda: evaluate("bicubic", "depth", [], scale=4), "no capture"),
    (lambda: evaluate("bicubic", "depth", [replace(ROOMS[0], name=None)], scale=4), "something else"),
])  # fmt: skip
def test_a_wrong_request_is_one_sentence(call, words):
    with pytest.raises(GirlibError) as caught:
        call()
    assert words in str(caught.value) and "\n" not in str(caught.value)
