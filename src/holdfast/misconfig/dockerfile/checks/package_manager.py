"""How package managers are called: signatures, questions nobody answers, upgrades, sources."""

from collections.abc import Iterator

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.packages import INSTALLS, Request, request
from holdfast.misconfig.dockerfile.view import Run, View
from holdfast.model.finding import Confidence

_UNSIGNED = {
    "apt": ("--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"),
    "apk": ("--allow-untrusted",),
    "yum": ("--nogpgcheck", "--no-gpg-checks"),
    "dnf": ("--nogpgcheck", "--no-gpgchecks", "--no-gpg-checks"),
    "zypper": ("--no-gpg-checks", "--allow-unsigned-rpm"),
}
_YES = {
    "apt": ("-y", "--yes", "--assume-yes", "-qq", "--force-yes"),
    "yum": ("-y", "--assumeyes"),
    "dnf": ("-y", "--assumeyes"),
    "zypper": ("-n", "--non-interactive", "-y", "--no-confirm"),
}
_UPGRADES = {"apt": ("dist-upgrade", "full-upgrade"), "zypper": ("dist-upgrade", "dup")}


def check(view: View) -> Iterator[Breach]:
    """Everything about the calls of package managers but versions and caches."""
    updated: dict[int, list[Request]] = {}
    for run in view.runs:
        asked = [found for call in run.calls if (found := request(call))]
        for one in asked:
            yield from _unsigned(one, run)
            yield from _unanswered(one, run)
            yield from _upgrades(one, run)
            yield from _sources(one, run)
        yield from _recommends(asked, run)
        yield from _unsigned_by_text(run)
        yield from _interface(asked, run)
        yield from _update_alone(asked, run, updated)


def _unsigned(asked: Request, run: Run) -> Iterator[Breach]:
    options = [option for option in _UNSIGNED.get(asked.family, ()) if asked.has(option)]
    low = [option.lower() for option in asked.options if asked.family == "apt"]
    options += [o for o in low if "allowunauthenticated=" in o or "allowinsecurerepositories=" in o]
    options = [option for option in options if not option.endswith(("=false", "=0"))]
    if options:
        yield Breach(
            "unsigned-packages",
            asked.call.line,
            run.stage.label,
            asked.program,
            f"{asked.program} {asked.action} {options[0]}",
            "packages whose signature is checked",
            f"{asked.program} {asked.action} without {options[0]}",
        )


def _unsigned_by_text(run: Run) -> Iterator[Breach]:
    for call in run.calls:
        text = " ".join(call.arguments)
        found = ""
        if "trusted=yes" in text and "file:" not in text:
            found = "a source of apt with trusted=yes"
        elif call.name == "rpm" and ("--nosignature" in text or "--nodigest" in text):
            found = "rpm without signatures"
        elif call.name in ("echo", "printf", "sed") and "gpgcheck=0" in text.replace(" ", ""):
            found = "a source of yum with gpgcheck=0"
        if found:
            yield Breach(
                "unsigned-packages",
                call.line,
                run.stage.label,
                found,
                found,
                "packages whose signature is checked",
                "deb [signed-by=/usr/share/keyrings/<name>.gpg] https://…" if "apt" in found else "",
            )


def _unanswered(asked: Request, run: Run) -> Iterator[Breach]:
    family = asked.family
    actions = (*INSTALLS.get(family, ()), "upgrade", "update", *_UPGRADES.get(family, ()))
    if family == "apt":
        actions = ("install", "upgrade", "dist-upgrade", "full-upgrade", "remove", "purge", "build-dep", "autoremove")
    if family not in _YES or asked.action not in actions or asked.has(*_YES[family]):
        return
    if asked.call.command.place or asked.has("-q=2", "--quiet=2", "--simulate", "-s", "--download-only"):
        return
    if asked.options.count("-q") > 1 or any("Assume-Yes" in option for option in asked.options):
        return
    yes = "--non-interactive" if family == "zypper" else "-y"
    line = f"zypper {yes} {asked.action} …" if family == "zypper" else f"{asked.program} {asked.action} {yes} …"
    yield Breach(
        f"{family}-without-yes",
        asked.call.line,
        run.stage.label,
        family,
        f"{asked.program} {asked.action} asks, and nobody answers",
        yes,
        line,
    )


