"""Package managers and fetching tools told not to check what they get: apt, dnf, pip, npm, yarn, git, curl, wget."""

import re
from collections.abc import Iterator

from holdfast.misconfig.reading import SettingsReader
from holdfast.misconfig.syntax.braces import statements
from holdfast.misconfig.syntax.ini import is_off, is_on, last, settings
from holdfast.misconfig.syntax.lines import directives, numbered
from holdfast.misconfig.syntax.outline import leaves
from holdfast.model.found import Trait

UNVERIFIED, TLS_OFF, EXTRA_INDEX, PLAIN_INDEX, PLAIN_LOGIN = (
    "image.unverified-packages", "image.tls-verification-off", "image.extra-package-index",
    "image.plain-package-index", "image.plain-package-login",
)  # fmt: skip

_APT = {
    "apt::get::allowunauthenticated": (UNVERIFIED, True),
    "acquire::allowinsecurerepositories": (UNVERIFIED, True),
    "acquire::allowweakrepositories": (UNVERIFIED, True),
    "acquire::https::verify-peer": (TLS_OFF, False),
    "acquire::https::verify-host": (TLS_OFF, False),
}


def apt_conf(text: str) -> Iterator[Trait]:
    """Options of apt.conf(5), in either of its forms."""
    for one in statements(text, slashes=True):
        if one.opens or not one.words:
            continue
        name = "::".join([*(outer.name for outer in one.within), one.name])
        rule, wanted = _APT.get(name, ("", True))
        if rule and (is_on(one.words[-1]) if wanted else is_off(one.words[-1])):
            yield Trait(rule, f"apt: {name} {one.words[-1]}", one.line)


def apt_sources(text: str) -> Iterator[Trait]:
    """Sources that are trusted unseen, or asked with a password in clear text: sources.list(5)."""
    for line, content in numbered(text):
        if content[0] == "#":
            continue
        flat = "".join(content.lower().split())
        if content.startswith(("deb ", "deb-src ", "deb\t")):
            options = "".join(content.partition("[")[2].partition("]")[0].lower().split(" ")) if "[" in content else ""
            if "trusted=yes" in options or "allow-insecure=yes" in options:
                yield Trait(UNVERIFIED, f"apt: [{_option(options)}] {_masked(content)}", line)
        elif flat.startswith(("trusted:yes", "allow-insecure:yes")):
            yield Trait(UNVERIFIED, f"apt: {flat}", line)
        if re.search(r"http://[^\s/@]{1,512}@", content):
            yield Trait(PLAIN_LOGIN, f"apt: {_masked(content)}", line)


def _option(options: str) -> str:
    return "trusted=yes" if "trusted=yes" in options else "allow-insecure=yes"


def _masked(line: str) -> str:
    """The address in a line without user, password, query and path."""
    found = re.search(r"(https?)://(?:[^\s/@]{1,512}@)?([\w.:-]{1,255})", line)
    return f"{found[1]}://{found[2]}" if found else ""


def pip(text: str) -> Iterator[Trait]:
    """pip's settings."""
    for one in settings(text, separators="=:"):
        value = one.text
        if one.key == "trusted-host":
            yield Trait(TLS_OFF, "pip: trusted-host", one.line)
        elif one.key == "extra-index-url":
            yield Trait(EXTRA_INDEX, f"pip: extra-index-url {_masked(value)}".rstrip(), one.line)
        elif one.key == "index-url" and value.lower().startswith("http://") and not _is_local(value):
            yield Trait(PLAIN_INDEX, f"pip: index-url {_masked(value)}", one.line)


def npm(text: str) -> Iterator[Trait]:
    """Settings of npm and of yarn 1."""
    for one in last(settings(text)).values():
        if one.key == "strict-ssl" and is_off(one.value):
            yield Trait(TLS_OFF, "npm: strict-ssl=false", one.line)
        elif one.key.rpartition(":")[2] == "registry" and one.text.startswith("http://") and not _is_local(one.text):
            yield Trait(PLAIN_INDEX, f"npm: registry {_masked(one.text)}", one.line)
    for line in directives(text):
        if line.name == "strict-ssl" and is_off(line.value):
            yield Trait(TLS_OFF, "yarn: strict-ssl false", line.line)


def yarn(text: str) -> Iterator[Trait]:
    """Settings of yarn 2 and later."""
    for one in leaves(text):
        if one.key == "enablestrictssl" and is_off(one.value):
            yield Trait(TLS_OFF, "yarn: enableStrictSsl: false", one.line)


def dnf(text: str) -> Iterator[Trait]:
    """Settings of yum and dnf, of repositories that are not switched off."""
    found = last(settings(text))
    for (section, key), one in found.items():
        enabled = found.get((section, "enabled"))
        if enabled is not None and is_off(enabled.value):
            continue
        if key == "gpgcheck" and is_off(one.value):
            yield Trait(UNVERIFIED, f"dnf: gpgcheck=0 in [{section[:80]}]", one.line)
        elif key == "sslverify" and is_off(one.value):
            yield Trait(TLS_OFF, f"dnf: sslverify=0 in [{section[:80]}]", one.line)


def git(text: str) -> Iterator[Trait]:
    """git's http.sslVerify."""
    for one in settings(text):
        if one.section.startswith("http") and one.key == "sslverify" and is_off(one.value):
            yield Trait(TLS_OFF, "git: http.sslVerify=false", one.line)


def fetch(text: str) -> Iterator[Trait]:
    """Settings of wget and curl."""
    for one in settings(text):
        flat = f"{one.key}={one.text.lower()}" if one.value is not None else one.key
        if flat in ("check_certificate=off", "check-certificate=off"):
            yield Trait(TLS_OFF, "wget: check_certificate=off", one.line)
        elif flat.lstrip("-") in ("insecure", "k"):
            yield Trait(TLS_OFF, "curl: insecure", one.line)


def _is_local(address: str) -> bool:
    return bool(re.match(r"http://(?:localhost|127\.|\[::1\])", address))


READERS = (
    SettingsReader("apt-conf", 1, ("etc/apt/apt.conf", "etc/apt/apt.conf.d/*"), apt_conf),
    SettingsReader(
        "apt-sources", 1, ("etc/apt/sources.list", "etc/apt/sources.list.d/*.list", "etc/apt/sources.list.d/*.sources"),
        apt_sources,
    ),
    SettingsReader("pip-conf", 1, ("etc/pip.conf", "**/pip.conf"), pip, own=True),
    SettingsReader("npmrc", 1, ("**/.npmrc", "**/npmrc", "**/.yarnrc"), npm, own=True),
    SettingsReader("yarnrc", 1, ("**/.yarnrc.yml",), yarn, own=True),
    SettingsReader("dnf", 1, ("etc/yum.conf", "etc/dnf/dnf.conf", "etc/yum.repos.d/*.repo"), dnf),
    SettingsReader("gitconfig", 1, ("etc/gitconfig", "**/.gitconfig"), git),
    SettingsReader("fetch", 1, ("etc/wgetrc", "**/.wgetrc", "**/.curlrc"), fetch),
)  # fmt: skip
