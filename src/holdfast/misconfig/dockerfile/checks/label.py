"""Labels: keys that tools cannot read, and values of the OCI annotations that are not what they have to be.

Source of facts: docs.docker.com "Object labels"; OCI image-spec annotations.md.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.syntax import Instruction, Pair, Stage
from holdfast.misconfig.dockerfile.view import View

_OCI = "org.opencontainers.image."
_KEY = re.compile(r"[a-z0-9](?:[a-z0-9]|[._-](?=[a-z0-9]))*")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s/]{1,255}\S*", re.IGNORECASE)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_LICENCE = re.compile(
    r"\(*[A-Za-z0-9][A-Za-z0-9.+:-]{0,80}\)*(?: (?:AND|OR|WITH) \(*[A-Za-z0-9][A-Za-z0-9.+:-]{0,80}\)*){0,40}"
)
_OURS = ("com.docker.", "io.docker.", "org.dockerproject.")


def check(view: View) -> Iterator[Breach]:
    """The labels of what ends in the image."""
    for stage in view.file.stages:
        for instruction in stage.all("LABEL") if stage.shipped else ():
            for pair in instruction.pairs:
                yield from _judged(pair, instruction, stage)


def _judged(pair: Pair, instruction: Instruction, stage: Stage) -> Iterator[Breach]:
    name, value = pair.name, pair.value or ""
    what = f"LABEL {name}"
    place = (instruction.line, stage.label, what)
    if "$" not in name and (not _KEY.fullmatch(name[:256]) or name.startswith(_OURS)):
        yield Breach(
            "label-key", *place, f"the key {name}", "lower-case letters, digits, `.`, `-`, `_`; no reserved name"
        )
    if not value:
        yield Breach("label-empty", *place, f"{name} is empty", "a value, or no label")
        return
    if "$" in value or not name.startswith(_OCI):
        return
    kind = name.removeprefix(_OCI)
    if kind in ("url", "source", "documentation") and not _ADDRESS.fullmatch(value[:2048]):
        yield Breach("label-address", *place, f"{name} is no address", "https://…", f'LABEL {name}="https://…"')
    elif kind == "created" and not _is_time(value):
        fix = f'LABEL {name}="2026-01-31T12:00:00Z"'
        yield Breach("label-time", *place, f"{name} is no time of RFC 3339", "2026-01-31T12:00:00Z", fix)
    elif kind == "licenses" and not _LICENCE.fullmatch(value[:4096]):
        fix = f'LABEL {name}="Apache-2.0"'
        yield Breach("label-licence", *place, f"{name} is no SPDX expression", "Apache-2.0", fix)


def _is_time(value: str) -> bool:
    if not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value[:19].upper().replace(" ", "T"))
    except ValueError:
        return False
    return True
