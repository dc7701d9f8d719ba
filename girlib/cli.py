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
