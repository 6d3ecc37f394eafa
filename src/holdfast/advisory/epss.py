"""FIRST's Exploit Prediction Scoring System, the daily file of all CVEs.

Its first line names the model and the day: `#model_version:v2026.06.15,score_date:2026-08-16T00:00:00+0000`. Scores of
different models do not compare (v5 recalibrated them), so the model is kept and ranking goes by percentile.
"""

from collections.abc import Iterator
from pathlib import Path

from holdfast.advisory.record import MEBIBYTE, Dated, EpssEntry, Record, Resource, read_bytes
from holdfast.model.advisory import Epss
from holdfast.model.errors import InputError
from holdfast.model.status import Gravity, Problem
from holdfast.settings import FeedSettings

_LIMIT = 256 * MEBIBYTE


class EpssFeed:
    """Reads `epss_scores-current.csv.gz`."""

    name = "epss"
    folder = "epss"
    patterns = ("epss_scores-current.csv.gz",)

    def address(self, settings: FeedSettings) -> str:
        """The host of the daily files."""
        return settings.epss

    def resources(self, settings: FeedSettings) -> tuple[Resource, ...]:
        """The one file."""
        return (Resource(self.patterns[0], _LIMIT),)

    def source(self, resource: str) -> str:
        """`epss`."""
        return self.name

    def read(self, resource: str, file: Path) -> Iterator[Record]:
        """The day of the scores, then one entry a line; lines that are none are counted in a Problem."""
        text = read_bytes(file, _LIMIT).decode("utf-8", "replace")
        first, _, rest = text.partition("\n")
        header = dict(part.partition(":")[::2] for part in first.lstrip("#").strip().split(","))
        if not first.startswith("#") or "model_version" not in header:
            raise InputError("is not a file of EPSS scores: no model version in its first line", where=str(file))
        yield Dated(header.get("score_date", ""))
        yield from _entries(rest, header["model_version"], file)


def _entries(text: str, model: str, file: Path) -> Iterator[Record]:
    damaged = 0
    for line in text.splitlines():
        cve, _, values = line.partition(",")
        probability, _, percentile = values.partition(",")
        if not cve.startswith("CVE-"):
            damaged += bool(line) and not line.startswith("cve,")
            continue
        try:
            epss = Epss(float(probability), float(percentile), model)
        except ValueError:
            damaged += 1
            continue
        # The comparison also refuses "nan".
        if 0 <= epss.probability <= 1 and 0 <= epss.percentile <= 1:
            yield EpssEntry(cve, epss)
        else:
            damaged += 1
    if damaged:
        yield Problem("feed.damaged", "lines that are no EPSS score", Gravity.NOTE, str(file), count=damaged)
