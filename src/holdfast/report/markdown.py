"""A report as GitHub- and GitLab-flavoured Markdown, for job summaries and comments on pull requests.

Short: counts, the ten worst, what to do, the rest folded away, in at most 60 KB (GitHub takes 65,536 characters in a
comment). Everything that comes from outside is escaped as character references, with mentions and links taken apart, so
that no name in an image can write markup, call a person or point somewhere.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, TextIO

from msgspec import Struct

from holdfast.model.finding import Kind, Severity
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Status
from holdfast.model.verdict import Decision, Verdict
from holdfast.report.columns import short
from holdfast.report.entries import Cause, Entry, causes, entry, is_looked_for, shown
from holdfast.report.rows import rows
from holdfast.report.text import counted, listed
from holdfast.report.todo import Thing, plan_of, things
from holdfast.report.words import KINDS, WORST_FIRST, concerns_packages, layer_numbers
from holdfast.report.writer import emit, speakable

MOST_BYTES = 60_000
"""The whole summary, with the note that says what did not fit."""

_WORST = 10
_MOST_ROWS = 400
_MOST_PROBLEMS = 6
_MOST_REASONS = 6
_KEPT = 200  # bytes for the note
_GROWTH = 4
_TABLE = "<table>\n<tr><th></th><th>what</th><th>where</th><th>fix</th></tr>"
_CLOSING = "</table>\n</details>\n"
_MARKS = {"critical": "🟥", "high": "🟧", "medium": "🟨", "low": "🟦", "negligible": "⬜", "unknown": "⬜"}
_DECISIONS = {
    Decision.ALLOW: "**🟢 allowed**",
    Decision.WARN: "**🟡 allowed with warnings**",
    Decision.DENY: "**🔴 denied**",
}
_STATUS = {Status.COMPLETE: "✅ complete", Status.PARTIAL: "⚠️ partial", Status.FAILED: "❌ failed"}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,…→")
# Inside a word these cannot begin anything, and in every path and version they would make the text unreadable.
_HARMLESS = frozenset(".-/+=()%;")


class MarkdownWriter(Struct, frozen=True):
    """One Markdown document with HTML tables folded by `details`."""

    name: str = "markdown"
    suffix: str = ".md"

    def write(self, report: Report, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The report as Markdown, UTF-8, in at most MOST_BYTES."""
        emit(document(report).encode(), output)


def escaped(text: str, most: int = 140) -> str:
    """A foreign text for Markdown: cut, on one line, and with every character that could be markup as a reference.

    An empty comment stands within what would be a mention, a reference to an issue or a link. It takes at most
    `_GROWTH * most` bytes.
    """
    parts: list[str] = []
    room = _GROWTH * most
    for character in speakable(shown(text, most)):
        if character in _PLAIN or character in _HARMLESS or (ord(character) > 0x7F and character.isalnum()):
            part = character
        else:
            part = f"&#{ord(character)};" + ("<!-- -->" if character in "@#!:~$" else "")
        room -= len(part.encode())
        if room < 3:
            parts.append("…")
            break
        parts.append(part)
    return "".join(parts).replace("www.", "www&#46;").replace("WWW.", "WWW&#46;")


def code(text: str, most: int = 120) -> str:
    """A foreign name as code, escaped as all others: where nothing is a mention or a link anyway."""
    return f"<code>{escaped(text, most)}</code>" if text else ""


def document(report: Report) -> str:
    """The Markdown: its head, which always fits, then a folded table for each kind, with as many rows as still fit."""
    found, layers = causes(report), layer_numbers(report)
    parts = ["\n".join(_head(report, found, layers)) + "\n"]
    left = MOST_BYTES - len(parts[0].encode()) - _KEPT
    dropped = 0
    for kind in KINDS:
        rest = [cause for cause in found[_WORST:] if cause.finding.kind is kind]
        opening = f"\n<details><summary>{counted(len(rest), 'more finding')}: {KINDS[kind][1]}</summary>\n\n{_TABLE}\n"
        left -= len(opening.encode()) + len(_CLOSING)
        rows_told: list[str] = []
        for cause in rest[:_MOST_ROWS]:
            row = _row(entry(cause, layers)) + "\n"
            if left < len(row.encode()):
                break
            left -= len(row.encode())
            rows_told.append(row)
        dropped += len(rest) - len(rows_told)
        if rows_told:
            parts += [opening, *rows_told, _CLOSING]
    if dropped:
        parts.append(f"\n{counted(dropped, 'finding')} left out: this summary has at most {MOST_BYTES // 1000} KB.\n")
    return "".join(parts)


