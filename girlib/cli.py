"""The command line: thin, each command one call. A mistake that the user can mend is one sentence and exit code 2."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from girlib import __version__
from girlib.errors import GirlibError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]})


def _show_version(asked: bool):
    if asked:
        print(f"girlib {__version__}")
        raise typer.Exit


@app.callback()
def girlib(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error instead of one sentence.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")] = False,
):
    """Guided image restoration: improve one image with the help of another of the same scene."""


@app.command()
def notebook(
    name: Annotated[str, typer.Argument(help="Path of an .ipynb file, or the name of a chapter of this checkout.")],
    parameter: Annotated[list[str] | None, typer.Option("-p", "--parameter", metavar="NAME=VALUE",
                         help="A parameter of the notebook, e.g. -p profile=colab -p seed=1.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Executed copy; default NAME.executed.ipynb here.")] = None,
    show: Annotated[bool, typer.Option("--list", help="List the parameters, with defaults and help, and stop.")] = False,
):
    """Run a chapter with papermill. Unknown parameters are an error; a failing cell is named."""
    from girlib import notebook as chapters

    path = chapters.find_notebook(name)
    known = chapters.parameters(path)
    if show:
        for entry in known.values():
            print(f"{entry['name']:<12} {entry['default']:<12} {entry['help']}")
        return
    output = output or Path(f"{path.stem}.executed.ipynb")
    chapters.execute(path, output, chapters.parse_parameters(parameter or []))
    print(output)


@app.command()
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names as in `girlib data --list`, e.g. middlebury weights/dctnet; "
                                               "weights stands for all of them.")],
    check: Annotated[bool, typer.Option("--check", help="Download nothing; verify sizes, hashes and counts of what is here.")] = False,
    root: Annotated[str, typer.Option("--root", metavar="FOLDER", help="Folder of datasets; default GIRLIB_DATA, else data/.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Accept the terms that are shown.")] = False,
):
    """Download datasets and released weights, or say how they are had. Exit code 1 if something is still missing."""
    from girlib.fetch import fetch

    raise typer.Exit(0 if fetch(names, root, check, yes) else 1)


@app.command()
def data(
    details: Annotated[bool, typer.Option("--list", help="A line for each: what is here, its size, terms, and how it is had.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
    root: Annotated[str, typer.Option("--root", metavar="FOLDER", help="Folder of datasets; default GIRLIB_DATA, else data/.")] = "",
):
    """Show the datasets and released weights: what is here, what is missing, and how to get it."""
    from girlib.registry import show

    show(root, details, as_json)


@app.command(epilog="Examples:  girlib evaluate bicubic depth --dataset middlebury --scale 4  ·  girlib evaluate dctnet depth --dataset "
             "nyu --scale 8 --weights official --keep  ·  girlib evaluate gf depth --scale 4 -o radius=8 -o eps=1e-4 --json")
def evaluate(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="A network (dctnet, sfigf, ...) or a classical method (bicubic, gf, jbu, "
                                          "average, ...).")],
    task: Annotated[str, typer.Argument(metavar="TASK", help="What it is to do: depth, pansharpening, multifocus, ...")],
    dataset: Annotated[str, typer.Option(help="A dataset of the task, or procedural: scenes that need no download.")] = "procedural",
    scale: Annotated[int | None, typer.Option(help="Of super-resolution; default the first of the task.")] = None,
    protocol: Annotated[list[str] | None, typer.Option(help="One of the task's ways to score, or all; may be repeated; default the "
                                                       "first for the dataset.")] = None,
    weights: Annotated[str | None, typer.Option(help="official (the authors'), girlib (ours) or a file; default random.")] = None,
    limit: Annotated[int | None, typer.Option(help="Score only so many images, from the first.")] = None,
    size: Annotated[int, typer.Option(help="Of procedural scenes, in pixels.")] = 256,
    seed: Annotated[int, typer.Option(help="Of scenes, noise and random weights.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that share the images; 0: this one. The result is the same.")] = 0,
    tile: Annotated[int | None, typer.Option(help="Networks work on larger images in tiles of so many pixels a side; 0: never. Default: "
                                             "1024 for images of more than 4 million pixels.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first image that cannot be scored (exit code 2).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A record a line as JSON, with the value of every image.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Add the records to results/records instead of _build/records.")] = False,
    option: Annotated[list[str] | None, typer.Option("-o", "--option", metavar="NAME=VALUE",
                      help="An option of the method, e.g. -o radius=8; may be repeated.")] = None,
):
    """Score a method on a dataset, as a paper scores it; a record a metric.

    Images that cannot be scored are named at the end; the others count.
    """
    from girlib.evaluation import evaluate
    from girlib.notebook import parse_parameters
    from girlib.results import append, as_line, in_checkout, records_folder

    if keep and not in_checkout():
        raise GirlibError("evaluate: --keep adds to the records of girlib's repository, and this is an installed package; leave it out.")
    records = evaluate(method, task, dataset, scale=scale, protocol=_protocols(protocol), weights=weights, limit=limit, size=size,
                       seed=seed, device=device, workers=workers, strict=strict, progress=sys.stderr.isatty(), tile=tile,
                       options=parse_parameters(option or []))
    failed = {name: why for record in records for name, why in record.failed.items()}
    records = [record for record in records if record.images]
    if not records:
        raise GirlibError(f"evaluate: no image could be scored: {next(iter(failed.values()))}")
    append(records, records_folder(keep) / f"{task}.jsonl")
    for record in records:
        print(as_line(record) if as_json else _line(record))
    for name, why in failed.items():
        print(f"girlib: not scored: {name}: {why}", file=sys.stderr)


def _protocols(given):
    return "all" if given == ["all"] else given or None


def _line(record):
    at = f" {record.scale}x" if record.scale else ""
    value = "nothing scored" if record.value is None else f"{record.value:.6f}" + (f" {record.unit}" if record.unit != "1" else "")
    images = f"{len(record.images)} image{'s' * (len(record.images) != 1)}"
    return f"{record.method}  {record.task}  {record.dataset}{at}  {record.protocol['name']}  {record.metric}  {value}  ({images})"


@app.command(epilog="Examples:  girlib table --list  ·  girlib table sfigf:1  ·  girlib table gdd:2 --markdown > gdd2.md")
def table(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="As in --list: sfigf:1, dagf:1, mgdn:4, gdd:2, ...")] = None,
    show: Annotated[bool, typer.Option("--list", help="All 20 tables: how many numbers were published, measured, and wait.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Write Markdown.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV, a line a cell.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
):
    """Print a table of the papers: published, measured, the difference, and what each row waits for.

    Measured values come from the records of `girlib evaluate`. Networks appear once their baseline is right.
    """
    import json

    from girlib import tables
    from girlib.tables_text import listing

    if as_markdown + as_csv + as_json > 1:
        raise GirlibError("table: give one of --markdown, --csv and --json.")
    if show is (name is not None):
        raise GirlibError("table: give the name of a table, as in `girlib table sfigf:1`, or --list.")
    if show:
        if as_markdown or as_csv:
            raise GirlibError("table: --list is written for reading or, with --json, for programs; leave the other option out.")
        found = tables.list_tables()
        print(json.dumps(found, indent=1) if as_json else listing(found))
        return
    found = tables.table(name)
    print(found.markdown() if as_markdown else found.csv() if as_csv else found.json() if as_json else found)


@app.command(epilog="Examples:  girlib train dagf depth --scale 8  ·  girlib train dagf depth --scale 8 --resume  ·  girlib train sfigf "
             "depth --scale 16 --profile colab --device cuda")
def train(
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="sfigf, dagf, mgdn, fdkn, ...")],
    task: Annotated[str, typer.Argument(metavar="TASK", help="depth, pansharpening, multifocus, ...")],
    profile: Annotated[str, typer.Option(help="quick (minutes on two cores), colab (a GPU) or paper (the paper's settings).")] = "quick",
    scale: Annotated[int | None, typer.Option(help="Of super-resolution; default the first of the task.")] = None,
    seed: Annotated[int, typer.Option(help="Of first weights, scenes and noise.")] = 0,
    dataset: Annotated[str, typer.Option(help="procedural, or a dataset of the task with a training split.")] = "procedural",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder of checkpoints, log and best weights; default below "
                                                "runs/, named after network, task, scale, profile and seed.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's last checkpoint.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    workers: Annotated[int, typer.Option(help="Processes that make samples; 0: this one. The result is the same.")] = 0,
    precision: Annotated[str, typer.Option(help="no, bf16 or fp16 (mixed, needs accelerate).")] = "no",
    start: Annotated[str | None, typer.Option(help="Weights to begin from: a file, official or girlib; default random ones.")] = None,
    show: Annotated[bool, typer.Option("--recipe", help="Print the settings and stop.")] = False,
    setting: Annotated[list[str] | None, typer.Option("-s", "--set", metavar="NAME=VALUE", help="Another value for a setting of the "
                                                      "recipe, e.g. -s steps=1000; may be repeated.")] = None,
):
    """Train a network, on procedural scenes unless told otherwise. It can be stopped at any moment and resumed."""
    from girlib.notebook import parse_parameters
    from girlib.recipes import recipe

    settings = parse_parameters(setting or [])
    if own := [name for name in ("network", "task", "scale", "profile", "seed") if name in settings]:
        raise GirlibError(f"train: {own[0]} was given by --set; it has a place of its own, see girlib train --help.")
    made = recipe(network, task, scale, profile, seed, **{"data": dataset, **settings})
    if show:
        print(made)
        return
    from girlib.training import train

    folder = output or Path("runs") / "-".join(str(part) for part in (network, task, made.scale, profile, seed) if part is not None)
    if start is not None:
        from girlib.networks import load_model
        start = load_model(network, task, start, made.scale, **made.options)
    trained = train(made, folder, resume, device, workers, precision, progress=sys.stderr.isatty(), watch=_validated, before=_foretold,
                    start=start)
    if trained.folder:
        print(folder / "best.safetensors")


def _foretold(made):
    expected = made.expected()
    print(f"{made.steps} steps of {made.batch} x {made.patch} x {made.patch} pixels: {expected or 'no step of this pair was timed yet'}",
          flush=True)


def _validated(line):
    print("  ".join(f"{name} {value:g}" for name, value in line.items() if value is not None), flush=True)


@app.command(epilog="Examples:  girlib sweep zoo/main.toml --dry-run  ·  girlib sweep zoo/main.toml --workers 2 --keep  ·  girlib sweep -n "
             "sfigf,dagf -t depth --scale 4,8 --seed 0,1 --minutes 3")
def sweep(
    file: Annotated[Path | None, typer.Argument(metavar="[GRID]", help="A TOML file: steps or minutes, and [[group]]s with methods, "
                                                "tasks, scales, seeds, options, settings, variants.")] = None,
    network: Annotated[str, typer.Option("-n", "--network", help="Networks and methods, between commas.")] = "",
    task: Annotated[str, typer.Option("-t", "--task", help="Tasks, between commas.")] = "",
    scale: Annotated[str, typer.Option(help="Scales, between commas; default the first of the task.")] = "",
    seed: Annotated[str, typer.Option(help="Seeds, between commas.")] = "0",
    option: Annotated[list[str] | None, typer.Option("-o", "--option", metavar="NAME=A,B", help="Values of a network's option, e.g. "
                                                     "-o width=16,24; may be repeated.")] = None,
    setting: Annotated[list[str] | None, typer.Option("-s", "--set", metavar="NAME=VALUE", help="A setting of all recipes, e.g. "
                                                      "-s patch=32; may be repeated.")] = None,
    dataset: Annotated[str, typer.Option(help="On what each cell is scored, between commas.")] = "procedural",
    steps: Annotated[int | None, typer.Option(help="Budget of each cell in steps.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Budget of each cell in CPU-minutes, of which a measurement makes steps.")] = None,
    folder: Annotated[Path | None, typer.Option("-d", "--folder", help="Where the cells lie; default below runs/, named after the "
                                                "file.")] = None,
    workers: Annotated[int, typer.Option(help="Cells worked on at a time, each in a process; 0: in this one.")] = 1,
    executor: Annotated[str, typer.Option(help="auto (Slurm where there is one), local or slurm.")] = "auto",
    slurm: Annotated[list[str] | None, typer.Option("-x", "--slurm", metavar="NAME=VALUE", help="An option of submitit, e.g. "
                                                    "-x slurm_partition=gpu; may be repeated.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, ... of each worker.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Of each worker.")] = 1,
    show: Annotated[bool, typer.Option("--dry-run", "--list", help="Show the cells and how far each has come, and stop.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try the failed cells again.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Add the records to results/records instead of _build/records.")] = False,
):
    """Train and score a grid of networks, tasks, scales, seeds and options, each under one budget. Exit code 1 if a cell failed.

    It may be stopped or killed at any moment: the same command goes on. Finished cells are never run twice.
    """
    from girlib import sweep as grids
    from girlib.notebook import parse_parameters
    from girlib.results import in_checkout, records_folder

    if (file is None) == (not network and not task):
        raise GirlibError("sweep: give the grid as a file, or as --network and --task.")
    if keep and not in_checkout():
        raise GirlibError("sweep: --keep adds to the records of girlib's repository, and this is an installed package; leave it out.")
    if file:
        cells, budget = grids.read_grid(file)
    else:
        cells, budget = grids.grid(_words(network), _words(task), _numbers("scale", scale) or [None], _numbers("seed", seed),
                                   {name: _choices(value) for name, value in _texts(option).items()}, parse_parameters(setting or []),
                                   datasets=tuple(_words(dataset))), None
    if steps is not None or minutes is not None or budget is None:
        budget = grids.Budget(steps, minutes)
    folder = folder or Path("runs") / (file.stem if file else "sweep")
    if show:
        for name, state in grids.swept(grids.checked(cells, device), folder).states.items():
            print(f"{state:11}  {name}")
        print(f"{len(cells)} cells, {budget} each")
        return
    found = grids.sweep(cells, folder, budget, workers, executor, device, threads, records_folder(keep), retry,
                        lambda name, state: print(f"{state:11}  {name}", flush=True), **parse_parameters(slurm or []))
    for name, why in found.failed.items():
        print(f"girlib: {name} failed: {why}", file=sys.stderr)
    left = [name for name, state in found.states.items() if state not in ("finished", "failed")]
    print(f"{len(found.states) - len(found.failed) - len(left)} of {len(cells)} cells finished, {len(found.failed)} failed, "
          f"{len(left)} left; {budget} each, in {folder}")
    raise typer.Exit(1 if found.failed or left else 0)


def _words(text):
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(name, text):
    if not all(word.isdecimal() and len(word) < 10 for word in _words(text)):
        raise GirlibError(f"sweep: --{name} is {text!r}; expected whole numbers between commas.")
    return [int(word) for word in _words(text)]


def _texts(pairs):
    """NAME=VALUE as it was typed; the values are read by `_choices`."""
    from girlib.notebook import parse_parameters
    return {pair.partition("=")[0]: pair.partition("=")[2] for pair in pairs or [] if parse_parameters([pair])}


def _choices(text):
    """What an option takes in turn: "16,24", "gica,linear", or one tuple "(3, 3)"."""
    from girlib.notebook import parse_parameters
    words = [text] if text.startswith(("(", "[")) else _words(text)
    return [parse_parameters([f"value={word}"])["value"] for word in words]


@app.command(epilog="Examples:  girlib restore depth.png photo.jpg -o fine.png --compare look.html  ·  girlib restore scene.npz:low "
                    "scene.npz:pan -o fine.npz --task pansharpening  ·  girlib restore depths/ photos/ -o fine/ --fill  ·  girlib restore "
                    "dim.png flash.png -o calm.png --task flash --method gf --option radius=8")
def restore(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Image to restore, or a folder: PNG, TIFF, JPEG, NPY, or an array in NPZ, "
                                          "MAT or HDF5 as scene.npz:depth.")],
    guide: Annotated[str, typer.Argument(metavar="GUIDE", help="Image of the same scene that helps, or a folder with files of the same "
                                         "names; a camera's raw file, too.")],
    output: Annotated[str, typer.Option("-o", "--output", help="File (with the target's ending) or folder to write.")],
    task: Annotated[str, typer.Option("--task", help="depth, saliency, pansharpening, hyperspectral, flash, multifocus or "
                                      "multiexposure.")] = "depth",
    scale: Annotated[int | None, typer.Option("--scale", help="How many times larger the guide is; default: as the sizes say.")] = None,
    method: Annotated[str | None, typer.Option("--method", help="gf, gf-back, jbf, jbu, bicubic, average, ... or a network. Default: the "
                                               "network whose weights come with girlib, where they suit and scored better than a filter; "
                                               "else gf-back (one size: gf, fusion: average), which needs no training.")] = None,
    weights: Annotated[str | None, typer.Option("--weights", help="Of a network: the path of a file, official (its authors') or girlib "
                                                "(ours).")] = None,
    fill: Annotated[bool, typer.Option("--fill/--keep-holes", help="Fill pixels without a measurement, or leave them so.")] = False,
    nodata: Annotated[float | None, typer.Option("--nodata", help="The value that stands for no measurement; default: as the file says, "
                                                 "else 0 in depth; nan: none.")] = None,
    tile: Annotated[int, typer.Option("--tile", help="Work on larger images in tiles of so many pixels; 0: at once.")] = 512,
    compare: Annotated[str | None, typer.Option("--compare", metavar="PAGE.html", help="Write a page: before, after, a slider.")] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:N or auto.")] = "cpu",
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="Of the method, e.g. --option radius=8; may be "
                                                     "repeated.")] = None,
):
    """Improve an image of your own with the help of a second one of the same scene.

    A smaller target is enlarged to the guide's size. Type, unit, metadata and georeference of the target are kept; values stay in its
    range, holes (NaN, nodata, 0 in depth) stay holes. One line says what was done. What seems shifted is told, a damaged pair of two
    folders is named at the end, and a file is whole or absent.
    """
    from girlib.notebook import parse_parameters
    from girlib.restoration_files import restore_files

    restore_files(target, guide, output, task, scale, method, weights, compare, fill=fill, nodata=nodata, tile=tile, device=device,
                  options=parse_parameters(option or []))


@app.command()
def doctor():
    """Print the environment, what is missing, and the command that mends it. Exit code 1 if something necessary is missing."""
    from girlib.doctor import examine

    healthy = examine()
    raise typer.Exit(0 if healthy else 1)


def main():
    try:
        sys.exit(app(standalone_mode=False))
    except (GirlibError, TimeoutError) as error:
        if "--debug" in sys.argv:
            raise
        print(f"girlib: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, GirlibError) else 124)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        if not hasattr(error, "format_message"):        # of typer and click: an unknown option, a word for a number
            raise
        if said := " ".join(error.format_message().split()):
            print(f"girlib: {said.rstrip('.')}; add --help to see what can be given.", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
