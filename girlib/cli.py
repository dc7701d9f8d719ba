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


@app.command()
def doctor():
    """Print the environment, what is missing, and the command that mends it. Exit code 1 if something necessary is missing."""
    from girlib.doctor import examine

    healthy = examine()
    raise typer.Exit(0 if healthy else 1)


def main():
    try:
        app()
    except (GirlibError, TimeoutError) as error:
        if "--debug" in sys.argv:
            raise
        print(f"girlib: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, GirlibError) else 124)


if __name__ == "__main__":
    main()
