"""The loop that trains every network on every task, and the checkpoints that survive a kill at any moment.

One step: a batch of samples, the network, the loss, its gradient, Adam. The samples of a step follow from the seed and the
step's number alone, so a run that was interrupted goes on with the very numbers that it would have had. On one device the loop
needs nothing but torch; several processes, mixed precision and accumulated gradients are accelerate's part.
"""

import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from girlib.errors import GirlibError
from girlib.evaluation import evaluate
from girlib.layers import value_range
from girlib.methods import weights_hash
from girlib.recipes import Recipe, build, find_loss
from girlib.results import provenance
from girlib.samples import augment, loader, names_of, random_crop
from girlib.streams import Stream
from girlib.tasks import get_task

VALIDATION_SEED = 10**9


@dataclass
class Trained:
    """What a run leaves behind."""

    network: torch.nn.Module
    history: list[dict]                     # a line a validation: step, loss, metric, rate, seconds
    best: float | None                      # value of the task's first metric
    folder: Path | None


def train(recipe: Recipe, folder=None, resume=False, device="auto", workers=0, precision="no", accumulate=1, compiled=False,
          save_every=60.0, progress=False, watch=None, data_root=None, data=None, validation=None, start=None,
          before=None):
    """Trains the network of a recipe. With a folder, checkpoints, the log and the best weights are kept there.

    resume      go on from the folder's last checkpoint, where there is one: bit for bit as if never interrupted (one device)
    precision   "no", "bf16" or "fp16" (mixed, by accelerate)
    accumulate  how many parts a batch is computed in, where it does not fit at once
    compiled    let torch compile the network: pays off on a GPU from some thousand steps on
    save_every  seconds between two checkpoints
    watch       is called with each line of the history, e.g. to draw a curve
    data        captures of one's own to train on, in a list or anything that gives them by number; with them `validation`, others to
                be scored on
    before      is called with the recipe when all is checked and nothing is computed yet
    start       a network whose weights to begin from (it is not changed); parameters without requires_grad stay as they are
    """
    recipe = _told(recipe, data, validation, start)
    machine = _machine(device, precision, accumulate)
    torch.manual_seed(recipe.seed)
    network = _begun(build(recipe), start).to(machine.device)
    loss = find_loss(recipe)
    parts = [network, loss] if isinstance(loss, torch.nn.Module) else [network]
    parameters = [p for part in parts for p in part.to(machine.device).parameters() if p.requires_grad]
    adam = torch.optim.Adam(parameters, lr=recipe.rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, recipe.rate_at)
    state = _State(recipe, Path(folder) if folder else None, network, loss, adam, schedule)
    if resume:
        state.load(machine.device)
    elif state.folder and (state.folder / "last.pt").exists():
        raise GirlibError(f"train: {str(state.folder)!r} holds a training already; give resume=True to go on, or another folder.")
    if not machine.is_main_process:
        state.folder = None                                     # one process writes for all
    make = _Samples(recipe, data_root, data)
    if state.folder and not state.step:                         # a folder that cannot be written is told now, not after an hour
        text = json.dumps(asdict(recipe), indent=1)
        write_whole(state.folder / "recipe.json", lambda part: part.write_text(text))
    if before and machine.is_main_process:
        before(recipe)
    step_network = torch.compile(network) if compiled else network
    step_network, adam, *step_loss = machine.prepare(step_network, adam, *parts[1:])
    step_loss = step_loss[0] if step_loss else loss             # its parameters, too, get the mean gradient of all processes
    if machine.process_index:
        torch.manual_seed(recipe.seed + machine.process_index)  # the branches that are left out differ from process to process

    batches = loader(make.one, recipe.steps * accumulate, recipe.batch // accumulate or 1, recipe.seed, make.length, workers,
                     start=state.step * accumulate, process=machine.process_index, processes=machine.num_processes)
    bar = _Bar(recipe, state.step, progress and machine.is_main_process)
    network.train()
    for number, sample in enumerate(batches, state.step * accumulate):
        with machine.accumulate(step_network):
            with machine.autocast():
                value = loss_of(network, step_loss, sample.to(machine.device), step_network)
            if not value.isfinite():
                raise GirlibError(f"train: the loss is {value.item()} at step {state.step}; lower the recipe's rate ({recipe.rate}).")
            machine.backward(value)
            if (number + 1) % accumulate == 0:
                adam.step()
                adam.zero_grad()
                schedule.step()
        state.loss += machine.reduce(value.detach(), reduction="mean").item() / accumulate
        if (number + 1) % accumulate:
            continue
        state.step += 1
        state.since += 1
        bar.update(value.item())
        if state.step == recipe.steps or recipe.validate and state.step % recipe.validate == 0:
            line = state.validated(_validate(recipe, network, machine.device, data_root, validation), schedule)
            bar.validated(line)
            if watch and machine.is_main_process:
                watch(line)
        if state.due(save_every):
            state.save()
    bar.close()
    if state.folder:
        state.save()
    return Trained(network.eval(), state.history, state.best, state.folder)


