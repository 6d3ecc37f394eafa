"""Asking issuers whether secrets live (`--verify`): one request each, to the rule's own host and nowhere else."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlsplit

import msgspec

from holdfast.model.errors import HoldfastError
from holdfast.model.finding import Finding, SecretEvidence
from holdfast.model.status import Gravity, Problem
from holdfast.secret.engine import Kept
from holdfast.secret.rule import SecretRule, Verification
from holdfast.transport.address import Address
from holdfast.transport.deadline import Deadline

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

SECONDS = 10.0
MOST_ASKED = 200
_MOST_ANSWER = 64 << 10
_PLACEHOLDER = "{"

Key = tuple[str, str]
"""A rule's id and a secret's key id."""


class Wire(Protocol):
    """Sends one request and follows no redirection: transport.wire.Wire."""

    offline: bool

    def ask(
        self,
        method: str,
        address: Address,
        headers: Mapping[str, str],
        deadline: Deadline,
        *,
        body: bytes | None = None,
    ) -> "BaseHTTPResponse":
        """The answer to one request."""


def verify(
    kept: Iterable[Kept], rules: Mapping[str, SecretRule], wire: Wire, *, hosts: Mapping[str, str] | None = None
) -> tuple[dict[Key, str], list[Problem]]:
    """What issuers say of secrets that an engine kept (`engine.kept.values()`, `engine.secret_rules`): `yes` or `no`.

    A secret that nobody can be asked about, or whose issuer gave no clear answer, is not in the result; where it was
    asked in vain a Problem says so, without the secret. Each is asked once. `hosts` puts another base address
    (`http://127.0.0.1:8080`) in the place of an issuer's host. Offline nothing is asked.
    """
    askable = [(one, rules[one.rule]) for one in kept if one.rule in rules and rules[one.rule].verify is not None]
    if wire.offline:
        message = "not asked whether they live: --offline"
        return {}, [Problem("secret.not-verified", message, Gravity.NOTE, count=len(askable))] if askable else []
    answers: dict[Key, str] = {}
    problems: dict[str, Problem] = {}
    for one, rule in askable[:MOST_ASKED]:
        assert rule.verify is not None
        said, why = _ask(one, rule.verify, wire, hosts or {})
        if said:
            answers[one.rule, one.key_id] = said
        elif why:
            before = problems.get(rule.id)
            problems[rule.id] = Problem(
                "secret.not-verified", f"its issuer could not say whether it lives: {why}", Gravity.NOTE, where=rule.id,
                count=before.count + 1 if before else 1,
            )  # fmt: skip
    if len(askable) > MOST_ASKED:
        message = f"more than {MOST_ASKED} secrets: no issuer was asked about the rest"
        problems[""] = Problem("secret.not-verified", message, Gravity.NOTE, count=len(askable) - MOST_ASKED)
    return answers, list(problems.values())


def with_answers(findings: Iterable[Finding], answers: Mapping[Key, str]) -> tuple[Finding, ...]:
    """The findings with what issuers said of them."""
    said = []
    for finding in findings:
        evidence = finding.evidence
        if isinstance(evidence, SecretEvidence) and (answer := answers.get((finding.rule, evidence.key_id))):
            finding = msgspec.structs.replace(finding, evidence=msgspec.structs.replace(evidence, alive=answer))
        said.append(finding)
    return tuple(said)


def _ask(one: Kept, how: Verification, wire: Wire, hosts: Mapping[str, str]) -> tuple[str, str]:
    """The issuer's answer, and why there is none. No word of an error is passed on: it may quote the request."""
    try:
        values = _values(one)
        address = _address(how.url, values, hosts)
        headers = {"User-Agent": "holdfast", "Accept": "*/*"}
        headers |= {name: _line(_filled(text, values)) for name, text in how.headers.items()}
        body = _filled(how.body, values).encode() if how.body else None
    except (UnicodeError, KeyError, ValueError, HoldfastError):
        return "", "it cannot be written into a request"
    try:
        response = wire.ask(how.method, address, headers, Deadline.after(SECONDS), body=body)
    except HoldfastError:
        return "", "no connection"
    try:
        status = response.status
        text = _text(response) if how.alive_text or how.dead_text else ""
    except Exception as error:  # urllib3's own, of many kinds
        return "", f"the answer broke off ({type(error).__name__})"
    finally:
        response.close()
    if status in how.alive and how.alive_text in text:
        return "yes", ""
    if status in how.dead and how.dead_text in text:
        return "no", ""
    return "", f"it answered {status}"


def _values(one: Kept) -> dict[str, str]:
    values = {name: value.decode("ascii") for name, value in one.groups.items() if name != "secret"}
    values["secret"] = one.secret.decode("ascii")
    values["basic"] = b64encode(one.secret + b":").decode()
    values["basic_password"] = b64encode(b":" + one.secret).decode()
    return values


def _address(url: str, values: Mapping[str, str], hosts: Mapping[str, str]) -> Address:
    """The address to ask. Its host is the rule's own: nothing that was found in an image has a say in it."""
    parts = urlsplit(url)
    host = parts.netloc
    if _PLACEHOLDER in host or parts.scheme != "https":
        raise ValueError("the host is not the rule's own")
    base = hosts.get(host, f"https://{host}").rstrip("/")
    rest = parts.path + (f"?{parts.query}" if parts.query else "")
    return Address.parse(base + _filled(rest, {name: quote(value, safe="") for name, value in values.items()}))


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _line(value: str) -> str:
    if any(ord(character) < 0x20 or ord(character) > 0x7E for character in value):
        raise ValueError("not a header")
    return value


def _text(response: "BaseHTTPResponse") -> str:
    return response.read(_MOST_ANSWER, decode_content=True).decode(errors="replace")
