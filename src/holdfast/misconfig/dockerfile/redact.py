"""Keeps secrets out of what is said: names and values that are likely to be one, and text with them blotted out."""

import re
from collections.abc import Iterable

_WORDS = (
    r"pass(?:word|wd|phrase)?|pwd|secret|secrets|token|api_?key|apikey|access_?key|secret_?key|private_?key|"
    r"encryption_?key|signing_?key|credential|credentials|auth_?key|license_?key|deploy_?key|ssh_?key|master_?key|client_?secret|connection_?string"
)
_NAME = re.compile(rf"(?:^|[_.-])(?:{_WORDS})(?:[0-9]{{0,2}})$")
_JOINED = re.compile(r"(?:password|passwd|secretkey|apikey|accesskey|authtoken|accesstoken|privatekey)$")
_HARMLESS = re.compile(
    r"(?:^|[_.-])(?:public|no|min|max|allow|require|disable|enable|use|skip|default_auth|gpg)(?:[_.-]|$)"
)
_VALUES = re.compile(
    r"(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[A-Za-z0-9_-]{20,64}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,255}|[sr]k_live_[A-Za-z0-9]{10,255}|AIza[A-Za-z0-9_-]{35}|npm_[A-Za-z0-9]{30,64}"
    r"|pypi-[A-Za-z0-9_-]{50,255}|hf_[A-Za-z0-9]{30,64}|sk-[A-Za-z0-9_-]{20,200}|dckr_pat_[A-Za-z0-9_-]{20,64}"
    r""
    r"|(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,2048}\.eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{0,2048}"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY"
    r"|SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}|https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,100}"
)
_LOGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20}://)([^\s/@:]{0,256}):([^\s/@]{1,256})@")
_ALONE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20}://)[^\s/@]{1,512}@")
_QUERY = re.compile(r"(://[^\s?]{1,1024})\?\S{1,2048}")
_REFERENCE = re.compile(r"\$[({A-Za-z_]|<[^>]{1,64}>|\{\{")
_PLACEHOLDER = re.compile(
    r"(?:x{3,}|\*{3,}|\.{3,}|change_?me.{0,12}|example|dummy|fake|none|null|todo|placeholder|your[_-].{1,40}|test|unset)"
)
_SWITCH = re.compile(r"(?:true|false|yes|no|on|off|[0-9]{1,6}|/.{0,255}|~/.{0,255}|required|optional|prompt)")


def names_a_secret(name: str) -> bool:
    """Whether a variable of this name is there to hold a secret (`DB_PASSWORD`, `npm_token`; not `GPG_KEY`)."""
    low = name.lower()
    if len(low) > 128 or _HARMLESS.search(low):
        return False
    return bool(_NAME.search(low) or _JOINED.search(low))


def is_reference(value: str) -> bool:
    """Whether a value is, or holds, a variable or a template rather than the thing itself."""
    return bool(_REFERENCE.search(value[:4096]))


def is_placeholder(value: str) -> bool:
    """Whether a value stands for one that is filled in later."""
    return bool(_PLACEHOLDER.fullmatch(value[:64].lower()))


def is_setting(value: str) -> bool:
    """Whether a value is empty, a switch, a small number or a path: nothing to keep secret."""
    return not value or bool(_SWITCH.fullmatch(value[:256].lower()))


def holds_secret(value: str) -> bool:
    """Whether a value has the form of a known kind of secret, or is an address with a password in it."""
    if _VALUES.search(value[:65536]):
        return True
    found = _LOGIN.search(value[:65536])
    return bool(found and not is_reference(found[3]) and not is_placeholder(found[3]))


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without logins and queries of addresses, anything that has the form of a secret, and these secrets."""
    for secret in secrets:
        text = text.replace(secret, "***")
    text = _VALUES.sub("***", text[:4096])
    text = _QUERY.sub(r"\1", text)
    return _ALONE.sub(r"\1", text)
