"""`girlib restore` on files and folders: reads, restores, says in one line what it did, and writes what is whole.

Everything that can be refused is refused before anything is written; a folder goes on after a damaged pair and names it at the end.
"""

import sys
from pathlib import Path

import numpy as np
import torch.nn.functional as F

from girlib import pictures
from girlib.datasets.files import library, listing, natural
from girlib.errors import GirlibError
from girlib.restoration import Image, run

SHOWN = 1024                                                        # longer side of the images on the page that compares


def restore_files(target, guide, output, task="depth", scale=None, method=None, weights=None, compare=None, **options):
    """Two files and a file to write, or three folders. `compare`: a page with a slider between before and after."""
    if Path(target).is_dir() or Path(guide).is_dir():
        return folders(Path(target), Path(guide), Path(output), task, scale, method, weights, compare, **options)
    output = name_of_output(target, guide, output, compare)
    if options.get("progress") is None:
        options["progress"] = _progress
    told = one(target, guide, output, task, scale, method, weights, compare, **options)
    print(told)


def one(target, guide, output, task, scale, method, weights, compare=None, nodata=None, **options):
    """Restores one pair; returns the line that says what was done."""
    picture, helper = pictures.read(target), pictures.read(guide)
    image, seen = Image(picture.array, "target"), helper.array
    if helper.path.suffix.lower() in pictures.PHOTOS and seen.ndim == 3:
        seen = seen[..., :3]                                        # without transparency
    nodata = picture.nodata if nodata is None else nodata
    done = run(image, Image(seen, "guide"), task, scale, method, weights, nodata=nodata, **options)
    for text in done.warnings:
        print(f"girlib: {Path(target).name}: {text}", file=sys.stderr)
    pictures.write(output, image.array(done.planes), picture, done.enlarged)
    if compare:
        with pictures.replacing(compare) as part:
            part.write_text(page(done, task, picture.path.name), encoding="utf-8")
    return f"{picture.path.name}: {done.did} -> {output}"


def name_of_output(target, guide, output, compare=None):
    """The path to write to, after everything about it that can be wrong."""
    path, output = pictures.split(target)[0], Path(output)
    suffix, wanted = output.suffix.lower(), ending(path)
    same = {wanted} | (set(pictures.TIFFS) if wanted in pictures.TIFFS else set())
    if suffix not in same:
        raise GirlibError(f"restore: the output {output.name} should end in {wanted}, for the target is {path.name}; type and metadata of "
                          "the target are kept.")
    page = [] if compare is None else [Path(compare)]
    if page and page[0].suffix.lower() not in (".html", ".htm"):
        raise GirlibError(f"restore: the page that compares is {page[0].name}; expected a name that ends in .html.")
    for place in [output, *page]:
        if place.is_dir():
            raise GirlibError(f"restore: {place} is a folder, but target and guide are files; give the name of a file.")
        if not place.parent.is_dir():
            raise GirlibError(f"restore: {place} can't be written, for the folder {place.parent} is not there; make it first.")
        for given in (path, pictures.split(guide)[0]):
            if place.exists() and given.exists() and place.samefile(given):
                raise GirlibError(f"restore: {place} is an input and would be overwritten; give another name.")
    return output


def ending(path):
    """Photographs that lose by being stored come out as PNG."""
    return ".png" if path.suffix.lower() in pictures.PHOTOS else path.suffix.lower()


def folders(targets, guides, output, task, scale, method, weights, compare, **options):
    """Every target with the guide of the same name before the ending; what fails is named at the end."""
    for folder in (targets, guides):
        if not folder.is_dir():
            raise GirlibError(f"restore: {folder} is no folder, but the other input is one; give two folders or two files.")
    if compare is not None:
        raise GirlibError("restore: a page compares one pair, but two folders were given; leave it out.")
    if output.is_file() or output.resolve() in (targets.resolve(), guides.resolve()):
        raise GirlibError(f"restore: {output} is {'a file' if output.is_file() else 'a folder of inputs'}; give another folder for the "
                          "results.")
    found, helpers = by_stem(targets), by_stem(guides)
    if not found:
        raise GirlibError(f"restore: {targets} holds no image; expected files that end in {', '.join(pictures.SUFFIXES)}.")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GirlibError(f"restore: {output} can't be made ({error.strerror}); give another folder.") from None
    failed = []
    with library("tqdm").tqdm(sorted(found, key=natural), unit="pair", disable=not sys.stderr.isatty()) as bar:
        for stem in bar:
            try:
                if stem not in helpers:
                    raise GirlibError(f"restore: {found[stem].name} has no guide of that name in {guides}.")
                place = output / (found[stem].stem + ending(found[stem]))
                bar.write(one(found[stem], helpers[stem], place, task, scale, method, weights, **options))
            except GirlibError as error:
                failed.append(str(error).removeprefix("restore: ").rstrip("."))
    if failed:
        raise GirlibError(f"restore: {len(failed)} of {len(found)} pairs were not restored: {'; '.join(failed)}.")


def by_stem(folder):
    """{name before the ending: path} of the images of a folder."""
    found = {}
    for path in listing(folder).values():
        if path.suffix.lower() in pictures.SUFFIXES:
            if path.stem in found:
                raise GirlibError(f"restore: {path.name} and {found[path.stem].name} in {folder} differ in their ending only; keep one.")
            found[path.stem] = path
    return found


def page(done, task, name):
    """A self-contained page: before and after on top of each other, reduced to what a screen shows."""
    from girlib import viz
    images = [shown(planes[:1]) for planes in (done.before, done.planes)]
    kind = "depth" if task == "depth" else "photo"
    if kind == "photo":
        white = max(1, *(np.nanmax(image.numpy()) for image in images))
        images = [image / white for image in images]
    piece = viz.compare(*images, labels=("before", "after"), kind=kind, caption=f"{name}: {done.did}.",
                        alt=f"{name} before and after it was restored.")
    style = ":root{color-scheme:light dark}body{margin:1em auto;padding:0 1em;max-width:66em;font:16px/1.5 system-ui,sans-serif}"
    return (f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>girlib restore</title><style>{style}</style><body>{piece.html}</body></html>\n")


def shown(planes):
    """(1, 1 or 3, H, W), at most SHOWN pixels long; of many bands three."""
    if planes.shape[1] not in (1, 3):
        planes = planes[:, :3] if planes.shape[1] > 3 else planes[:, :1]
    step = -(-max(planes.shape[-2:]) // SHOWN)
    return planes if step == 1 else F.avg_pool2d(planes, step, ceil_mode=True)


def _progress(done, tiles):
    if sys.stderr.isatty():
        print(f"\r{done} of {tiles} tiles", end="" if done < tiles else "\n", file=sys.stderr, flush=True)