def loss_of(network, loss, sample, wrapped=None):
    """The loss of one batch; `wrapped` is the same network where it is compiled, or shared by several processes."""
    sample = in_unit_range(sample)
    output, intermediates = (wrapped or network)(*network.prepare(sample), return_intermediates=True)
    if hasattr(network, "unscaled"):
        output = network.unscaled(output)
    return loss(fitted(output.float(), sample), sample, intermediates)


@dataclass(frozen=True)
class Cost:
    """What one step of a training takes on a device: seconds (of CPU time; on a GPU of the clock), and GB at the peak."""

    seconds: float
    memory: float
    device: str


def measure(recipe, device="auto", steps=2, data_root=None):
    """Times some steps of a recipe, its samples included, after a first one that is left out. Nothing is kept of them."""
    import resource

    from girlib.notebook import find_device

    device = find_device(device)
    gpu = device.type == "cuda"
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        network, loss = build(recipe).to(device), find_loss(recipe)
        parts = [network, loss.to(device)] if isinstance(loss, torch.nn.Module) else [network]
        adam = torch.optim.Adam([p for part in parts for p in part.parameters()], lr=recipe.rate)
        make, clock = _Samples(recipe, data_root), time.perf_counter if gpu else time.process_time
        for number, sample in enumerate(loader(make.one, steps + 1, recipe.batch, recipe.seed, make.length)):
            loss_of(network, loss, sample.to(device)).backward()
            adam.step()
            adam.zero_grad()
            if gpu:
                torch.cuda.synchronize(device)
            if number == 0:
                begun = clock()
        seconds = (clock() - begun) / steps
    peak = torch.cuda.max_memory_allocated(device) if gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Cost(seconds, peak / 1e9, str(device))


def in_unit_range(sample):
    """Target, low and reference stretched so that each reference fills [0, 1], as all four papers train on depth."""
    if sample.unit == "1" or sample.reference is None:
        return sample
    lowest, span = value_range(sample)
    stretch = lambda image: None if image is None else (image - lowest) / span
    return replace(sample, target=stretch(sample.target), low=stretch(sample.low), reference=stretch(sample.reference), unit="1")


def fitted(restored, sample):
    """The network's bare output at the reference's size: no clamping, which would stop the gradient."""
    like = sample.reference
    if like is None or not like.is_floating_point():            # labels: a channel for each class of the target
        like = sample.target
    return restored.reshape(-1, like.shape[1], *restored.shape[-2:])[..., :like.shape[2], :like.shape[3]]


class _Samples:
    """Where the samples of a recipe come from: make.one(index, generator), and how many different ones there are."""

    def __init__(self, recipe, data_root, own=None):
        self.recipe, self.data = recipe, own
        if own is None and recipe.data == "procedural":
            self.stream = Stream(get_task(recipe.task), recipe.patch, recipe.batch, recipe.scale, recipe.seed, **recipe.scenes)
        elif own is None:
            from girlib.datasets import open_dataset
            self.data = open_dataset(recipe.data, split="train", root=data_root)
        self.length = None if self.data is None else len(self.data)

    def one(self, index, generator):
        recipe, task = self.recipe, get_task(self.recipe.task)
        seed, scale = int(torch.randint(2**31, (), generator=generator)), recipe.scale
        if self.data is None:
            capture, scale = self.stream(index, generator)
        else:
            capture = random_crop(self.data[index], recipe.patch, generator, multiple=recipe.scale or 2)
        return task.observe(augment(capture, generator), scale=scale, seed=seed, **recipe.sensor)


