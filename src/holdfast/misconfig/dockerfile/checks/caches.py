"""What package managers leave behind in the image: caches and lists that nobody needs when it runs."""

import re
from collections.abc import Iterator

from holdfast.misconfig.dockerfile.bases import mounts_of
from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.packages import INSTALLS, Request, request
from holdfast.misconfig.dockerfile.view import Run, View

_CACHE = re.compile(r"\.cache|/root/\*|pip")


def check(view: View) -> Iterator[Breach]:
    """Caches that one RUN fills and does not empty, where its files end in the image."""
    for run in view.shipped_runs:
        asked = [found for call in run.calls if (found := request(call))]
        if asked:
            yield from _apt(run, asked)
            yield from _apk(run, asked)
            yield from _rpm(run, asked)
            yield from _pip(run, asked, view)
            yield from _yarn(run, asked)


def _removes(run: Run, *folders: str) -> bool:
    """Whether the RUN deletes in one of these folders, or mounts something over it."""
    for call in run.calls:
        if call.name in ("rm", "find", "unlink") and any(
            folder in word for word in call.arguments for folder in folders
        ):
            return True
    mounted = [
        mount.get("target", mount.get("dst", mount.get("destination", ""))) for mount in mounts_of(run.instruction)
    ]
    return any(
        target and (folder in target or folder.startswith(target.rstrip("/")))
        for target in mounted
        for folder in folders
    )


def _breach(rule: str, asked: Request, run: Run, found: str, fix: str) -> Breach:
    return Breach(rule, asked.call.line, run.stage.label, asked.family, found, "nothing left behind", fix)


def _apt(run: Run, asked: list[Request]) -> Iterator[Breach]:
    updates = [one for one in asked if one.family == "apt" and one.action == "update"]
    if updates and not _removes(run, "/var/lib/apt"):
        fix = "… && rm -rf /var/lib/apt/lists/*"
        yield _breach("apt-lists-kept", updates[0], run, "apt's package lists stay in the layer", fix)


def _apk(run: Run, asked: list[Request]) -> Iterator[Breach]:
    adds = [one for one in asked if one.family == "apk" and one.action == "add"]
    if adds and not adds[0].has("--no-cache") and not _removes(run, "/var/cache/apk", "/etc/apk/cache"):
        fix = f"apk add --no-cache {' '.join(adds[0].names)}"
        yield _breach("apk-cache-kept", adds[0], run, "apk add without --no-cache", fix)


def _rpm(run: Run, asked: list[Request]) -> Iterator[Breach]:
    for family, folder, cleans in (
        ("yum", "/var/cache/yum", ("clean",)),
        ("dnf", "/var/cache/dnf", ("clean",)),
        ("zypper", "/var/cache/zypp", ("clean", "cc")),
    ):
        calls = [one for one in asked if one.family == family]
        installs = [one for one in calls if one.action in INSTALLS[family]]
        if not installs or any(one.action in cleans for one in calls) or _removes(run, folder, "/var/cache/"):
            continue
        program = installs[0].program
        fix = f"… && {program} clean{'' if family == 'zypper' else ' all'}"
        yield _breach(f"{family}-cache-kept", installs[0], run, f"{program}'s cache stays in the layer", fix)


def _pip(run: Run, asked: list[Request], view: View) -> Iterator[Breach]:
    installs = [one for one in asked if one.family == "pip" and one.action == "install"]
    if not installs or installs[0].has("--no-cache-dir", "--no-cache") or installs[0].call.name == "uv":
        return
    if _removes(run, ".cache", "pip") or _switched_off(run, view):
        return
    yield _breach(
        "pip-cache-kept", installs[0], run, "pip install without --no-cache-dir", "pip install --no-cache-dir …"
    )


def _switched_off(run: Run, view: View) -> bool:
    if "PIP_NO_CACHE_DIR" in view.variables(run.stage):
        return True
    values = [word.text for call in run.calls for name, word in call.command.assignments if name == "PIP_NO_CACHE_DIR"]
    values += [
        word.partition("=")[2]
        for call in run.calls
        if call.name == "export"
        for word in call.arguments
        if word.startswith("PIP_NO_CACHE_DIR=")
    ]
    return bool(values)


def _yarn(run: Run, asked: list[Request]) -> Iterator[Breach]:
    calls = [one for one in asked if one.family == "yarn"]
    installs = [
        one for one in calls if one.action in ("install", "add", "") and not one.has("--version", "-v", "--help")
    ]
    cleaned = any(one.action == "cache" and "clean" in one.names for one in calls)
    if installs and not cleaned and not _removes(run, ".cache", "yarn"):
        yield _breach("yarn-cache-kept", installs[0], run, "yarn's cache stays in the layer", "… && yarn cache clean")
