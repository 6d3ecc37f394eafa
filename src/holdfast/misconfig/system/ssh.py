"""The ssh daemon: sshd_config(5), keys of the host, and keys that may log in."""

from collections.abc import Iterator

from holdfast.misconfig.reading import PresenceReader, SettingsReader
from holdfast.misconfig.syntax.ini import is_on
from holdfast.misconfig.syntax.lines import Directive, numbered, words
from holdfast.model.found import Trait

_RULES = {
    "permitrootlogin": "image.sshd-root-login",
    "passwordauthentication": "image.sshd-password-login",
    "permitemptypasswords": "image.sshd-empty-passwords",
}


def sshd(text: str) -> Iterator[Trait]:
    """Settings outside of Match blocks; as sshd does, the first one of a name counts."""
    first: dict[str, Directive] = {}
    for line, content in numbered(text):
        found = words(content.replace("=", " ", 1))
        if not found:
            continue
        name = found[0].lower()
        if name == "match":
            break
        first.setdefault(name, Directive(found[0], found[1:], line))
    for name, rule in _RULES.items():
        if (setting := first.get(name)) and is_on(setting.value):
            yield Trait(rule, f"{setting.name} {setting.value}", setting.line)
    if (protocol := first.get("protocol")) and "1" in protocol.value.split(","):
        yield Trait("image.sshd-old-protocol", f"Protocol {protocol.value}", protocol.line)


def authorized_keys(text: str) -> Iterator[Trait]:
    """That keys may log in, and how many."""
    lines = [number for number, line in numbered(text) if line[0] != "#"]
    if lines:
        yield Trait("image.ssh-authorized-key", f"{len(lines)} key{'s' * (len(lines) > 1)}", lines[0])


READERS = (
    SettingsReader("sshd", 1, ("etc/ssh/sshd_config", "etc/ssh/sshd_config.d/*.conf"), sshd),
    SettingsReader(
        "authorized-keys", 1, ("**/.ssh/authorized_keys", "**/.ssh/authorized_keys2"), authorized_keys, own=True
    ),
    PresenceReader(
        "ssh-host-key", 1, ("etc/ssh/ssh_host_*_key", "etc/dropbear/dropbear_*_host_key"), Trait("image.ssh-host-key")
    ),
)
