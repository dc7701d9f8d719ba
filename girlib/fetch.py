"""Gets datasets and released weights by name, or says how to get them, and checks what lies in the folder of datasets.

    girlib data --list                      what is here, what is missing, its size, its terms and the command that gets it
    girlib fetch middlebury weights/dctnet  downloads; what is here already is compared with its hash and left alone
    girlib fetch --check rgbdd              verifies what you put in place yourself

Registry   registry/datasets.csv (a row a dataset: how it is had, terms, counts) and registry/files.csv (a row a file: address,
           bytes, hash). An address is a URL, or owner/name@commit:path of a public repository
Hashes     are SHA-256, or md5:... where only that was ever published. Where none is known, the hash of what came is printed and
           kept in hashes.tsv beside the data, and another hash later is reported
Unfinished downloads wait in the folder .fetch below the data for the next call, one process at a time
"""

import errno
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

from girlib.download import merge, place, resuming, unpack
from girlib.errors import GirlibError
from girlib.registry import State, amount, data_folder, find, how_many, is_here

FULL = (errno.ENOSPC, errno.EDQUOT)
LOCKED = (errno.EACCES, errno.EPERM, errno.EROFS)


# --------------------------------------------------------------------------------------------------------- what the user asks

def fetch(names, root="", check=False, yes=False):
    """Gets (or with `check` only verifies) each of `names`; True if all of it is here afterwards."""
    entries = [entry for name in names for entry in find(name)]
    folder = data_folder(root)
    act = verify if check else get
    return all([act(entry, folder, yes) for entry in entries])


def get(entry, root, yes=False):
    """Downloads what is missing of an entry, or says how it is had; True if all of it is here afterwards."""
    print(f"{entry.name}: {entry.title}\n  terms: {entry.licence}. {entry.terms}".rstrip())
    if entry.how != "download":
        if (state := State(entry, root)).complete:
            print(f"  here: {state}; `girlib fetch --check {entry.name}` verifies it")
            return True
        print(f"  {entry.steps}\n  page: {entry.page or 'none is known'}\n  folder: {root / entry.folder}\n"
              f"  then: girlib fetch --check {entry.name}")
        return False
    missing = [file for file in entry.files if not is_here(file, root)]
    for file in entry.files:
        if os.path.lexists(root / file.file) and (fault := _fault(file, root)):
            raise GirlibError(f"fetch: {root / file.file} {fault}; move it away and run the same command again.")
    if missing:
        _accept(entry, yes)
        _room(entry, missing, root)
        _download(entry, missing, root)
    state = State(entry, root)
    print(f"  {'here' if state.complete else 'not all is here'}: {state}")
    return state.complete


def verify(entry, root, yes=False):
    """Compares sizes, hashes and counts with the registry, opens the first and last scene, prints what it found; True if all is well."""
    faults = [f"{file.file} {fault}" for file in entry.files if (fault := _fault(file, root))]
    faults += [f"{pattern}: {found} of {count}" for pattern, count in entry.counts if (found := how_many(root, pattern)) < count]
    if not State(entry, root).found:
        faults = [f"nothing of it is in {root / entry.folder}"]
    hashed = sum(bool(file.hash) and (root / file.file).is_file() for file in entry.files)
    if not faults:
        faults = _open(entry, root)
    for fault in faults:
        print(f"{entry.name}: {fault}")
    if not faults:
        print(f"{entry.name}: {State(entry, root)}, {hashed} by hash; all is well")
    return not faults


def _open(entry, root):
    """Faults that the reader of the dataset finds in its first and last scene; none where there is no reader, as for weights."""
    from girlib.datasets import list_datasets, open_dataset
    if entry.name not in list_datasets():
        return []
    try:
        scenes = open_dataset(entry.name, root=root)
        for number in {0, len(scenes) - 1}:
            scenes[number]
    except GirlibError as error:
        return [str(error)]
    print(f"{entry.name}: {scenes!r}")
    return []


def _accept(entry, yes):
    """Terms beyond a citation are accepted by typing y, or by --yes where nobody can type."""
    if not entry.terms or yes:
        return
    if not sys.stdin.isatty():
        raise GirlibError(f"fetch: {entry.name} has terms (above) that you have to accept; add --yes if you do.")
    if input("  Do you accept these terms? [y/N] ").strip().lower() not in ("y", "yes"):
        raise GirlibError(f"fetch: {entry.name} was not downloaded, for its terms were not accepted.")


# ------------------------------------------------------------------------------------------------------------- what is here

def _fault(file, root):
    """What is wrong with a file below `root`, or an empty text."""
    path = root / file.file
    if not os.path.lexists(path):
        return "" if is_here(file, root) else "is missing"
    if not path.is_file():
        return "is no file"
    if file.bytes is not None and path.stat().st_size != file.bytes:
        return f"has {path.stat().st_size} bytes, not {file.bytes}"
    pooch, _ = import_pooch()
    known = file.hash or _remembered(root).get(file.file)
    if not known:
        _remember(root, file.file, pooch.file_hash(str(path)))
    elif pooch.file_hash(str(path), _algorithm(known)) != known.rpartition(":")[2]:
        return "is another file than registered (its hash differs)" if file.hash else "has changed since it came (its hash differs)"
    return ""


def _algorithm(known):
    return known.partition(":")[0] if ":" in known else "sha256"


def _remembered(root):
    """Hashes of files whose hash nobody published: as they came here first."""
    path = root / "hashes.tsv"
    if not path.is_file():
        return {}
    return dict(line.split("\t")[::-1] for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.count("\t") == 1)


