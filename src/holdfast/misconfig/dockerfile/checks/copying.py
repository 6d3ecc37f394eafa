"""COPY and ADD: from where, to where, and what comes along."""

import itertools
import re
import sys
from collections.abc import Iterator

from holdfast.misconfig.dockerfile.bases import is_later, is_stage
from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.syntax import Instruction, Stage
from holdfast.misconfig.dockerfile.view import View
from holdfast.model.finding import Confidence, Severity

_ARCHIVE = re.compile(r".*\.(?:tar|tar\.\w{1,4}|tgz|tbz2?|txz|tzst|gz|bz2|xz|zst)", re.IGNORECASE)
_REMOTE = re.compile(r"(?:https?|ftp)://|git@|git://|ssh://|github\.com/", re.IGNORECASE)
_GIT = re.compile(r"(?:.*\.git(?:#.*)?|git@.*|git://.*|ssh://.*)", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_KEY = re.compile(
    r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|.*\.(?:p12|pfx|jks|keystore|kdbx|ppk)|.*[_.-]?(?:private|privkey)\w{0,8}\.(?:pem|key)"
    r"|\.git-credentials|\.netrc|_netrc|\.pypirc|\.htpasswd|\.vault-token|\.dockercfg|kubeconfig|terraform\.tfstate"
    r"|service[_-]?account\w{0,20}\.json|client_secret\w{0,40}\.json|credentials(?:\.json|\.ya?ml)?|shadow",
    re.IGNORECASE,
)
_LIKELY = re.compile(
    r"\.env(?:\.[\w-]{1,20})?|.*\.key|\.npmrc|\.yarnrc|secrets?\.(?:ya?ml|json|toml|env|txt)|.*\.pem|\.aws|\.ssh|\.kube|\.gnupg",
    re.IGNORECASE,
)
_SAMPLE = re.compile(
    r"\.(?:example|sample|template|dist|tmpl|test|pub|defaults?)$|(?:ca|cert|chain|bundle|public)\w*\.pem$|ca[-_.]",
    re.I,
)
_CANDIDATES = 200
_WHOLE = (".", "./", "/", "./.")


def check(view: View) -> Iterator[Breach]:
    """Each COPY and ADD of each stage."""
    for stage in view.file.stages:
        inherited = any(parent.all("WORKDIR") for parent in view.file.parents(stage)[1:])
        first = min((workdir.line for workdir in stage.all("WORKDIR")), default=sys.maxsize)
        for instruction in stage.all("COPY", "ADD"):
            yield from _sources(instruction, stage)
            yield from _target(instruction, stage, placed=inherited or first < instruction.line)
            yield from _stage(instruction, stage, view)
            if not instruction.flag("from"):
                yield from _keys(instruction, stage)
                yield from _context(instruction, stage, view)


def _local(instruction: Instruction) -> list[str]:
    return [word for word in instruction.words[:-1] if not word.startswith("<<") and not _REMOTE.match(word)]


def _sources(instruction: Instruction, stage: Stage) -> Iterator[Breach]:
    if instruction.keyword != "ADD":
        return
    for word in instruction.words[:-1]:
        if _REMOTE.match(word) and not _GIT.fullmatch(word) and not instruction.flag("checksum"):
            plain = word.lower().startswith(("http:", "ftp:"))
            host = word.partition("://")[2].partition("/")[0].rpartition("@")[2]
            source = word.partition("?")[0].replace("http:", "https:")
            yield Breach(
                "add-unverified",
                instruction.line,
                stage.label,
                host,
                f"ADD from {host} without --checksum" + (", over a connection without TLS" if plain else ""),
                "the checksum of what is expected",
                f"ADD --checksum=sha256:<digest> {source} {instruction.words[-1]}",
                severity=Severity.HIGH if plain else None,
            )
    local = [word for word in _local(instruction) if not _ARCHIVE.fullmatch(word) and "$" not in word]
    if local and len(local) == len(instruction.words) - 1 and not _GIT.fullmatch(local[0]):
        yield Breach(
            "add-instead-of-copy",
            instruction.line,
            stage.label,
            f"ADD {local[0]}",
            f"ADD {' '.join(local)}",
            "COPY",
            f"COPY {' '.join(instruction.words)}",
        )


def _target(instruction: Instruction, stage: Stage, *, placed: bool) -> Iterator[Breach]:
    target = instruction.words[-1]
    if (
        len(instruction.words) > 2
        and not target.endswith(("/", "\\"))
        and target not in (".", "..")
        and "$" not in target
    ):
        yield Breach(
            "copy-many-to-file",
            instruction.line,
            stage.label,
            f"{instruction.keyword} to {target}",
            f"{len(instruction.words) - 1} sources, and {target} does not end with /",
            f"{target}/",
            f"{instruction.keyword} {' '.join(instruction.words[:-1])} {target}/",
        )
    if placed or target.startswith(("/", "\\", "$")) or _DRIVE.match(target):
        return
    yield Breach(
        "copy-without-workdir",
        instruction.line,
        stage.label,
        f"{instruction.keyword} to {target}",
        f"{instruction.keyword} to {target}, and no WORKDIR says where that is",
        "WORKDIR before, or a path from the root",
        "WORKDIR /app",
        Confidence.MEDIUM,
    )


def _stage(instruction: Instruction, stage: Stage, view: View) -> Iterator[Breach]:
    name = instruction.flag("from")
    if not name or instruction.keyword != "COPY" or "$" in name:
        return
    number = name.isascii() and name.isdigit()
    if name.lower() == stage.name or (number and name == str(stage.number)):
        yield Breach(
            "copy-from-itself",
            instruction.line,
            stage.label,
            f"--from={name}",
            f"COPY --from={name} in the stage {name}",
            "the name of an earlier stage",
        )
    elif not is_stage(name, stage, view.file) and (number or is_later(name, stage, view.file)):
        yield Breach(
            "copy-from-unknown-stage",
            instruction.line,
            stage.label,
            f"--from={name}",
            f"COPY --from={name}, and no earlier stage is called that",
            "the name of an earlier stage",
        )
    elif any(word == "/" for word in instruction.words[:-1]) and stage.image != "scratch":
        yield Breach(
            "whole-stage-copied",
            instruction.line,
            stage.label,
            f"--from={name}",
            f"COPY --from={name} /: all files of {name}",
            "the files that are needed",
            f"COPY --from={name} /app /app",
        )


def _keys(instruction: Instruction, stage: Stage) -> Iterator[Breach]:
    for word in _local(instruction):
        name = word.rstrip("/").rsplit("/", 1)[-1][:255]
        if _SAMPLE.search(name):
            continue
        sure = bool(_KEY.fullmatch(name)) or word.endswith((".docker/config.json", ".kube/config", ".aws/credentials"))
        if sure or _LIKELY.fullmatch(name):
            yield Breach(
                "secret-file-copied",
                instruction.line,
                stage.label,
                word,
                f"{instruction.keyword} {word}",
                "a secret that is mounted for one RUN, or given to the container when it starts",
                f"RUN --mount=type=secret,id={name.strip('.')[:40]} …",
                Confidence.HIGH if sure else Confidence.MEDIUM,
                Severity.HIGH if sure and stage.shipped else Severity.MEDIUM,
            )


def _context(instruction: Instruction, stage: Stage, view: View) -> Iterator[Breach]:
    context = view.context
    if context is None or not stage.shipped or not any(word in _WHOLE for word in _local(instruction)):
        return
    likely = itertools.islice((path for path in context.paths if _sensitive(path)), _CANDIDATES)
    sent = [path for path in likely if context.sent(path)]
    if sent:
        yield Breach(
            "whole-context-copied",
            instruction.line,
            stage.label,
            f"{instruction.keyword} .",
            f"{instruction.keyword} of the whole context, with {', '.join(sent[:5])}",
            "a .dockerignore that keeps them out",
            f"{sent[0]}  (a line of .dockerignore)",
            count=len(sent),
        )
    elif context.ignore is None:
        yield Breach(
            "whole-context-copied",
            instruction.line,
            stage.label,
            f"{instruction.keyword} .",
            f"{instruction.keyword} of the whole context, and there is no .dockerignore",
            "a .dockerignore, or the names of what is needed",
            ".git  (a line of .dockerignore)",
            Confidence.MEDIUM,
            Severity.LOW,
        )


def _sensitive(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return name == ".git" or bool(not _SAMPLE.search(name) and (_KEY.fullmatch(name) or _LIKELY.fullmatch(name)))
