"""What an image is built on: tags, digests, platforms, the frontend that reads the file."""

import re
from collections.abc import Iterator

from holdfast.misconfig.dockerfile.bases import Base, bases_of
from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.view import View
from holdfast.model.finding import Confidence

_FRONTEND = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?::\S+)?")
_MOVING = ("latest", "stable", "edge", "nightly", "main", "master", "dev", "rolling", "unstable")


def check(view: View) -> Iterator[Breach]:
    """One finding for each base: the gravest thing that is to be said of how it is named."""
    for base in bases_of(view.file):
        yield from _named(base)
    yield from _platforms(view)
    yield from _frontend(view)


def _named(base: Base) -> Iterator[Breach]:
    if not base.resolved or "@" in base.reference:
        return
    name, _, tag = base.reference.rpartition(":")
    if not name or "/" in tag:
        name, tag = base.reference, ""
    instruction = base.by
    if not tag:
        yield Breach(
            "untagged-base",
            base.line,
            "",
            name,
            f"{instruction} names {name} without a tag, which means latest",
            "a tag and the digest it has today",
            f"{instruction} {name}:<version>@sha256:<digest>" if instruction == "FROM" else "",
            # A bare word behind --from may also be a folder that the builder is given as --build-context.
            Confidence.HIGH if instruction == "FROM" or "/" in name else Confidence.MEDIUM,
        )
    elif tag.lower() in _MOVING:
        yield Breach(
            "latest-base",
            base.line,
            "",
            name,
            f"{instruction} names {name}:{tag}",
            "a tag that says a version, and the digest it has today",
            f"{instruction} {name}:<version>@sha256:<digest>" if instruction == "FROM" else "",
        )
    else:
        yield Breach(
            "base-without-digest",
            base.line,
            "",
            name,
            f"{instruction} names {base.reference}",
            f"{base.reference}@sha256:…",
            f"{instruction} {base.reference}@sha256:<digest>" if instruction == "FROM" else "",
        )


def _platforms(view: View) -> Iterator[Breach]:
    for stage in view.file.stages:
        raw = stage.platform
        if raw.strip("${}") == "TARGETPLATFORM":
            yield Breach(
                "redundant-platform",
                stage.origin.line,
                stage.label,
                "platform",
                "--platform=$TARGETPLATFORM",
                "no --platform: this is what is built for anyway",
                f"FROM {' '.join(stage.origin.words)}",
            )
        elif raw and "$" not in raw:
            yield Breach(
                "fixed-platform",
                stage.origin.line,
                stage.label,
                "platform",
                f"--platform={raw}",
                "the platform that the builder is asked for",
                f"FROM {' '.join(stage.origin.words)}",
                Confidence.MEDIUM,
            )


def _frontend(view: View) -> Iterator[Breach]:
    syntax = view.file.directives.get("syntax", "").split(" ")[0]
    if syntax and "@sha256:" not in syntax and not _FRONTEND.fullmatch(syntax):
        yield Breach(
            "foreign-frontend",
            1,
            "",
            "syntax",
            f"# syntax={syntax}",
            "docker/dockerfile, or a frontend named by its digest",
            "# syntax=docker/dockerfile:1",
        )
