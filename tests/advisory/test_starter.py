"""The starter pack: facts that agree with the feeds, and a label wherever it is used."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from advisory.records import codes, database, found, library, osv
from holdfast.advisory import starter
from holdfast.advisory.database import Row
from holdfast.advisory.ecosystem import normal_name
from holdfast.advisory.match import match
from holdfast.advisory.osv import OsvFeed
from holdfast.advisory.schema import STATES
from holdfast.advisory.stretch import Version, covers
from holdfast.model.advisory import Advisory, Affected
from holdfast.model.finding import Kind
from holdfast.version import ordering_for

FEEDS = Path(__file__).parents[2].parent / "shared" / "feeds" / "osv"

# Where the feeds beside the project (converted in 2022, or coarser than the projects' own notes) say less than is
# known: fixes of older branches, first versions, and 7.x of Drupal.
DIFFERS = {
    "CVE-2021-44228", "CVE-2021-45046", "CVE-2021-44906", "CVE-2020-7774", "CVE-2021-3807", "CVE-2018-7600",
    "CVE-2018-7750", "CVE-2018-11776",
}  # fmt: skip


def records() -> list[Advisory]:
    """Every advisory of the pack."""
    pack = starter.database()
    return [advisory for name in sorted(set(ids())) for advisory in pack.advisory(name) if advisory.id == name]


def ids() -> list[str]:
    """The id on each line of the pack."""
    file = Path(starter.__file__).parent / "starter.jsonl"
    return [json.loads(line)["id"] for line in file.read_text().splitlines()]


def test_it_calls_itself_a_starter() -> None:
    info = starter.database().info()
    assert info.starter
    assert [(source.name, source.date) for source in info.sources] == [("starter", starter.DATE)]
    assert info.sources[0].records >= 100
    assert set(info.ecosystems) == {"Go", "Maven", "NuGet", "Packagist", "PyPI", "RubyGems", "crates.io", "npm"}


def test_its_use_is_said_and_what_it_covers_is_not_called_checked() -> None:
    matching = match([library("npm", "lodash", "4.17.15")], None, [starter.database()])
    assert "CVE-2021-23337" in found(matching)
    assert codes(matching) == {"database.starter"}
    assert (matching.checked, matching.not_checked) == ((), ("npm (starter pack only)",))


def test_beside_a_database_it_changes_nothing_that_is_checked() -> None:
    world = database(osv("GHSA-1", "npm", "ws", fixed="1.0.0"))
    assert match([library("npm", "ws", "2.0.0")], None, [world, starter.database()]).checked == ("npm",)


def test_known_exploited_ones_say_so() -> None:
    exploited = starter.database().known_exploited(ids())
    assert exploited["CVE-2021-44228"].ransomware
    assert len(exploited) >= 25


def test_malicious_ones_are_malware() -> None:
    (finding,) = match([library("npm", "event-stream", "3.3.6")], None, [starter.database()]).findings
    assert finding.kind is Kind.MALWARE


def test_every_record_is_bare_facts() -> None:
    """An id, one package with ranges or versions, a severity, and a title of a few words of our own."""
    for record in records():
        assert record.affected, record.id
        assert len({row.name for row in record.affected}) == 1
        assert record.scores or record.severity, record.id
        assert len(record.summary) < 80
        assert record.references == ()


def rows_of(affected: list[Affected]) -> list[Row]:
    return [
        Row(0, one.introduced, one.fixed, one.last_affected, "\n".join(one.versions), STATES.index(one.state), "", "")
        for one in affected
    ]


@pytest.mark.shared
@pytest.mark.skipif(not FEEDS.is_dir(), reason="the shared feeds are not there")
def test_its_ranges_agree_with_the_feeds() -> None:
    ours: dict[tuple[str, str, str], list[Affected]] = defaultdict(list)
    theirs: dict[tuple[str, str, str], list[Affected]] = defaultdict(list)
    for record in records():
        for row in record.affected:
            ours[row.ecosystem, normal_name(row.ecosystem, row.name), record.id].append(row)
    for ecosystem in sorted({ecosystem for ecosystem, _, _ in ours}):
        for told in OsvFeed().read(f"{ecosystem}/all.zip", FEEDS / ecosystem / "all.zip"):
            if isinstance(told, Advisory) and not told.withdrawn:
                for row in told.affected:
                    for name in (told.id, *told.aliases):
                        theirs[row.ecosystem, normal_name(row.ecosystem, row.name), name].append(row)
    compared = [key for key in ours if key in theirs]
    assert len(compared) > 90
    differing = {key[2] for key in compared if _differ(key[0], rows_of(ours[key]), rows_of(theirs[key]))}
    assert differing <= DIFFERS


def _differ(ecosystem: str, ours: list[Row], theirs: list[Row]) -> bool:
    """Whether any boundary of either is affected by one and not by the other."""
    ordering = ordering_for(ecosystem)
    bounds = {text for row in ours + theirs for text in (row.introduced, row.fixed, row.last_affected) if text}
    bounds |= {text for row in ours + theirs for text in row.versions.split("\n") if text}
    versions = [Version.of(text, ordering) for text in bounds]
    return any(any(covers(r, v) for r in ours) != any(covers(r, v) for r in theirs) for v in versions)