def _remember(root, name, digest):
    print(f"  sha256 {digest}  {name} (nobody published its hash; from now on this one is expected)")
    hashes = _remembered(root) | {name: digest}
    beside = root / ".hashes.tsv.part"
    try:
        beside.write_text("".join(f"{value}\t{key}\n" for key, value in sorted(hashes.items())), encoding="utf-8")
        os.replace(beside, root / "hashes.tsv")
    except OSError:
        print(f"  {root} cannot be written, so this hash is not remembered")


# ---------------------------------------------------------------------------------------------------------------- downloads

def _download(entry, files, root):
    """Gets files one after another: download, verification by pooch, unpacking, final name."""
    pooch, tqdm = import_pooch()
    work = root / ".fetch"
    total = sum(file.bytes for file in files) if all(file.bytes for file in files) else None
    current = files[0]
    try:
        with _alone(work, root), tqdm(total=total, unit="B", unit_scale=True, desc=f"  {entry.name}", disable=None) as bar:
            for current in files:
                if is_here(current, root):                              # another process was faster
                    continue
                target = root / current.file
                came = target if target.is_file() else _receive(current, work, bar)     # an archive may lie ready
                digest = None if current.hash else _unlike_before(current, pooch.file_hash(str(came)), root)
                if current.holds:
                    _unpack(current, came, root)
                else:
                    place(came, target)
                if digest:
                    _remember(root, current.file, digest)
    except KeyboardInterrupt:
        raise GirlibError(f"fetch: stopped at {current.file}; the same command goes on from there.") from None
    except GirlibError:
        raise
    except ValueError:                                                  # pooch's word for a hash that differs
        raise GirlibError(f"fetch: what came from {current.url} is not the registered {current.file} (its hash differs) and was thrown "
                          "away; run the same command again, and if it stays so, the file has changed there.") from None
    except OSError as error:
        raise _system(error, current.file, root) from None


def _receive(file, work, bar):
    """The file as it came, verified by pooch where its hash is known, in the folder of unfinished downloads."""
    pooch, _ = import_pooch()
    name = file.file.replace("/", "__")
    keeper = pooch.create(path=work, base_url="", registry={name: file.hash}, urls={name: file.url})
    return Path(keeper.fetch(name, downloader=resuming(work / f"{name}.part", file.bytes, bool(file.hash), bar)))


def _unlike_before(file, digest, root):
    """The hash of a file whose hash nobody published, if it is new here; an error if it was another one before."""
    before = _remembered(root).get(file.file)
    if before not in (None, digest):
        raise GirlibError(f"fetch: {file.file} is another file today than when it first came here (its hash differs); if that is right, "
                          f"remove its line from {root / 'hashes.tsv'} and run the same command again.")
    return None if before else digest


def _unpack(file, archive, root):
    """Unpacks an archive; what it holds appears once all of it is unpacked. One that we downloaded is not kept."""
    target = root / file.file
    ours, loose = archive != target, root / ".fetch" / f"unpack-{target.name}"
    try:
        unpack(archive, loose)
    except GirlibError:
        if ours:
            archive.unlink()
        raise
    merge(loose, target.parent)
    shutil.rmtree(loose, ignore_errors=True)
    if short := [f"{pattern}: {found} of {count}" for pattern, count in file.holds if (found := how_many(root, pattern)) < count]:
        if ours:
            place(archive, target)
        raise GirlibError(f"fetch: {target} is whole, but holds less than registered ({'; '.join(short)}); it is kept, look whether its "
                          "layout has changed.")
    if ours:
        archive.unlink()


@contextmanager
def _alone(work, root):
    """One process at a time below a root: a second one waits. (Where the system has no fcntl, on Windows, start only one.)"""
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "a") as lock:
        try:
            import fcntl
        except ImportError:
            fcntl = None
        if fcntl:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"  another `girlib fetch` is at work in {root}; waiting for it", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in work.iterdir():                                 # of runs that were killed; parts are worth keeping
            if leftover.name.startswith("unpack-"):
                shutil.rmtree(leftover, ignore_errors=True)
            elif leftover.name.startswith("tmp"):
                leftover.unlink()
        yield


def _room(entry, files, root):
    """Refuses before the first byte what cannot fit: the files, and beside an archive what it holds."""
    known = all(file.bytes for file in files)
    needed = sum(file.bytes for file in files) if known else entry.bytes or 0
    needed *= 2 if any(file.holds for file in files) else 1
    free = shutil.disk_usage(root).free
    if needed > free:
        raise GirlibError(f"fetch: {entry.name} needs {amount(needed)}, but only {amount(free)} are free in {root}; make room, or give "
                          "--root another folder.")


def _system(error, name, root):
    """One sentence for what the operating system refused."""
    if error.errno in FULL:
        what = f"the disk of {root} is full and {name} did not fit; make room"
    elif error.errno in LOCKED or isinstance(error, PermissionError):
        what = f"{root} cannot be written; change its permissions or give --root a folder of yours"
    else:
        what = f"{name} could not be stored below {root} ({error.strerror or error}); mend that"
    return GirlibError(f"fetch: {what}, then run the same command again.")


def import_pooch():
    try:
        import pooch
        from tqdm.auto import tqdm
    except ImportError:
        raise GirlibError("fetch: downloads need pooch and tqdm: pip install pooch tqdm") from None
    pooch.get_logger().setLevel("WARNING")
    return pooch, tqdm
