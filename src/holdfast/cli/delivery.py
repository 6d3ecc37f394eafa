"""Where reports go: one format to standard output, others to files, written whole or not at all."""

import io
import sys
from pathlib import Path

import click
from msgspec import Struct

from holdfast.cli.environment import colour, width
from holdfast.fs.whole import write_whole
from holdfast.model.report import Report
from holdfast.report import WRITERS, writer
from holdfast.report.writer import Writer


class OutputChoice(Struct, frozen=True):
    """A format, and the file it goes to (None: standard output)."""

    writer: Writer
    path: Path | None = None


def parse_outputs(form: str, outputs: tuple[str, ...]) -> tuple[OutputChoice, ...]:
    """What --format and -o ask for; a usage error where a format is unknown or a folder is not there."""
    choices = [OutputChoice(_writer(form))]
    for output in outputs:
        name, equals, file = output.partition("=")
        if not equals or not file:
            raise click.UsageError(f"-o takes FORMAT=FILE, for instance -o sarif=report.sarif; not {output!r}")
        path = Path(file)
        if file == "-" or path in {choice.path for choice in choices}:
            what = "--format is for standard output" if file == "-" else "another format goes there already"
            raise click.UsageError(f"-o {output}: {what}")
        if not path.parent.is_dir() or path.is_dir():
            raise click.UsageError(f"-o {output}: {path.parent if not path.is_dir() else path} is not a place to write")
        choices.append(OutputChoice(_writer(name), path))
    return tuple(choices)


def deliver(report: Report, choices: tuple[OutputChoice, ...]) -> None:
    """Write a report in every format chosen: files first, so that a closed pipe loses none of them."""
    for choice in sorted(choices, key=lambda choice: choice.path is None):
        if choice.path is None:
            choice.writer.write(report, sys.stdout, width=width(), colour=colour(sys.stdout))
            sys.stdout.flush()
        else:
            text = io.StringIO()
            choice.writer.write(report, text, width=width(), colour=False)
            write_whole(choice.path, text.getvalue().encode())


def _writer(name: str) -> Writer:
    found = writer(name)
    if found is None:
        raise click.UsageError(f"no format {name!r}; there are: {', '.join(one.name for one in WRITERS)}")
    return found