def _validate(recipe, network, device, data_root, own=None):
    """The task's own first metric on scenes (or images of the dataset's scored split) that training never sees."""
    dataset = recipe.data if own is None else own
    seed = VALIDATION_SEED if dataset == "procedural" else 0
    records = evaluate(network, recipe.task, dataset, scale=recipe.scale, limit=recipe.images, size=max(recipe.patch, 64), seed=seed,
                       device=str(device), data_root=data_root, **recipe.sensor)
    network.train()
    return records[0]


def _told(recipe, data, validation, start):
    """The recipe with a word on data of one's own and on the weights to begin from, so that no other ones are taken by mistake."""
    if (data is None) != (validation is None):
        raise GirlibError("train: data of one's own come in two parts; give data= to train on, and validation= to be scored on.")
    if data is not None:
        names, scored = names_of("train", data), names_of("train", validation)
        if shared := set(names) & set(scored):
            raise GirlibError(f"train: {sorted(shared)[0]!r} is in data= and in validation=; what is scored must not be trained on.")
        digest = hashlib.sha256(repr((names, scored)).encode()).hexdigest()[:12]
        recipe = replace(recipe, data=f"own: {len(names)} captures, {digest}")
    return recipe if start is None else replace(recipe, start=weights_hash(start))


def _begun(network, start):
    """The network with the weights of another one of its kind; what does not learn there does not learn here."""
    if start is None:
        return network
    kind = lambda one: (type(one), {name: value.shape for name, value in one.state_dict().items()})
    if kind(network) != kind(start):
        raise GirlibError("train: start is another network than the recipe's; give both the same name, task and options.")
    network.load_state_dict(start.state_dict())
    for own, given in zip(network.parameters(), start.parameters(), strict=True):
        own.requires_grad_(given.requires_grad)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise GirlibError("train: no parameter of start requires a gradient; leave some free to learn.")
    return network


