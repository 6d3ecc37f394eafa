"""A report as one self-contained HTML page: nothing is loaded, and nothing that an image holds becomes markup.

The page is complete without JavaScript; a script of ours filters and sorts. A content security policy names the hashes
of that script and of the style sheet, so that nothing else could run even where escaping failed.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from msgspec import Struct

from holdfast.model.finding import Kind, Severity
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Problem, Status
from holdfast.model.verdict import Verdict
from holdfast.report.columns import short
from holdfast.report.entries import Cause, causes, entry, is_looked_for, shown
from holdfast.report.picture import MOST_LAYERS, brought, strip
from holdfast.report.rows import rows
from holdfast.report.text import counted, listed
from holdfast.report.todo import plan_of, things
from holdfast.report.words import KINDS, WORST_FIRST, concerns_packages, layer_numbers
from holdfast.report.writer import emit

if TYPE_CHECKING:
    from jinja2 import Template

_MOST_ENTRIES = 2000
_MOST_PACKAGES = 3000
_MOST_PROBLEMS = 40
_MOST_REASONS = 30
_PARTS = Path(__file__).with_name("page")
_STATUS_WORDS = {
    Status.COMPLETE: "All that was asked for was looked at.",
    Status.PARTIAL: "Something was not seen: nothing below is a full answer.",
    Status.FAILED: "The target could not be read.",
}


class HtmlWriter(Struct, frozen=True):
    """One page for people: summary, what to do, a picture of the layers, every finding with its evidence."""

    name: str = "html"
    suffix: str = ".html"

    def write(self, report: Report, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The report as one HTML document, UTF-8."""
        style, script = _part("report.css"), _part("report.js")
        page = _template().render(
            page=_page(report), style=style, script=script, style_hash=_hash(style), script_hash=_hash(script)
        )
        emit(page.encode() + b"\n", output)


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    surroundings = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=False)
    # The style sheet and the script are ours, and their hashes stand in the policy: they must not be escaped.
    text = (
        _part("report.html").replace("{{ style }}", "{{ ours(style) }}").replace("{{ script }}", "{{ ours(script) }}")
    )
    surroundings.globals["ours"] = Markup
    return surroundings.from_string(text)


@cache
def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _page(report: Report) -> dict[str, Any]:
    """All that the template shows, as safe texts and numbers."""
    found = causes(report)
    layers = layer_numbers(report)
    chosen = [entry(cause, layers) for cause in found[:_MOST_ENTRIES]]
    todo, more = things(plan_of(report, rows(report), rows(report, Kind.MALWARE)))
    left = len(found) - len(chosen)
    problems = [one for one in report.problems if one.gravity is not Gravity.NOTE]
    tool, _, _ = report.tool.partition(" ")
    return {
        "tool": shown(report.tool, 80),
        "tool_name": shown(tool.capitalize(), 40),
        "target": shown(report.target.name, 300) or "target",
        "created": report.created if report.created.isascii() and report.created.isprintable() else "",
        "created_words": shown(report.created[:16].replace("T", " "), 40),
        "pins": [shown(pin, 200) for pin in _pins(report)],
        "status": str(report.status),
        "status_words": _STATUS_WORDS[report.status],
        "problems": _problems(report, problems),
        "notes": _told([one for one in report.problems if one.gravity is Gravity.NOTE]),
        "advisories": _advisories(report),
        "verdict": _verdict(report.verdict) if report.verdict else None,
        "tiles": [_tile(report, kind, found) for kind in KINDS],
        "things": [{"verb": one.verb, "what": shown(one.what, 200), "how": shown(one.how, 600)} for one in todo],
        "more_things": f"And {counted(more, 'more thing')} to do: see the findings." if more > 0 else "",
        "strip": strip(report),
        "layers": brought(report, found),
        "more_layers": _more(len(report.layers) - MOST_LAYERS, "layer"),
        "entries": chosen,
        "kinds": [str(kind) for kind in KINDS if any(cause.finding.kind is kind for cause in found)],
        "severities": [{"name": str(severity), "rank": severity.rank} for severity in WORST_FIRST],
        "shown_words": f"{len(found):,} in all, most urgent first." if found else "No findings.",
        "left_out": (
            f"Only the {len(chosen):,} most urgent of {len(found):,} findings are on this page; "
            f"{left:,} are left out so that it stays usable. The other formats hold them all (-f json)."
            if left
            else ""
        ),
        "packages": _packages(report, layers),
        "packages_words": f"{counted(len(report.packages), 'package')} found",
        "packages_left": _more(len(report.packages) - _MOST_PACKAGES, "package"),
        "foot": [shown(word, 200) for word in _foot(report)],
    }


