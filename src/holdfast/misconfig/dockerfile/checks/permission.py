"""Rights given away: files that anybody may write, programs that run as root, accounts that become root."""

import re
from collections.abc import Iterator
from itertools import pairwise

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.packages import INSTALLS, request
from holdfast.misconfig.dockerfile.view import Call, Run, View
from holdfast.model.finding import Severity

_OCTAL = re.compile(r"[0-7]{3,5}")
_SYMBOLIC = re.compile(r"([ugoa]*)([+=])([rwxXst]{1,6})")
_WRITES = (">", ">>", "&>", "&>>", ">|")


def check(view: View) -> Iterator[Breach]:
    """What RUN and `--chmod` do to the files of the image, and sudo wherever it is used."""
    for run in view.runs:
        for call in run.calls:
            yield from _sudo(call, run)
            if run.stage.shipped:
                yield from _modes(call, run)
                yield from _capability(call, run)
                yield from _files(call, run)
    for stage in view.file.stages:
        for instruction in stage.all("COPY", "ADD") if stage.shipped else ():
            mode = instruction.flag("chmod")
            target = " ".join(instruction.words)[:100]
            for rule, found, expected, fix in _judged(mode, target, f"{instruction.keyword} --chmod="):
                yield Breach(rule, instruction.line, stage.label, target, found, expected, fix)


def _judged(mode: str, target: str, before: str) -> Iterator[tuple[str, str, str, str]]:
    if _gives_all(mode):
        expected = "only the owner may write"
        yield "world-writable", f"{before}{mode} {target}", expected, f"{before}{_tamed(mode)} {target}"
    if _sets_user(mode):
        expected = "no setuid bit"
        yield "setuid-given", f"{before}{mode} {target}", expected, f"{before}0755 {target}"


def _modes(call: Call, run: Run) -> Iterator[Breach]:
    words = [word for word in call.arguments if not re.fullmatch(r"-[RvcfHLP]{1,6}|--\w[\w-]*", word)]
    if call.name == "chmod" and len(words) > 1:
        mode, targets = words[0], words[1:]
    elif call.name == "install" and "-m" in call.arguments[:-2]:
        mode, targets = call.arguments[call.arguments.index("-m") + 1], list(call.arguments[-1:])
    elif call.name == "find" and "chmod" in call.arguments[:-1]:
        mode, targets = call.arguments[call.arguments.index("chmod") + 1], list(call.arguments[:1])
    else:
        return
    for rule, found, expected, fix in _judged(mode, " ".join(targets)[:100], f"{call.name} "):
        yield Breach(rule, call.line, run.stage.label, targets[0], found, expected, fix)


def _gives_all(mode: str) -> bool:
    if _OCTAL.fullmatch(mode):
        sticky = len(mode) > 3 and int(mode[-4], 8) & 1
        return bool(int(mode[-1], 8) & 2) and not sticky
    parts = [part for text in mode.split(",") if (part := _SYMBOLIC.fullmatch(text))]
    if any("t" in part[3] for part in parts):
        return False
    return any("w" in part[3] and ("o" in part[1] or "a" in part[1]) for part in parts)


def _sets_user(mode: str) -> bool:
    if _OCTAL.fullmatch(mode):
        return len(mode) > 3 and bool(int(mode[-4], 8) & 4)
    parts = [part for text in mode.split(",") if (part := _SYMBOLIC.fullmatch(text))]
    return any("s" in part[3] and (not part[1] or "u" in part[1] or "a" in part[1]) for part in parts)


def _tamed(mode: str) -> str:
    if _OCTAL.fullmatch(mode):
        executable = int(mode[-3], 8) & 1
        return "0755" if executable else "0644"
    return "u=rwX,go=rX"


def _capability(call: Call, run: Run) -> Iterator[Breach]:
    if call.name == "setcap" and "-r" not in call.arguments:
        words = [word for word in call.arguments if not word.startswith("-")]
        # Binding a low port is what setcap is for in images; it gives nothing else away.
        harmless = bool(words) and words[0].lower().startswith("cap_net_bind_service") and "," not in words[0]
        yield Breach(
            "file-capability",
            call.line,
            run.stage.label,
            words[-1] if words else "setcap",
            f"setcap {' '.join(words)[:150]}",
            "a port above 1023, or the right given to the container when it starts",
            "EXPOSE 8080" if harmless else "docker run --cap-drop=ALL --cap-add=<the one it needs>",
            severity=Severity.LOW if harmless else None,
        )


def _sudo(call: Call, run: Run) -> Iterator[Breach]:
    if call.name == "sudo" and not call.command.inner:
        yield Breach(
            "sudo",
            call.line,
            run.stage.label,
            "sudo",
            "RUN calls sudo",
            "USER root before, and the user without rights after",
            "USER root",
        )
        return
    asked = request(call)
    if asked and run.stage.shipped and asked.action in INSTALLS.get(asked.family, ()) and "sudo" in asked.names:
        yield Breach("sudo", call.line, run.stage.label, "sudo", "sudo is installed", "an image without sudo")


def _files(call: Call, run: Run) -> Iterator[Breach]:
    text = " ".join(call.arguments)
    targets = [redirect.target.text for redirect in call.command.redirects if redirect.operator in _WRITES]
    if call.name in ("tee", "cp", "mv", "install", "ln"):
        targets += call.arguments[-1:]
    elif call.name in ("curl", "wget"):
        targets += [after for word, after in pairwise(call.arguments) if word in ("-o", "-O")]
    if any(target.rstrip("/").endswith(("authorized_keys", "authorized_keys2")) for target in targets):
        yield Breach(
            "authorized-keys",
            call.line,
            run.stage.label,
            "authorized_keys",
            "a key is let in by ssh",
            "no login into containers: docker exec, kubectl exec",
        )
    if "NOPASSWD" in text.upper() and call.name in ("echo", "printf", "sed", "tee", "cat"):
        yield Breach(
            "sudo-without-password",
            call.line,
            run.stage.label,
            "sudoers",
            "a rule of sudo with NOPASSWD",
            "an image without sudo",
        )
