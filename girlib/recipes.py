"""What decides a training run, and nothing else: each paper's settings, and the two smaller profiles that are derived from them.

`recipe("sfigf", "depth", scale=8)` is the quick one; `profile="paper"` has the settings of the paper; where the released script
differs, `note` says how. The short profiles share one schedule: a schedule of 200,000 steps cannot be scaled down to 200.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from inspect import signature

from girlib.errors import GirlibError
from girlib.losses import (
    MGDNLoss,
    charbonnier_loss,
    cross_entropy_loss,
    dagf_loss,
    l1_loss,
    mono_raw_loss,
    mse_loss,
    mu_law_l1_loss,
    multifocus_loss,
    rmse_loss,
    supervised,
)
from girlib.networks import create_model
from girlib.notebook import PROFILES
from girlib.tasks import get_task
from girlib.weights import find_weights

LOSSES = {                                  # name -> function of (restored, sample, intermediates)
    "l1": supervised(l1_loss), "mse": supervised(mse_loss), "rmse": supervised(rmse_loss),
    "charbonnier": supervised(charbonnier_loss), "dagf": dagf_loss,
    "multifocus": multifocus_loss, "mono raw": mono_raw_loss, "cross entropy": cross_entropy_loss,
    "multi-stage": partial(dagf_loss, boundary=0),          # DAGF's model 6
    "l1 mu-law": supervised(mu_law_l1_loss),                # MGDN for HDR without masked MI
}                                           # "masked mi" has parameters: see find_loss


@dataclass(frozen=True)
class Recipe:
    """Everything that the weights depend on."""

    network: str
    task: str
    scale: int | None
    profile: str
    loss: str
    steps: int
    batch: int
    patch: int                              # pixels of the finest image, high and wide
    rate: float                             # of Adam
    decay: tuple[float, ...] | None = None  # (every so many steps, times this much); None: half a cosine down to zero
    seed: int = 0
    data: str = "procedural"                # or a dataset of the task, its training split
    start: str = ""                         # hash of the weights that training began from; empty: random ones
    options: dict = field(default_factory=dict)         # of the network
    sensor: dict = field(default_factory=dict)          # of the task's observe
    scenes: dict = field(default_factory=dict)          # of girlib.streams.Stream: how procedural scenes become patches
    validate: int = 0                       # steps between two validations; 0: only at the end
    images: int = 8                         # scored in a validation
    source: str = ""
    note: str = ""

    def __str__(self):
        shown = {name: value for name, value in asdict(self).items() if value not in ("", {}, None)}
        return "\n".join(f"{name:9} {value}" for name, value in shown.items())

    def expected(self):
        """What the run will take, from measured costs of a step (benchmarks/training_costs.py), or None where there is none.

        One CPU core. Where batch and patch are not those of the measurement, time is taken to grow with the pixels of a batch.
        """
        from girlib.results import results_folder

        path = results_folder() / "training_costs.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        mine = [line for line in lines if (line["network"], line["task"], line["options"]) == (self.network, self.task, self.options)]
        if not mine:
            return None
        pixels = lambda batch, patch: batch * patch ** 2
        own = pixels(self.batch, self.patch)
        last = min(reversed(mine), key=lambda line: (abs(pixels(line["batch"], line["patch"]) - own), line["scale"] != self.scale))
        same = (last["batch"], last["patch"]) == (self.batch, self.patch)
        seconds = self.steps * last["seconds"] * own / pixels(last["batch"], last["patch"])
        return Expected(seconds, last["memory"] if same else None, same, f"{last['cpu']}, {last['date'][:10]}")

    def rate_at(self, step):
        """Learning rate of a step, as a share of the first one."""
        import math
        if self.decay is None:
            return 0.5 * (1 + math.cos(math.pi * min(step, self.steps) / self.steps))
        every, factor = self.decay
        return factor ** (step // int(every))


@dataclass(frozen=True)
class Expected:
    """Time (and memory, where it was measured) of a training on one CPU core."""

    seconds: float
    memory: float | None                    # GB at the peak
    measured: bool                          # with this batch and patch; else scaled by the pixels of a batch
    where: str

    def __str__(self):
        unit, size = next((unit, size) for unit, size in (("days", 86400), ("h", 3600), ("min", 60), ("s", 1))
                          if self.seconds >= size or unit == "s")
        memory = f", {self.memory:.1f} GB" if self.memory else ""
        how = "measured steps" if self.measured else "estimate, by the pixels of a batch, from steps measured"
        return f"about {self.seconds / size:.2g} {unit} of one CPU core{memory} ({how} on {self.where}; validation comes on top)"


# (network, task) -> settings of the paper. Steps are epochs times images over batch.
PAPER = {
    ("sfigf", "depth"): dict(loss="l1", steps=200_000, batch=1, patch=256, rate=1e-4, decay=(60_000, 0.2), options={"width": 48},
                             source="SFIGF, supplement 3.1: 200 epochs of 1,000 pairs",
                             note="the released script: 400 epochs, rate 3e-4, width 32"),
    ("sfigf", "multifocus"): dict(loss="multifocus", steps=8_200, batch=16, patch=128, rate=1e-4, decay=(10**9, 1.0),
                                  source="SFIGF, supplement 3.3: 200 epochs of 650 pairs",
                                  note="the released script: 3,000 epochs of the 60 test pairs, batch 4, rate 8e-4"),
    ("sfigf", "pansharpening"): dict(loss="l1", steps=2_916_000, batch=10, patch=128, rate=1e-4, decay=(10**9, 1.0),
                                     source="SFIGF, supplement 3.2: 3,000 epochs of 9,720 patches",
                                     note="the released script: mean squared error over twice the batch, rate 8e-4, halved three times"),
    ("sfigf", "lowlight_red"): dict(loss="l1", steps=1_850_000, batch=1, patch=512, rate=1e-4, decay=(740_000, 0.5),
                                    source="SFIGF, supplement 3.4, released script for the schedule"),
    ("sfigf", "lowlight_mono"): dict(loss="mono raw", steps=5_000_000, batch=5, patch=512, rate=3e-4, decay=(10**9, 1.0),
                                     source="SFIGF, released script"),
    ("dagf", "depth"): dict(loss="dagf", steps=90_000, batch=32, patch=256, rate=1e-4, decay=(72_000, 0.5),
                            source="DAGF, III-E: 100 epochs, halved every 80", note="the released script: 121 epochs, halved at 100"),
    ("fgf", "depth"): dict(loss="mse", steps=180_000, batch=1, patch=256, rate=1e-4, decay=(10**9, 1.0), source="FGF, released script"),
    ("svlrm", "depth"): dict(loss="charbonnier", steps=500_000, batch=20, patch=64, rate=1e-4, source="SVLRM, a public training script",
                             note="there the rate falls as (1 - step / steps)^2, here as half a cosine; the loss is summed there"),
    ("fdkn", "depth"): dict(loss="l1", steps=20_000, batch=1, patch=256, rate=1e-4, decay=(10_000, 0.2), source="DKN, released script"),
    ("cunet", "depth"): dict(loss="mse", steps=1_000_000, batch=64, patch=64, rate=1e-4, decay=(20_000, 0.9),
                             source="CU-Net, released script"),
    ("dctnet", "depth"): dict(loss="mse", steps=25_000, batch=8, patch=256, rate=1e-3, decay=(12_500, 0.5),
                              source="DCTNet, released script"),
    ("mgdn", "depth"): dict(loss="masked mi", steps=300_000, batch=4, patch=256, rate=1e-4, source="MGDN, settings left in the test script",
                            note="the training script was never released"),
    ("pannet", "pansharpening"): dict(loss="mse", steps=125_000, batch=32, patch=64, rate=1e-3, decay=(10**9, 1.0),
                                      source="PanNet, released script"),
}
OWN_LOSS = {"dagf": "dagf", "mgdn": "masked mi"}
SHORT = {"quick": dict(steps=120, batch=4, patch=64, rate=1e-3, images=4),
         "colab": dict(steps=6_000, batch=8, patch=128, rate=5e-4, images=16)}


def recipe(network, task, scale=None, profile="quick", seed=0, **changes):
    """The recipe of a network on a task; `changes` replace single settings. profile="girlib": that of the weights in the package."""
    if profile == "girlib":
        return replace(Recipe(**find_weights(network, task, scale).header["recipe"]), seed=seed, **changes)
    if profile not in PROFILES:
        raise GirlibError(f"recipe: profile is {profile!r}; expected one of {', '.join(PROFILES)}, or girlib.")
    if network == "gdd":
        raise GirlibError("recipe: gdd is not trained, it optimises for each image anew; call predict.")
    known = get_task(task)
    settings = PAPER.get((network, task))
    if settings is None:
        loss = OWN_LOSS.get(network, "l1") if known.loss == "l1" else known.loss
        settings = dict(loss=loss, steps=100_000, batch=8, patch=128, rate=1e-4, source="no paper prints settings for this pair: ours")
    base = Recipe(network=network, task=task, scale=known.scale(scale), profile=profile, seed=seed, **settings)
    if profile != "paper":
        base = replace(base, **SHORT[profile], decay=None, options={}, source=f"{profile} profile, after: {base.source}")
    base = replace(base, validate=max(base.steps // 10, 1))
    unknown = [name for name in changes if name not in Recipe.__dataclass_fields__]
    if unknown:
        raise GirlibError(f"recipe: there is no setting {unknown[0]!r}; there are {', '.join(Recipe.__dataclass_fields__)}.")
    made = replace(base, **changes)
    for name, least in (("steps", 1), ("batch", 1), ("patch", 16), ("validate", 0), ("images", 1), ("seed", 0)):
        value = getattr(made, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise GirlibError(f"recipe: {name} is {value!r}; expected a whole number, {least} or more.")
    if made.data != "procedural" and made.data not in list(known.datasets):
        raise GirlibError(f"recipe: data is {made.data!r}; expected procedural or one of {', '.join(known.datasets)}.")
    if not (made.decay is None or isinstance(made.decay, (tuple, list)) and len(made.decay) == 2
            and all(type(n) in (int, float) and n > 0 for n in made.decay) and made.decay[0] >= 1):
        raise GirlibError(f"recipe: decay is {made.decay!r}; expected (every so many steps, times this much), or None.")
    for name in ("options", "sensor"):
        if not isinstance(getattr(made, name), dict) or not all(isinstance(key, str) for key in getattr(made, name)):
            raise GirlibError(f"recipe: {name} is {getattr(made, name)!r}; expected a dict of values by name.")
    if unknown := [name for name in made.sensor if name not in list(signature(known.observe).parameters)[3:]]:
        raise GirlibError(f"recipe: the sensor of {task} has no option {unknown[0]!r}; it has "
                          f"{', '.join(list(signature(known.observe).parameters)[3:]) or 'none'}.")
    if isinstance(made.rate, bool) or not isinstance(made.rate, (int, float)) or not 0 < made.rate < 1:
        raise GirlibError(f"recipe: rate is {made.rate!r}; expected a learning rate between 0 and 1.")
    find_loss(made)
    return made


def find_loss(made):
    """The loss of a recipe; the one with parameters is shaped for the network."""
    if made.loss == "masked mi":
        if made.network != "mgdn":
            raise GirlibError(f"recipe: the loss 'masked mi' reads intermediates of mgdn, but the network is {made.network}.")
        from girlib.networks.mgdn import TASKS
        shape = {"channels": (3, 3), **TASKS[made.task], **made.options}
        return MGDNLoss(shape["width"], len(shape["depths"]), inputs=len(shape["channels"]))
    if not isinstance(made.loss, str) or made.loss not in LOSSES:
        raise GirlibError(f"recipe: there is no loss {made.loss!r}; there are {', '.join([*LOSSES, 'masked mi'])}.")
    return LOSSES[made.loss]


def build(made):
    """The network of a recipe, with its first weights."""
    return create_model(made.network, made.task, **made.options)
