"""Training: every network learns one scene of every task that it is made for, and four planted faults are noticed.

The networks are small and the scene has 32 x 32 pixels, so that all pairs take well below a minute together.
"""

import copy
from types import SimpleNamespace

import pytest
import torch

from girlib import training
from girlib.networks import list_models, predict
from girlib.recipes import build, find_loss, recipe
from girlib.tasks import get_task, list_tasks
from girlib.training import fitted, in_unit_range, train

PAIRS = [(network, task) for task in list_tasks() for network in list_models(task) if network != "gdd"]     # it optimises, see test_gdd
SMALL = {                                   # options that make a network small
    "sfigf": {"width": 16, "levels": 1}, "dagf": {"width": 8, "levels": 2, "residual_blocks": 1},
    "mgdn": {"width": 12, "depths": (1,), "heads": (2,), "window_size": 4, "mlp_ratio": 1}, "svlrm": {"width": 16, "depth": 2},
    "cunet": {"width": 8, "kernel_size": 5, "steps": 1}, "djf": {"width": (16, 8), "joint_width": (16, 8)},
    "djfr": {"width": (16, 8), "joint_width": (16, 8)}, "dctnet": {"width": 8}, "pannet": {"width": 8}, "ifcnn": {"width": 16},
    "dkn": {"residual": False},
}
STEPS = {"dkn": 6, "fdkn": 12}              # the two that read 51 pixels around each, and whose size cannot be chosen
FACTOR = 0.6                                # to which loss and error fall, but where
SLOW = {                                    # the loss holds more than the output, or the network begins at the enlarged target
    ("dagf", "saliency"): 0.8, ("dagf", "flash"): 0.75, ("dagf", "segmentation"): 0.85, ("djfr", "flash"): 0.75, ("fgf", "texture"): 0.85,
    ("dkn", "depth"): 0.9, ("dkn", "pansharpening"): 0.95, ("mgdn", "multifocus"): 0.85, ("sfigf", "multifocus"): 0.9,
    ("sfigf", "lowlight_mono"): 0.9,
}
_samples = {}


def made_for(network, task):
    return recipe(network, task, steps=STEPS.get(network, 25), batch=1, patch=32, validate=1, images=1, rate=4e-3,
                  decay=(10**9, 1.0), options=SMALL.get(network, {}))


def one_scene(self, index, generator, one=training._Samples.one):
    task = self.recipe.task
    if task not in _samples:
        _samples[task] = one(self, 0, torch.Generator().manual_seed(0))
    return _samples[task]


@pytest.fixture(autouse=True)
def no_validation(monkeypatch):
    monkeypatch.setattr(training._Samples, "one", one_scene)
    monkeypatch.setattr(training, "_validate", lambda *given: SimpleNamespace(metric="none", value=None, direction="lower"))


def error(network, sample):
    """Mean absolute error of what a user gets; of labels the share of wrong ones. BatchNorm's averages need more steps than these."""
    averaged = any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    with torch.no_grad():
        restored = output_of(network.train(), sample)[0] if averaged else predict(network.eval(), sample)
    if sample.reference.is_floating_point():
        return (restored - sample.reference).abs().mean().item()
    return (restored.argmax(dim=1, keepdim=True) != sample.reference).float().mean().item()


def output_of(network, sample):
    output, inside = network(*network.prepare(sample), return_intermediates=True)
    return fitted(network.unscaled(output) if hasattr(network, "unscaled") else output, sample), inside


def by_hand(made, sample, steps=3):
    """Losses of the first steps of Adam, written out; and the gradient of each parameter in the first."""
    torch.manual_seed(made.seed)
    network, loss = build(made), find_loss(made)
    names = [name for name, _ in network.named_parameters()]
    weights = [*network.parameters(), *(loss.parameters() if isinstance(loss, torch.nn.Module) else ())]
    m, v, losses, first = [0.0] * len(weights), [0.0] * len(weights), [], None
    for t in range(1, steps + 1):
        output, inside = output_of(network, sample)
        value = loss(output, sample, inside)
        losses.append(value.item())
        gradients = torch.autograd.grad(value, weights, allow_unused=True)
        first = first or dict(zip(names, gradients, strict=False))
        with torch.no_grad():
            for i, (w, g) in enumerate(zip(weights, gradients, strict=True)):
                if g is not None:
                    m[i], v[i] = 0.9 * m[i] + 0.1 * g, 0.999 * v[i] + 0.001 * g * g
                    w -= made.rate * (m[i] / (1 - 0.9 ** t)) / ((v[i] / (1 - 0.999 ** t)).sqrt() + 1e-8)
    return losses, first


def learns(network, task):
    made = made_for(network, task)
    torch.manual_seed(made.seed)
    first = build(made)
    begun = copy.deepcopy(first)
    trained = train(made)
    sample = in_unit_range(_samples[task])
    losses = [line["loss"] for line in trained.history]
    expected, gradients = by_hand(made, sample)
    after = dict(trained.network.named_parameters())
    for name, before in begun.named_parameters():
        moved = not torch.equal(before, after[name])
        assert moved or gradients[name] is None or not gradients[name].any(), f"{name} learns"
    assert losses[:3] == pytest.approx(expected, rel=2e-4), "the first steps are those of Adam on this loss"
    factor = SLOW.get((network, task), FACTOR)
    assert losses[-1] < factor * losses[0], "the loss falls"
    assert error(trained.network, sample) < factor * error(begun, sample), "what a user gets comes nearer to the reference"
    with torch.no_grad():
        bare, restored = output_of(trained.network.eval(), sample)[0], predict(trained.network, sample)
    assert torch.minimum((bare - restored).abs(), (bare.clamp(0, 1) - restored).abs()).max() < 1e-5, "a loss sees what a user gets"


@pytest.mark.parametrize(("network", "task"), PAIRS)
def test_a_network_learns_one_scene(network, task):
    learns(network, task)


def frozen(monkeypatch):
    def build_frozen(made):
        network = build(made)
        network.body[0].requires_grad_(False)
        return network
    monkeypatch.setattr(training, "build", build_frozen)


def gradient_kept(monkeypatch):
    monkeypatch.setattr(torch.optim.Adam, "zero_grad", lambda self, set_to_none=True: None)


def wrong_image(monkeypatch):
    def pair(self, index, generator):
        _samples["depth"] = sample = one_scene(self, index, generator)
        return training.replace(sample, reference=sample.target)
    monkeypatch.setattr(training._Samples, "one", pair)


def other_step(monkeypatch):
    monkeypatch.setattr(training.Recipe, "rate_at", lambda self, step: 0.5)


@pytest.mark.parametrize(("fault", "words"), [(frozen, "body.0.weight learns"), (gradient_kept, "first steps"),
                                              (wrong_image, "first steps"), (other_step, "first steps")])
def test_a_fault_of_the_loop_is_noticed(fault, words, monkeypatch):
    fault(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        learns("svlrm", "depth")


@pytest.mark.parametrize("task", [task for task in list_tasks() if task != "hyperspectral"])
def test_every_task_is_validated_by_its_own_first_metric(task, monkeypatch):
    monkeypatch.undo()
    network = next(name for name in ("dagf", "cunet", "mgdn", "sfigf") if name in list_models(task))
    line, = train(recipe(network, task, steps=1, batch=1, patch=32, images=1, options=SMALL[network])).history
    first, _ = get_task(task).protocol("procedural").metrics[0]
    assert line[first] == line[first] and abs(line[first]) < 1e6
