"""A verdict for people and for programs: what is decided, why, and how to pass."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.status import Gravity, Problem
from holdfast.model.verdict import Decision, Reason, SetAside, Verdict
from holdfast.report.text import columns
from holdfast.report.verdict import schema_text, to_json, write
from report.reports import digest

PUBLISHED = Path(__file__).parents[2] / "docs" / "verdict.schema.json"
FULL = Verdict(
    Decision.DENY,
    (
        Reason(
            "policy.vulnerability", Decision.DENY, "3 vulnerabilities in openssl", ("0" * 32,), 3,
            ("upgrade openssl in the base image to 3.0.9",), '[[waiver]]\nrule = "CVE-2026-1"\nreason = ""\n',
        ),
        Reason("policy.user", Decision.WARN, "containers run as root", where="Dockerfile:9"),
    ),
    "balanced",
    target="registry.example/shop:1.4",
    digest=digest("manifest"),
    day="2026-11-24",
    set_aside=(
        SetAside("CVE-2026-2", "waiver", "not reachable", "zlib 1.2", "1" * 32, "ann", "2027-01-01", "p.toml:9"),
        SetAside("CVE-2026-3", "waiver", "not reachable", "zlib 1.2", "2" * 32, "ann", "2027-01-01", "p.toml:9"),
        SetAside("CVE-2026-4", "vex", "VEX not_affected: never called (Bob)", "flask 1.0", "3" * 32),
    ),
    set_aside_count=3,
    warnings=(
        Problem("waiver.unused", "the waiver for CVE-1 matched nothing", Gravity.NOTE, "p.toml:3", "take it out"),
    ),
)  # fmt: skip


def test_it_is_read_at_eighty_columns() -> None:
    assert write(FULL).splitlines() == [
        "DENY  it must not be built or run as it is",
        "registry.example/shop:1.4 · policy balanced, 2026-11-24",
        "",
        "DENIED FOR  1 reason",
        "  3 vulnerabilities in openssl",
        "    rule policy.vulnerability",
        "    → upgrade openssl in the base image to 3.0.9",
        "",
        "WARNINGS  1 reason",
        "  containers run as root",
        "    rule policy.user, Dockerfile:9",
        "",
        "SET ASIDE  3 not counted",
        "  CVE-2026-2 zlib 1.2, CVE-2026-3 zlib 1.2",
        "    waiver: not reachable (ann, until 2027-01-01)",
        "  CVE-2026-4 flask 1.0",
        "    VEX not_affected: never called (Bob)",
        "",
        "ABOUT THE POLICY",
        "  the waiver for CVE-1 matched nothing: p.toml:3",
        "    → take it out",
    ]


def test_waivers_to_paste_are_asked_for() -> None:
    text = write(FULL, width=20, waivers=True)
    assert text.endswith('[[waiver]]\nrule = "CVE-2026-1"\nreason = ""\n'), "never cut: it could not be pasted"
    assert "[[waiver]]" not in write(FULL)


def test_allowed_is_two_lines() -> None:
    verdict = Verdict(Decision.ALLOW, (), "balanced", target="a", day="2026-11-24")
    assert write(verdict) == "ALLOW  nothing in the policy stands against it\na · policy balanced, 2026-11-24\n"


def test_colour_is_for_terminals() -> None:
    assert "\x1b" not in write(FULL)
    assert write(FULL, colour=True).startswith("\x1b[1;31mDENY")


def test_what_has_no_end_is_cut() -> None:
    reasons = tuple(Reason(f"r{n}", Decision.DENY, "x" * 5_000) for n in range(1_000))
    aside = tuple(SetAside(f"CVE-{n}", "waiver", f"reason {n}") for n in range(500))
    text = write(Verdict(Decision.DENY, reasons, "p", set_aside=aside, set_aside_count=9_000))
    assert len(text.splitlines()) < 250
    assert "… and 980 more: see -f json" in text
    assert "SET ASIDE  9,000 not counted" in text


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_it_may_be(width: int) -> None:
    assert max(columns(line) for line in write(FULL, width=width).splitlines()) <= width


def test_json_follows_the_published_schema() -> None:
    document = json.loads(to_json(FULL))
    assert next(iter(document)) == "schema"
    jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text())).validate(document)
    assert document["because"][0]["findings"] == ["0" * 32]
    assert document["set_aside"][0]["owner"] == "ann"


def test_the_published_schema_is_that_of_the_model() -> None:
    how = "print(holdfast.report.verdict.schema_text(), end='') into docs/verdict.schema.json"
    assert PUBLISHED.read_text() == schema_text(), how


TEXT = st.text(max_size=20) | st.sampled_from(["\x1b[31m", "\u202e", "\udcff", "\n\n", "漢字" * 30, "a" * 200])


@settings(max_examples=80, deadline=None)
@given(TEXT, st.sampled_from(Decision), st.integers(20, 100))
def test_hostile_texts_are_shown_and_not_obeyed(text: str, decision: Decision, width: int) -> None:
    fields: dict[str, Any] = {
        "target": text,
        "set_aside": (SetAside(text, "waiver", text, text),),
        "set_aside_count": 1,
    }
    verdict = Verdict(
        decision, (Reason(text, decision, text, how_to_pass=(text,), waiver=text, where=text),), text, **fields
    )
    shown = write(verdict, width=width)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert all(columns(line) <= width for line in shown.split("\n"))
    assert json.loads(to_json(verdict))["decision"] == decision
    write(verdict, waivers=True).encode()
