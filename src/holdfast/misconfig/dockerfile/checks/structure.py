"""Instructions that are refused, have no effect, or do something else than they look like."""

import re
from collections.abc import Iterator

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.syntax import Instruction, Stage
from holdfast.misconfig.dockerfile.view import View, called_by, looks_like_exec_form
from holdfast.model.finding import Confidence

_RESERVED = ("scratch", "context")
_DRIVE = re.compile(r"[A-Za-z]:")
_ONCE = {
    "HEALTHCHECK": "many-healthchecks",
    "CMD": "many-commands",
    "ENTRYPOINT": "many-entrypoints",
}


def check(view: View) -> Iterator[Breach]:
    """Stages and their names, instructions that count once, paths, variables, the form of commands."""
    yield from _beginning(view)
    yield from _stages(view)
    for stage in view.file.stages:
        yield from _once(stage)
        for instruction in stage.instructions:
            yield from _workdir(instruction, stage)
            yield from _itself(instruction, stage)
            yield from _form(instruction, stage)
            if instruction.keyword == "MAINTAINER":
                fix = 'LABEL org.opencontainers.image.authors="<name>"'
                yield Breach("maintainer", instruction.line, stage.label, "MAINTAINER", "MAINTAINER", "a label", fix)
    yield from _shell_form(view)
    yield from _health(view)


def _beginning(view: View) -> Iterator[Breach]:
    for instruction in view.file.before:
        if instruction.keyword != "ARG":
            yield Breach(
                "not-beginning-with-from",
                instruction.line,
                "",
                instruction.keyword,
                f"{instruction.keyword} stands before the first FROM",
                "FROM, with nothing but ARG before it",
            )


def _stages(view: View) -> Iterator[Breach]:
    seen: set[str] = set()
    for stage in view.file.stages:
        name = stage.name
        if name and name in seen:
            yield Breach(
                "duplicate-stage",
                stage.origin.line,
                name,
                "name",
                f"two stages are called {name}",
                "a name of its own for each stage",
                f"FROM {stage.origin.words[0]} AS {name}-2",
            )
        if name in _RESERVED:
            yield Breach(
                "reserved-stage-name",
                stage.origin.line,
                name,
                "name",
                f"a stage is called {name}",
                "a name that means nothing else",
                f"FROM {stage.origin.words[0]} AS {name}-stage",
            )
        seen.add(name)


def _once(stage: Stage) -> Iterator[Breach]:
    for keyword, rule in _ONCE.items():
        found = stage.all(keyword)
        if len(found) > 1:
            yield Breach(
                rule,
                found[-2].line,
                stage.label,
                keyword,
                f"{len(found)} times {keyword} in one stage",
                "one: the last counts, the others do nothing",
                count=len(found) - 1,
            )


def _workdir(instruction: Instruction, stage: Stage) -> Iterator[Breach]:
    if instruction.keyword != "WORKDIR":
        return
    path = instruction.words[0].strip("\"'")
    if not path.startswith(("/", "\\", "$")) and not _DRIVE.match(path):
        yield Breach(
            "relative-workdir",
            instruction.line,
            stage.label,
            path,
            f"WORKDIR {path}",
            "a path from the root",
            f"WORKDIR /{path.removeprefix('./')}",
        )


def _itself(instruction: Instruction, stage: Stage) -> Iterator[Breach]:
    if instruction.keyword != "ENV" or not instruction.unresolved or len(instruction.pairs) < 2:
        return
    names = {pair.name for pair in instruction.pairs}
    for pair in instruction.pairs:
        for name in sorted((instruction.unresolved & names) - {pair.name}):
            if re.search(rf"\$\{{?{re.escape(name)}\b", pair.raw or ""):
                yield Breach(
                    "env-refers-to-itself",
                    instruction.line,
                    stage.label,
                    f"ENV {pair.name}",
                    f"{pair.name} is made of {name}, which the same ENV sets",
                    f"{name} in an ENV of its own, before",
                    f"ENV {name}=…",
                )
                break


def _form(instruction: Instruction, stage: Stage) -> Iterator[Breach]:
    if instruction.keyword in ("CMD", "ENTRYPOINT", "RUN", "HEALTHCHECK") and looks_like_exec_form(instruction):
        yield Breach(
            "broken-exec-form",
            instruction.line,
            stage.label,
            instruction.keyword,
            f"{instruction.keyword} begins as a JSON array and is none, so that a shell gets the brackets",
            "double quotes around each word, commas between, no comma at the end",
            f'{instruction.keyword} ["program", "argument"]',
        )


def _shell_form(view: View) -> Iterator[Breach]:
    for keyword in ("CMD", "ENTRYPOINT"):
        last = view.last(keyword)
        if view.final is None or last is None:
            continue
        _, instruction = last
        text = instruction.text
        if instruction.exec_form or not text or looks_like_exec_form(instruction) or text.startswith("exec "):
            continue
        calls = called_by(instruction)
        plain = len(calls) == 1 and not any(sign in text for sign in "$\"'\\<>{")
        words = ", ".join(f'"{word}"' for word in text.split()) if plain and len(text) < 200 else '"…"'
        yield Breach(
            "shell-form-command",
            instruction.line,
            view.final.label,
            keyword,
            f"{keyword} in shell form",
            "exec form",
            f"{keyword} [{words}]",
        )


def _health(view: View) -> Iterator[Breach]:
    final = view.final
    if final is None or view.last("HEALTHCHECK") or not (view.last("EXPOSE") and final.instructions):
        return
    yield Breach(
        "no-healthcheck",
        final.origin.line,
        final.label,
        "HEALTHCHECK",
        "no HEALTHCHECK",
        "a HEALTHCHECK, where it is not the orchestrator that asks",
        'HEALTHCHECK CMD ["/app/healthcheck"]',
        Confidence.LOW,
    )
