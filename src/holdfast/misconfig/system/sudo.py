"""Who may become root without being asked: sudoers(5), doas.conf(5)."""

from collections.abc import Iterator

from holdfast.misconfig.reading import SettingsReader
from holdfast.misconfig.syntax.lines import joined
from holdfast.model.found import Trait

_RULE = "image.sudo-without-password"


def sudoers(text: str) -> Iterator[Trait]:
    """Users for whom every command goes without a password."""
    for line, content in joined(text):
        if content[0] == "#":
            continue
        who, _, rest = content.partition(" ")
        flat = "".join(rest.partition(" #")[0].split())
        if who.lower().startswith("defaults"):
            if "!authenticate" in flat:
                yield Trait(_RULE, "Defaults !authenticate", line)
            continue
        tagged = flat.rpartition("NOPASSWD:")
        if tagged[1] and "ALL" in tagged[2].replace("SETENV:", "").replace("NOEXEC:", "").split(","):
            yield Trait(_RULE, f"{who[:64]}: NOPASSWD: ALL", line)


def doas(text: str) -> Iterator[Trait]:
    """Rules that permit everything without a password."""
    for line, content in joined(text):
        found = content.partition("#")[0].split()
        if found[:1] == ["permit"] and "nopass" in found and "cmd" not in found:
            yield Trait(_RULE, " ".join(found)[:80], line)


READERS = (
    SettingsReader("sudoers", 1, ("etc/sudoers", "etc/sudoers.d/*"), sudoers),
    SettingsReader("doas", 1, ("etc/doas.conf", "etc/doas.d/*.conf"), doas),
)
