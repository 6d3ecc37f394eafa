"""Secrets that stand in the file, or that the build leaves in the image. No finding repeats one."""

import re
from collections.abc import Iterator

from holdfast.misconfig.dockerfile.bases import mounts_of
from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.redact import (
    holds_secret,
    is_placeholder,
    is_reference,
    is_setting,
    names_a_secret,
)
from holdfast.misconfig.dockerfile.syntax import Instruction, Pair, Stage
from holdfast.misconfig.dockerfile.view import Call, Run, View, called_by
from holdfast.model.finding import Confidence, Severity

_MOUNT = "RUN --mount=type=secret,id={name},env={name} …"
_OPTION = re.compile(r"--?([A-Za-z][\w.-]{1,60})")
_HEADER = re.compile(
    r"(?:authorization|x-api-key|private-token|x-vault-token)\s{0,4}:\s{0,4}(?:\w{1,12}\s{1,4})?(\S{6,4096})", re.I
)
_LOGIN = re.compile(r"[^:\s]{1,256}:([^\s]{3,4096})")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTE = re.compile(r"^[\"']|[\"']$")


def check(view: View) -> Iterator[Breach]:
    """ENV, ARG and LABEL by name and value; commands by their options; what is copied out of a mounted secret."""
    for stage in view.file.stages:
        kept = {name for other in stage.all("ENV") for pair in other.pairs for name in _names(pair)}
        runs = [run for run in view.runs if run.stage is stage]
        used = {name for run in runs for name in _WORD.findall(run.instruction.text)}
        # What ENV keeps is said there, and what is mounted is not passed as an argument.
        spared = kept.union(name for run in runs for name in _mounted_names(run))
        for instruction in stage.instructions:
            yield from _variables(instruction, stage, spared, used)
            yield from _started(instruction, stage)
    for instruction in view.file.before:
        for pair in instruction.pairs if instruction.keyword == "ARG" else ():
            if _literal(pair):
                yield _variable(instruction, "", "ARG", pair)
    for run in view.runs:
        yield from _commands(run)
        yield from _mounted(run)


def _literal(pair: Pair) -> bool:
    value = _QUOTE.sub("", pair.raw or "")
    if holds_secret(value):
        return True
    return names_a_secret(pair.name) and not is_setting(value) and not is_reference(value)


def _variables(instruction: Instruction, stage: Stage, spared: set[str], used: set[str]) -> Iterator[Breach]:
    keyword = instruction.keyword
    if keyword not in ("ENV", "ARG", "LABEL"):
        return
    for pair in instruction.pairs:
        if _literal(pair):
            yield _variable(instruction, stage.label, keyword, pair, shipped=stage.shipped)
        elif keyword == "ENV" and names_a_secret(pair.name) and is_reference(pair.raw or ""):
            yield Breach(
                "secret-in-variable",
                instruction.line,
                stage.label,
                f"ENV {pair.name}",
                f"ENV {pair.name} keeps a build argument in the image",
                "a secret that is given to the container when it starts",
                f"docker run --env-file <file>, and no ENV {pair.name}",
                Confidence.MEDIUM,
                Severity.HIGH if stage.shipped else Severity.MEDIUM,
            )
        elif keyword == "ARG" and pair.value is None and names_a_secret(pair.name) and pair.name not in spared:
            yield _argument(instruction, stage, pair, used=pair.name in used)


def _names(pair: Pair) -> list[str]:
    return re.findall(r"\$\{?([A-Za-z_]\w*)", pair.raw or "")


def _argument(instruction: Instruction, stage: Stage, pair: Pair, *, used: bool) -> Breach:
    return Breach(
        "secret-in-variable",
        instruction.line,
        stage.label,
        f"ARG {pair.name}",
        f"ARG {pair.name}" + (" is used by RUN: its value stays in the image's history" if used else ""),
        "a secret that is mounted for one RUN",
        _MOUNT.format(name=pair.name),
        Confidence.MEDIUM,
        Severity.MEDIUM if stage.shipped else Severity.LOW,
    )


def _mounted_names(run: Run) -> Iterator[str]:
    for mount in mounts_of(run.instruction):
        if mount["type"] == "secret":
            yield from (mount.get("env", ""), mount.get("id", ""))


def _variable(instruction: Instruction, stage: str, keyword: str, pair: Pair, *, shipped: bool = True) -> Breach:
    value = _QUOTE.sub("", pair.raw or "")
    known = holds_secret(value)
    confidence = Confidence.HIGH if known else Confidence.LOW if is_placeholder(value) else Confidence.MEDIUM
    rule = "secret-in-label" if keyword == "LABEL" else "secret-in-variable"
    fix = (
        f"no {keyword} {pair.name}: remove it, and change the secret"
        if keyword == "LABEL"
        else _MOUNT.format(name=pair.name)
    )
    return Breach(
        rule,
        instruction.line,
        stage,
        f"{keyword} {pair.name}",
        f"{keyword} {pair.name} has a value of {len(value)} characters in the file",
        "a secret that is mounted for one RUN, or given to the container when it starts",
        fix,
        confidence,
        Severity.LOW if confidence is Confidence.LOW else None if shipped else Severity.MEDIUM,
        secret=value,
    )


