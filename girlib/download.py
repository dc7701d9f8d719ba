"""From an address to a whole, verified file, and from an archive to a folder: nothing half-done ever has its final name.

Downloads  grow in NAME.part, and a later call goes on where an earlier one ended. pooch keeps the registry, compares the hash
           and renames; its own downloader begins anew each time, so `resuming` takes its place
Redirects  are followed from http to http or https and from https to https, never to anything else
Archives   are looked through before anything is written: no member outside the folder, no link, no device, no more bytes than
           declared and than an archive of images can hold
"""

import os
import shutil
import stat
import tarfile
import time
import zipfile
import zlib
from contextlib import closing
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

from girlib.errors import GirlibError

PIECE = 1 << 16                 # bytes that are read at once; so many are lost at most when a connection breaks
ATTEMPTS, PAUSE = 3, 2.0        # a connection that breaks is tried again after 2 and after 4 seconds
TIMEOUT = 10, 60                # seconds to connect, and to wait for the next piece
MOST_REDIRECTS = 10
MOST_GROWTH = 20                # images hardly shrink in an archive; one that grows more than this is a trap
MOST_MEMBERS = 500_000


class Broken(Exception):
    """A transfer ended early, in a way that another attempt may mend."""


# -------------------------------------------------------------------------------------------------------------- downloads

def resuming(part, size, pinned, bar):
    """A downloader for pooch: completes the file `part`, then hands it over under the name that pooch asks for.

    `size` in bytes, or None where nobody stated it; `pinned` where the hash is known, so that the beginning of another
    version of the file could not go unnoticed; `bar` is tqdm's.
    """
    import requests

    def download(url, output, keeper):
        shown, start = urlsplit(url).path.rpartition("/")[2], bar.n
        with requests.Session() as session:
            for attempt in range(ATTEMPTS):
                try:
                    bar.n = start
                    _transfer(session, url, part, size, pinned, bar)
                    break
                except (requests.RequestException, Broken) as error:
                    if attempt + 1 == ATTEMPTS:
                        have = part.stat().st_size if part.exists() else 0
                        raise GirlibError(f"fetch: {shown} did not come whole from {urlsplit(url).netloc} ({_reason(error)}, "
                                          f"{have} bytes are kept); check the network and run the same command again.") from None
                    time.sleep(PAUSE * 2**attempt)
        _tag(part).unlink(missing_ok=True)
        os.replace(part, output)
    return download


def _transfer(session, url, part, size, pinned, bar):
    """One attempt: asks for what is missing of `part` and appends it."""
    have, tag = (part.stat().st_size if part.exists() else 0), _tag(part)
    if size is not None and have > size:
        have = 0
    if have and have == size:
        bar.update(have)
        return
    headers = {"Accept-Encoding": "identity"}                           # a range counts the bytes of the file itself
    if have and (pinned or tag.exists()):
        headers["Range"] = f"bytes={have}-"
        if tag.exists():
            headers["If-Range"] = tag.read_text()                       # another version by now? then from the beginning
    with closing(_open(session, url, headers)) as answer:
        if answer.status_code == 416:                                   # nothing lies behind what we have: not this file's part
            part.unlink()
            raise Broken("the part kept here does not belong to the file")
        resumed = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if answer.status_code == 206 and not resumed:
            raise Broken("the server sent another range than asked for")
        have = have if resumed else 0
        length = answer.headers.get("Content-Length")
        whole = have + int(length) if length and length.isdigit() else None
        if size is not None and whole not in (None, size):
            raise GirlibError(f"fetch: {url} holds {whole} bytes, but {size} are registered; the file has changed there, so "
                              "nothing of it was taken.")
        validator = answer.headers.get("ETag", "")
        if not resumed:
            tag.unlink(missing_ok=True)
            if validator and not validator.startswith("W/"):            # a weak one does not promise the same bytes
                tag.write_text(validator)
        bar.update(have)
        with open(part, "ab" if resumed else "wb") as file:
            for piece in answer.iter_content(PIECE):
                file.write(piece)
                have += len(piece)
                bar.update(len(piece))
                if size is not None and have > size:
                    raise GirlibError(f"fetch: {url} sends more than the {size} bytes that are registered; nothing of it was taken.")
            file.flush()
            os.fsync(file.fileno())
    if have < (size or whole or 0):
        raise Broken(f"ended after {have} of {size or whole} bytes")