class _State:
    """All that the rest of a run depends on, and the folder that keeps it."""

    def __init__(self, recipe, folder, network, loss, adam, schedule):
        self.recipe, self.folder, self.network, self.adam, self.schedule = recipe, folder, network, adam, schedule
        self.terms = loss if isinstance(loss, torch.nn.Module) else None
        self.step, self.best, self.history, self.loss, self.since = 0, None, [], 0.0, 0
        self.seconds, self.begun, self.saved = 0.0, time.perf_counter(), time.perf_counter()

    def validated(self, record, schedule):
        line = {"step": self.step, "loss": self.loss / max(self.since, 1), record.metric: record.value, "rate": schedule.get_last_lr()[0],
                "seconds": round(self.seconds + time.perf_counter() - self.begun, 1)}
        self.history.append(line)
        self.loss, self.since = 0.0, 0
        better = record.value is not None and (self.best is None or (record.value < self.best) == (record.direction == "lower")
                                               and record.value != self.best)
        if better:
            self.best = record.value
            if self.folder:
                save_weights(self.network, self.folder / "best.safetensors", self.recipe, {record.metric: record.value, "step": self.step})
        return line

    def due(self, seconds):
        return self.folder and time.perf_counter() - self.saved >= seconds

    def save(self):
        content = {"recipe": asdict(self.recipe), "step": self.step, "best": self.best, "history": self.history, "loss": self.loss,
                   "since": self.since, "seconds": self.seconds + time.perf_counter() - self.begun,
                   "network": self.network.state_dict(), "terms": self.terms and self.terms.state_dict(), "adam": self.adam.state_dict(),
                   "schedule": self.schedule.state_dict(), "random": torch.get_rng_state(),
                   "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}
        write_whole(self.folder / "last.pt", lambda path: torch.save(content, path))
        text = "".join(json.dumps(line) + "\n" for line in self.history)
        write_whole(self.folder / "log.jsonl", lambda path: path.write_text(text))
        self.saved = time.perf_counter()

    def load(self, device):
        path = self.folder and self.folder / "last.pt"
        if not path:
            raise GirlibError("train: resume=True needs the folder that holds the interrupted training.")
        if not path.exists():
            return
        try:
            content = torch.load(path, map_location=device, weights_only=True)
            told = {name: value for name, value in content["recipe"].items()}
        except Exception:                               # whatever bytes may stand there
            raise GirlibError(f"train: {str(path)!r} is damaged or no checkpoint of ours; remove it to begin anew.") from None
        mine = json.loads(json.dumps(asdict(self.recipe)))
        changed = [name for name in mine if json.loads(json.dumps(told.get(name))) != mine[name]]
        if changed:
            raise GirlibError(f"train: the training in {str(self.folder)!r} has another {changed[0]} ({told.get(changed[0])!r}, here "
                              f"{mine[changed[0]]!r}); resume it with its own recipe, or give another folder.")
        self.network.load_state_dict(content["network"])
        if self.terms:
            self.terms.load_state_dict(content["terms"])
        self.adam.load_state_dict(content["adam"])
        self.schedule.load_state_dict(content["schedule"])
        self.step, self.best, self.history = content["step"], content["best"], content["history"]
        self.loss, self.since, self.seconds = content["loss"], content["since"], content["seconds"]
        torch.set_rng_state(content["random"].cpu())
        if content["random_cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all([state.cpu() for state in content["random_cuda"]])


def save_weights(network, path, recipe, scores):
    """Our weights with all that is known of them in the file's header."""
    from safetensors.torch import save_file

    header = {"recipe": json.dumps(asdict(recipe)), "scores": json.dumps(scores), "sha256": weights_hash(network), "licence": "MIT",
              **{name: json.dumps(value) for name, value in provenance().items()}}
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    write_whole(path, lambda part: save_file(tensors, part, header))


def write_whole(path, write):
    """A file that is there whole or not at all, whenever the machine stops."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise GirlibError(f"train: {str(path)!r} cannot be written ({error.strerror}); free space or choose another folder.") from None
    finally:
        if path.parent.is_dir():
            part.unlink(missing_ok=True)


# ------------------------------------------------------------------------------------------------- one device, or accelerate

class _OneDevice:
    """What the loop asks of accelerate, for one process on one device in float32."""

    process_index, num_processes, is_main_process = 0, 1, True

    def __init__(self, device, accumulate):
        from contextlib import nullcontext
        self.device, self.accumulate_steps = device, accumulate
        self.autocast = nullcontext
        self.accumulate = lambda network: nullcontext()

    def prepare(self, *things):
        return things

    def backward(self, loss):
        (loss / self.accumulate_steps).backward()

    def reduce(self, value, reduction):
        return value


def _machine(device, precision, accumulate):
    from girlib.notebook import find_device

    if precision not in ("no", "bf16", "fp16"):
        raise GirlibError(f"train: precision is {precision!r}; expected no, bf16 or fp16.")
    if isinstance(accumulate, bool) or not isinstance(accumulate, int) or accumulate < 1:
        raise GirlibError(f"train: accumulate is {accumulate!r}; expected a whole number, 1 or more.")
    device = find_device(device)
    if precision == "no" and int(os.environ.get("WORLD_SIZE", 1)) == 1:
        return _OneDevice(device, accumulate)
    try:
        from accelerate import Accelerator, DistributedDataParallelKwargs
    except ImportError:
        raise GirlibError("train: several processes and mixed precision need accelerate: pip install accelerate") from None
    unread = [DistributedDataParallelKwargs(find_unused_parameters=True)]       # some released networks never read a part of theirs
    return Accelerator(cpu=device.type == "cpu", mixed_precision=precision, gradient_accumulation_steps=accumulate, kwargs_handlers=unread)


class _Bar:
    """Progress with loss, metric, rate and time left; nothing where nobody looks."""

    def __init__(self, recipe, done, shown):
        self.bar, self.scores = None, {}
        if shown:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                raise GirlibError("train: the progress bar needs tqdm: pip install tqdm") from None
            title = f"{recipe.network} {recipe.task}" + (f" x{recipe.scale}" if recipe.scale else "")
            self.bar = tqdm(total=recipe.steps, initial=done, desc=title, unit="step")

    def update(self, loss):
        if self.bar:
            self.bar.set_postfix(self.scores, loss=f"{loss:.4f}", refresh=False)
            self.bar.update()

    def validated(self, line):
        own = ("step", "loss", "rate", "seconds")
        self.scores = {name: f"{value:.3f}" for name, value in line.items() if name not in own and value is not None}

    def close(self):
        if self.bar:
            self.bar.close()