def _head(report: Report, found: Sequence[Cause], layers: dict[str, int]) -> Iterator[str]:
    yield f"## {escaped(report.tool.partition(' ')[0].capitalize(), 40)}: {code(report.target.name, 200)}"
    yield ""
    yield f"**{_STATUS[report.status]}** · " + " · ".join(_facts(report))
    yield ""
    if report.verdict:
        yield from _verdict(report.verdict)
    yield from _problems(report)
    yield from _counts(report, found)
    yield from _to_do(report)
    if found:
        yield "### The ten worst" if len(found) > _WORST else "### Found"
        yield ""
        yield _TABLE
        for cause in found[:_WORST]:
            yield _row(entry(cause, layers))
        yield "</table>"


def _verdict(verdict: Verdict) -> Iterator[str]:
    """The decision of a policy with its first reasons and the first step to pass each."""
    yield f"{_DECISIONS[verdict.decision]} by policy {code(verdict.policy, 80)}"
    yield ""
    for reason in verdict.because[:_MOST_REASONS]:
        step = f" → {escaped(reason.how_to_pass[0], 120)}" if reason.how_to_pass else ""
        yield f"- **{reason.decision}**: {escaped(reason.message, 200)}{step}"
    if len(verdict.because) > _MOST_REASONS:
        yield f"- and {counted(len(verdict.because) - _MOST_REASONS, 'more reason')}"
    if verdict.because:
        yield ""


def _facts(report: Report) -> Iterator[str]:
    if report.distribution:
        yield escaped(str(report.distribution))
    if concerns_packages(report):
        yield counted(len(report.packages), "package")
    if report.layers:
        yield counted(len(report.layers), "layer")
    if digest := report.target.digest or report.target.config_digest:
        yield code(f"{digest.partition(':')[0][:10]}:{short(digest)}")


def _problems(report: Report) -> Iterator[str]:
    grave = [problem for problem in report.problems if problem.gravity is not Gravity.NOTE]
    for problem in grave[:_MOST_PROBLEMS]:
        where = f" in {code(problem.where, 100)}" if problem.where not in ("", "/") else ""
        remedy = f" → {escaped(problem.remedy, 120)}" if problem.remedy else ""
        yield f"- {escaped(problem.message, 200)}{where}{remedy}"
    if len(grave) > _MOST_PROBLEMS:
        yield f"- and {len(grave) - _MOST_PROBLEMS:,} more problems"
    if report.not_checked:
        yield f"- not checked: {escaped(listed([shown(one, 80) for one in report.not_checked], 10), 500)}"
    if grave or report.not_checked:
        yield ""


def _counts(report: Report, found: Sequence[Cause]) -> Iterator[str]:
    """A table of kinds and severities; what was not looked for says so."""
    present = [one for one in WORST_FIRST if one is not Severity.UNKNOWN or _has_unknown(found)]
    yield "| | " + " | ".join(str(severity) for severity in present) + " |"
    yield "|---|" + "--:|" * len(present)
    for kind in KINDS:
        counts = Counter(cause.finding.severity for cause in found if cause.finding.kind is kind)
        if kind is Kind.INTEGRITY and not counts:
            continue
        nothing = "·" if is_looked_for(report, kind) else "?"
        cells = [f"**{counts[one]:,}**" if counts[one] else nothing for one in present]
        words = "" if counts or is_looked_for(report, kind) else " (not looked for)"
        yield f"| {KINDS[kind][1]}{words} | " + " | ".join(cells) + " |"
    yield ""


def _has_unknown(found: Sequence[Cause]) -> bool:
    return any(cause.finding.severity is Severity.UNKNOWN for cause in found)


def _to_do(report: Report) -> Iterator[str]:
    todo, more = things(plan_of(report, rows(report), rows(report, Kind.MALWARE)))
    if not todo:
        return
    yield "### What to do"
    yield ""
    for number, thing in enumerate(todo, 1):
        yield f"{number}. **{thing.verb}** {_what(thing)} {escaped(thing.how, 200)}".rstrip()
    if more > 0:
        yield ""
        yield f"and {counted(more, 'more thing')}"
    yield ""


def _what(thing: Thing) -> str:
    """A package or file as code, a sentence as such."""
    return code(thing.what, 100) if thing.verb in ("remove", "upgrade") else f"<b>{escaped(thing.what, 100)}</b>"


def _row(one: Entry) -> str:
    """A row of an HTML table: a Markdown one would break at a `|` that some renderer does not take for escaped."""
    flags = [word for word, holds in (("exploited", one.exploited), ("still valid", one.alive)) if holds]
    flags += [f"{one.confidence} confidence"] if one.confidence != "high" else []
    flags += ["deleted, still in the image"] if one.deleted else []
    what = f"{escaped(one.title)} {code(one.rule, 80)}" + (f" <b>{', '.join(flags)}</b>" if flags else "")
    more = f" +{one.more:,} more" if one.more else ""
    layer = f" layer {one.layer}" if one.layer else ""
    where = " ".join(part for part in (code(one.subject, 80), code(one.where, 120)) if part)
    mark = f"{_MARKS[one.severity]} {one.severity}"
    return f"<tr><td>{mark}</td><td>{what}</td><td>{where}{more}{layer}</td><td>{escaped(one.fix, 40)}</td></tr>"
