"""A verdict: for a terminal, and as JSON (`holdfast.verdict/1`, described by docs/verdict.schema.json)."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from holdfast.model.verdict import SCHEMA, Decision, Reason, SetAside, Verdict
from holdfast.report.preface import problems_told
from holdfast.report.text import Lines, counted, one_line, paint, paragraph, printable
from holdfast.report.writer import encode

_STYLES = {Decision.ALLOW: "good", Decision.WARN: "warn", Decision.DENY: "bad"}
_WORDS = {
    Decision.ALLOW: "nothing in the policy stands against it",
    Decision.WARN: "it passes; see what follows",
    Decision.DENY: "it must not be built or run as it is",
}
_MOST_REASONS = 20
_MOST_ASIDE = 20
_MOST_SNIPPETS = 3


def write(verdict: Verdict, *, width: int = 80, colour: bool = False, waivers: bool = False) -> str:
    """The decision first, then each reason with how to pass, then what did not count and why.

    With `waivers` the text ends with waivers to paste for what denies.
    """
    text = "".join(f"{paint(spans, width, colour=colour)}\n" for spans in _lines(verdict, width))
    return text + ("".join(f"{line}\n" for line in _snippets(verdict)) if waivers else "")


def to_json(verdict: Verdict) -> bytes:
    """The verdict as one indented JSON object, `schema` first."""
    values: dict[str, Any] = msgspec.to_builtins(verdict)
    return encode({"schema": verdict.schema} | values)


def schema_text() -> str:
    """The JSON Schema (draft 2020-12) of a verdict, as the file in docs holds it."""
    root: dict[str, Any] = msgspec.json.schema(Verdict)
    verdict = root["$defs"]["Verdict"]
    verdict["properties"]["schema"] = {"const": SCHEMA}
    verdict["required"] = list(verdict["properties"])
    identity = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:holdfast:verdict:1", "title": SCHEMA,
    }  # fmt: skip
    return encode({**identity, **root}).decode()


def _lines(verdict: Verdict, width: int) -> Lines:
    yield [(verdict.decision.value.upper(), _STYLES[verdict.decision]), (f"  {_WORDS[verdict.decision]}", "")]
    about = f"{printable(verdict.target)} · " if verdict.target else ""
    yield from paragraph("", f"{about}policy {verdict.policy}{f', {verdict.day}' if verdict.day else ''}", width, "dim")
    for decision, heading in ((Decision.DENY, "DENIED FOR"), (Decision.WARN, "WARNINGS")):
        found = [reason for reason in verdict.because if reason.decision is decision]
        if found:
            yield []
            yield [(f"{heading}  {counted(len(found), 'reason')}", _STYLES[decision])]
        for reason in found[:_MOST_REASONS]:
            yield from _reason(reason, width)
        if len(found) > _MOST_REASONS:
            yield [(f"  … and {len(found) - _MOST_REASONS:,} more: see -f json", "dim")]
    yield from _aside(verdict, width)
    if verdict.warnings:
        yield []
        yield [("ABOUT THE POLICY", "heading")]
        yield from problems_told(verdict.warnings, width)


def _reason(reason: Reason, width: int) -> Lines:
    yield from paragraph("  ", reason.message, width, _STYLES[reason.decision])
    told = f"rule {reason.rule}" + (f", {reason.where}" if reason.where else "")
    yield from paragraph("    ", told, width, "dim")
    for step in reason.how_to_pass:
        yield from paragraph("    → ", step, width)


def _aside(verdict: Verdict, width: int) -> Lines:
    """What was accepted, alike ones once."""
    if not verdict.set_aside:
        return
    yield []
    yield [(f"SET ASIDE  {verdict.set_aside_count:,} not counted", "heading")]
    groups: dict[tuple[str, str, str, str], list[SetAside]] = {}
    for one in verdict.set_aside:
        groups.setdefault((one.by, one.reason, one.owner, one.expires), []).append(one)
    for (by, why, owner, expires), members in list(groups.items())[:_MOST_ASIDE]:
        yield from paragraph("  ", ", ".join(_named(members)), width)
        said = f"{by}: {why}" if not why.lower().startswith(by) else why
        end = f", until {expires}" if expires else ""
        whose = f" ({owner.strip('()')}{end})" if owner else ""
        yield from paragraph("    ", f"{said}{whose}", width, "dim")
    if len(groups) > _MOST_ASIDE:
        yield [(f"  … and {len(groups) - _MOST_ASIDE:,} more: see -f json", "dim")]


def _named(members: list[SetAside]) -> Iterator[str]:
    counts = Counter(one_line(f"{one.rule} {one.subject}") for one in members)
    names = list(counts)
    yield from names[:3]
    if len(names) > 3:
        yield f"and {len(names) - 3:,} more"


def _snippets(verdict: Verdict) -> Iterator[str]:
    """As they are: what is wrapped or cut could not be pasted."""
    found = [reason for reason in verdict.because if reason.waiver and reason.decision is Decision.DENY]
    if not found:
        return
    yield from ("", "# To accept it all the same: paste this into the policy, with a reason and an owner.")
    for reason in found[:_MOST_SNIPPETS]:
        yield ""
        yield from (printable(line) for line in reason.waiver.rstrip("\n").split("\n"))