def _open(session, url, headers):
    """The answer behind all redirects, its body not yet read."""
    first = url
    for _ in range(MOST_REDIRECTS + 1):
        answer = session.get(url, headers=headers, stream=True, allow_redirects=False, timeout=TIMEOUT)
        if not answer.is_redirect:
            break
        answer.close()
        target = urljoin(url, answer.headers["Location"])
        if urlsplit(target).scheme not in {urlsplit(url).scheme, "https"}:
            raise GirlibError(f"fetch: {first} redirects to {target}; only http and https are followed, and never from https back "
                              "to http, so nothing was taken.")
        url = target
    else:
        raise GirlibError(f"fetch: {first} redirects more than {MOST_REDIRECTS} times; nothing was taken.")
    if answer.status_code in (200, 206, 416):
        return answer
    answer.close()
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Broken(f"the server answers {answer.status_code} {answer.reason}")
    raise GirlibError(f"fetch: {first} answers {answer.status_code} {answer.reason}; the address may have changed, see the page that "
                      "`girlib data --list` names.")


def _tag(part):
    return part.with_suffix(".tag")


def _reason(error):
    import requests
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate of the server is not accepted"
    return str(error) if isinstance(error, Broken) else "no connection, or it broke off"


# --------------------------------------------------------------------------------------------------------------- archives

def unpack(archive, folder):
    """Unpacks a zip or tar archive into the new folder `folder`, after looking through the names and sizes of all members."""
    archive, folder = Path(archive), Path(folder)
    opened = None
    try:
        if zipfile.is_zipfile(archive):
            opened = zipfile.ZipFile(archive)
            members = ((m.filename, m.file_size, _zip_kind(m), m) for m in opened.infolist())
            read = opened.open
        elif tarfile.is_tarfile(archive):
            opened = tarfile.open(archive)
            members = ((m.name, m.size, "folder" if m.isdir() else "file" if m.isreg() else "link or device", m) for m in opened)
            read = opened.extractfile
        else:
            raise GirlibError(f"unpack: {archive.name} is no zip or tar archive, or is truncated; get it again.")
        wanted = _look_through(members, archive, folder)
        folder.mkdir(parents=True)
        for path, size, member in wanted:
            target = folder.joinpath(*path)
            target.parent.mkdir(parents=True, exist_ok=True)
            with read(member) as stream, open(target, "xb") as file:
                shutil.copyfileobj(stream, file, PIECE)
                if file.tell() != size:
                    raise ValueError(f"{'/'.join(path)!r} is not as long as declared")
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, GirlibError):
            raise
        raise GirlibError(f"unpack: {archive.name} is damaged or encrypted ({error}); get it again.") from None
    finally:
        if opened:
            opened.close()


def _zip_kind(member):
    mode = member.external_attr >> 16
    if member.is_dir():
        return "folder"
    return "file" if stat.S_IFMT(mode) in (0, stat.S_IFREG) else "link or device"


def _look_through(members, archive, folder):
    """[(parts of the path, bytes, member)] of the files, or the sentence that says why the archive is refused."""
    wanted, seen, total = [], set(), 0
    most = MOST_GROWTH * archive.stat().st_size
    free = shutil.disk_usage(folder.parent).free
    for count, (name, size, kind, member) in enumerate(members, 1):
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name:
            raise GirlibError(f"unpack: {archive.name} holds {name!r}, which would lie outside its folder; nothing was unpacked.")
        if kind == "link or device":
            raise GirlibError(f"unpack: {archive.name} holds {name!r}, a link or device; nothing was unpacked.")
        total += size
        if total > most or count > MOST_MEMBERS:
            raise GirlibError(f"unpack: {archive.name} would grow to more than {MOST_GROWTH} times its size, or to more than "
                              f"{MOST_MEMBERS} files; nothing was unpacked.")
        if total > free:
            raise GirlibError(f"unpack: {archive.name} needs {total} bytes, but only {free} are free in {folder.parent}; make room "
                              "and run the same command again.")
        if kind == "folder" or path.parts[:1] == ("__MACOSX",) or path.name.startswith("._"):
            continue                                                    # what macOS adds is no image, whatever its suffix
        if not path.parts or path.parts in seen:
            raise GirlibError(f"unpack: {archive.name} holds {name!r} twice or without a name; nothing was unpacked.")
        seen.add(path.parts)
        wanted.append((path.parts, size, member))
    return wanted


def merge(source, target):
    """Moves a folder to its final place; where that exists already, file by file into it."""
    if source.is_dir() and target.is_dir():
        for child in sorted(source.iterdir()):
            merge(child, target / child.name)
    else:
        place(source, target)


def place(source, target):
    """Gives a file or folder its final name, at once even where the target lies on another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.part")
    shutil.rmtree(beside, ignore_errors=True)                           # of a run that was killed right here
    shutil.move(source, beside)
    os.replace(beside, target)