def _recommends(asked: list[Request], run: Run) -> Iterator[Breach]:
    installs = [one for one in asked if one.family == "apt" and one.action == "install" and run.stage.shipped]
    installs = [one for one in installs if not one.has("--no-install-recommends")]
    # The option, or a line of apt.conf that some other command writes.
    if not installs or any("Install-Recommends" in word for call in run.calls for word in call.arguments):
        return
    yield Breach(
        "apt-recommends",
        installs[0].call.line,
        run.stage.label,
        "apt",
        f"{installs[0].program} install brings recommended packages along",
        "--no-install-recommends",
        f"{installs[0].program} install -y --no-install-recommends …",
    )


def _upgrades(asked: Request, run: Run) -> Iterator[Breach]:
    if asked.action in _UPGRADES.get(asked.family, ()):
        rule = "zypper-dist-upgrade" if asked.family == "zypper" else "dist-upgrade"
        yield Breach(
            rule,
            asked.call.line,
            run.stage.label,
            asked.family,
            f"{asked.program} {asked.action}",
            "a newer base, or the packages that need it",
            f"{asked.program} {'patch' if asked.family == 'zypper' else 'upgrade'} …",
        )


def _sources(asked: Request, run: Run) -> Iterator[Breach]:
    stage, line = run.stage.label, asked.call.line
    if asked.family == "pip" and asked.has("--trusted-host"):
        host = next(option for option in asked.options if option.startswith("--trusted-host")).partition("=")[2]
        yield Breach(
            "pip-trusted-host",
            line,
            stage,
            host or "pip",
            f"pip {asked.action} --trusted-host {host}",
            "a certificate that can be checked",
            "pip install --cert /etc/ssl/certs/<authority>.pem …",
        )
    if asked.family == "pip" and asked.has("--extra-index-url"):
        yield Breach(
            "pip-extra-index",
            line,
            stage,
            "pip",
            f"pip {asked.action} --extra-index-url",
            "one index that is asked for everything",
            "pip install --index-url https://<one index that mirrors the others> …",
            Confidence.MEDIUM,
        )
    unsafe = [
        option for option in asked.options if option.startswith("--unsafe-perm") and not option.endswith("=false")
    ]
    config = asked.action in ("config", "set", "c") and "unsafe-perm" in " ".join(asked.names)
    if asked.family == "npm" and (unsafe or (config and "false" not in asked.names)):
        yield Breach(
            "npm-unsafe-perm",
            line,
            stage,
            "npm",
            f"npm {asked.action} with unsafe-perm",
            "install scripts without root's rights",
            "npm ci --ignore-scripts",
        )


def _interface(asked: list[Request], run: Run) -> Iterator[Breach]:
    uses = [one for one in asked if one.program == "apt" and one.action not in ("--version", "")]
    if uses:
        yield Breach(
            "apt-in-script",
            uses[0].call.line,
            run.stage.label,
            "apt",
            f"apt {uses[0].action}",
            "apt-get, whose interface is kept stable for scripts",
            f"apt-get {uses[0].action} …",
        )


def _update_alone(asked: list[Request], run: Run, updated: dict[int, list[Request]]) -> Iterator[Breach]:
    """An update in one RUN and an install in a later one: the first is taken from the build cache, however old."""
    apt = [one for one in asked if one.family == "apt"]
    updates = [one for one in apt if one.action == "update"]
    installs = [one for one in apt if one.action in ("install", "upgrade")]
    waiting = updated.setdefault(run.stage.number, [])
    if updates and not installs:
        waiting += updates
    elif installs and not updates and waiting:
        first = waiting.pop()
        waiting.clear()
        yield Breach(
            "apt-update-alone",
            first.call.line,
            run.stage.label,
            "apt",
            f"{first.program} update stands in another RUN than the install",
            "both in one RUN",
            "RUN apt-get update && apt-get install -y --no-install-recommends … && rm -rf /var/lib/apt/lists/*",
        )