def _more(number: int, noun: str) -> str:
    return f"and {counted(number, f'more {noun}')}: see -f json" if number > 0 else ""


def _pins(report: Report) -> Iterator[str]:
    if report.distribution:
        yield str(report.distribution)
    if report.target.platform:
        yield str(report.target.platform)
    if digest := report.target.digest or report.target.config_digest:
        yield f"{digest.partition(':')[0]}:{short(digest)}"
    layers = f" in {counted(len(report.layers), 'layer')}" if report.layers else ""
    if concerns_packages(report):
        yield counted(len(report.packages), "package") + layers
    if report.base.decided_by:
        named = f"{report.base.name}, " if report.base.name else ""
        yield f"base image: {named}{counted(report.base.layers, 'layer')}"
    elif len(report.layers) > 1:
        yield "base image: unknown"


def _problems(report: Report, grave: Sequence[Problem]) -> list[dict[str, str]]:
    told = _told(grave[:_MOST_PROBLEMS])
    if len(grave) > _MOST_PROBLEMS:
        told.append({"message": f"and {len(grave) - _MOST_PROBLEMS:,} more problems", "gravity": "partial", "where": "",
                     "remedy": ""})  # fmt: skip
    if report.not_checked:
        words = listed([shown(one, 120) for one in report.not_checked], 10)
        told.append({"message": f"not checked: {words}", "gravity": "partial", "where": "", "remedy": ""})
    return told


def _told(problems: Sequence[Problem]) -> list[dict[str, str]]:
    return [
        {
            "message": (f"{one.count:,} × " if one.count > 1 else "") + shown(one.message, 400),
            "where": shown(one.where, 200) if one.where not in ("", "/") else "",
            "remedy": shown(one.remedy, 400),
            "gravity": str(one.gravity),
        }
        for one in problems[: _MOST_PROBLEMS + 1]
    ]


def _advisories(report: Report) -> str:
    if report.database is None:
        return "none were looked at"
    if report.database.starter:
        return "only the starter pack: some famous vulnerabilities, no answer to what else there is"
    return shown(listed([f"{one.name} {one.date[:10]}".strip() for one in report.database.sources], 8), 400)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    """The decision of a policy with its reasons, those that deny first."""
    reasons = [
        {
            "decision": str(reason.decision),
            "message": shown(reason.message, 400),
            "rule": shown(reason.rule, 120),
            "steps": [shown(step, 300) for step in reason.how_to_pass[:6]],
        }
        for reason in verdict.because[:_MOST_REASONS]
    ]
    more = len(verdict.because) - len(reasons)
    aside = f"{verdict.set_aside_count:,} set aside by waivers or VEX" if verdict.set_aside_count else ""
    return {
        "decision": str(verdict.decision),
        "policy": shown(verdict.policy, 120),
        "reasons": reasons,
        "rest": " · ".join(part for part in (_more(more, "reason"), aside) if part),
    }


def _tile(report: Report, kind: Kind, found: Sequence[Cause]) -> dict[str, Any]:
    """The count of one kind with its severities; where there is none, whether it was looked for."""
    counts: Counter[Severity] = Counter()
    for cause in found:
        if cause.finding.kind is kind:
            counts[cause.finding.severity] += 1
    total = counts.total()
    one, several = {Kind.CONFIGURATION: ("broken rule", "broken rules")}.get(kind, KINDS[kind])
    return {
        "total": total,
        "number": f"{total:,}" if total or is_looked_for(report, kind) else "–",
        "name": one if total == 1 else several,
        "parts": [{"severity": str(one), "number": f"{counts[one]:,}"} for one in WORST_FIRST if counts[one]],
        "words": "" if total else "none found" if is_looked_for(report, kind) else "not looked for",
    }


def _packages(report: Report, layers: dict[str, int]) -> list[dict[str, str]]:
    return [
        {
            "name": shown(f"{one.namespace}/{one.name}" if _is_namespaced(one.namespace, one.type) else one.name, 160),
            "version": shown(one.version, 80),
            "type": shown(one.type, 20),
            "layer": f"#{layers[one.diff_id]}" if one.diff_id in layers else "",
            "licence": shown(listed([shown(licence, 120) for licence in one.licenses], 3), 300),
        }
        for one in report.packages[:_MOST_PACKAGES]
    ]


def _is_namespaced(namespace: str, kind: str) -> bool:
    return bool(namespace) and kind not in ("deb", "rpm", "apk")


def _foot(report: Report) -> Iterator[str]:
    if report.target.digest:
        yield report.target.digest
    if report.database and report.database.sha256:
        yield f"advisory database {short(report.database.sha256)}"
