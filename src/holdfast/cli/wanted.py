"""The options that say what to look for, the same in every command that scans."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from holdfast.scan.engines import ENGINES
from holdfast.scan.options import Wanted

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option("--only", metavar="LIST", help=f"What to look for: {','.join(ENGINES)}."),
    click.option("--malware-rules", multiple=True, type=_FOLDER, metavar="DIR", help="YARA rules of your own."),
    click.option("--known-bad", multiple=True, type=_FILE, metavar="FILE", help="Digests of files that are malware."),
    click.option("--known-good", multiple=True, type=_FILE, metavar="FILE", help="Digests of files that are not."),
    click.option("--verify", is_flag=True, help="Ask the issuers of secrets whether these are alive."),
)


def wanted_options(command: _Command) -> _Command:
    """Give a command the options; `wanted` makes sense of what comes of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def wanted(
    *,
    only: str | None,
    malware_rules: tuple[Path, ...],
    known_bad: tuple[Path, ...],
    known_good: tuple[Path, ...],
    verify: bool,
    offline: bool = False,
) -> Wanted:
    """What the options ask for. Looking vulnerabilities up needs the packages too."""
    if verify and offline:
        raise click.UsageError("--verify asks over the internet: it does not go with --offline")
    chosen = [part.strip().lower() for part in (only or "").split(",") if part.strip()]
    wrong = [part for part in chosen if part not in ENGINES]
    if wrong:
        raise click.UsageError(f"--only: {wrong[0]!r} is not one of {', '.join(ENGINES)}")
    engines = frozenset(chosen or ENGINES)
    if "vulnerabilities" in engines:
        engines |= {"packages"}
    return Wanted(engines, malware_rules, known_bad, known_good, verify)