def _started(instruction: Instruction, stage: Stage) -> Iterator[Breach]:
    if instruction.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
        for call in called_by(instruction):
            yield from _given(call, stage, instruction.keyword)
    elif instruction.keyword in ("COPY", "ADD"):
        for heredoc in instruction.heredocs:
            if holds_secret(heredoc.content):
                yield _told(instruction.line, stage, f"{instruction.keyword} {instruction.words[-1]}", "a heredoc")


def _commands(run: Run) -> Iterator[Breach]:
    found = False
    for call in run.calls:
        for breach in _given(call, run.stage, "RUN"):
            found = True
            yield breach
    texts = (run.instruction.text, *run.instruction.words, *(heredoc.content for heredoc in run.instruction.heredocs))
    if not found and any(holds_secret(text) for text in texts):
        yield _told(run.instruction.line, run.stage, "RUN", "a word")


def _given(call: Call, stage: Stage, keyword: str) -> Iterator[Breach]:
    """The secrets that one command is given: as a known form, as an option's value, in a header, in an assignment."""
    words = call.arguments
    for name, given in call.command.assignments:
        if _is_secret(name, given.text):
            yield _told(call.line, stage, f"{keyword} {name}", f"the assignment of {name}", given.text)
            return
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        named = _OPTION.fullmatch(option)
        if not equals and named:
            value = words[at + 1] if at + 1 < len(words) else ""
            value = "" if value.startswith("-") else value
        name = named[1] if named else option if call.name in ("export", "declare", "env") else ""
        if holds_secret(word):
            yield _told(call.line, stage, f"{keyword} {call.name}", f"a word of {call.name}", word)
            return
        if name and _is_secret(name.replace("-", "_"), value):
            yield _told(call.line, stage, f"{keyword} {call.name} {option}", f"{call.name} {option}", value)
            return
        if (secret := _spoken(call, word, words[at - 1] if at else "")) and _is_secret("password", secret):
            yield _told(call.line, stage, f"{keyword} {call.name}", f"a login or header of {call.name}", secret)
            return


def _spoken(call: Call, word: str, before: str) -> str:
    if header := _HEADER.search(word[:8192]):
        return "" if is_reference(word) else header[1]
    if call.name in ("curl", "wget") and before in ("-u", "--user") and (login := _LOGIN.fullmatch(word)):
        return login[1]
    return ""


def _is_secret(name: str, value: str) -> bool:
    if holds_secret(value):
        return True
    return names_a_secret(name) and not is_setting(value) and not is_reference(value) and "`" not in value


def _told(line: int, stage: Stage, what: str, found: str, value: str = "") -> Breach:
    known = not value or holds_secret(value)
    placeholder = bool(value) and is_placeholder(value)
    return Breach(
        "secret-in-command",
        line,
        stage.label,
        what,
        f"{found} holds what looks like a secret",
        "a secret that is mounted for one RUN, or given to the container when it starts",
        "RUN --mount=type=secret,id=<name>,env=<NAME> …",
        Confidence.HIGH if known else Confidence.LOW if placeholder else Confidence.MEDIUM,
        Severity.LOW if placeholder else None if stage.shipped else Severity.MEDIUM,
        secret=value,
    )


def _mounted(run: Run) -> Iterator[Breach]:
    if not run.stage.shipped:
        return
    targets = ["/run/secrets/"]
    targets += [
        mount[key]
        for mount in mounts_of(run.instruction)
        for key in ("target", "dst", "destination")
        if mount["type"] == "secret" and mount.get(key)
    ]
    for call in run.calls:
        copies = call.name in ("cp", "mv", "install", "ln") and any(
            word.startswith(target) for word in call.arguments[:-1] for target in targets
        )
        written = [redirect.target.text for redirect in call.command.redirects if redirect.operator in (">", ">>")]
        printed = call.name == "cat" and any(word.startswith(target) for word in call.arguments for target in targets)
        if copies or (printed and any(not target.startswith("/dev/") for target in written)):
            yield Breach(
                "mounted-secret-kept",
                call.line,
                run.stage.label,
                call.name,
                f"{call.name} writes a mounted secret into the layer",
                "the secret is read where it is mounted",
                "RUN --mount=type=secret,id=<name>,target=<where the program looks> …",
            )
