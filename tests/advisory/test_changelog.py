"""Which version first fixed which CVE, as changelogs put it."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisory.debian_archive import stanza
from holdfast.advisory.changelog import Mention, cves, fixes, parse
from holdfast.model.errors import InputError
from holdfast.version import ordering_for

SHARED = Path(__file__).parents[2].parent / "shared" / "feeds" / "debian-live"


def fixed(*stanzas: str) -> dict[str, str]:
    """CVE → version, of a changelog whose newest stanza stands first."""
    return {mention.cve: mention.fixed for mention in fixes("".join(stanzas).encode())}


def test_each_cve_belongs_to_the_version_that_names_it() -> None:
    new = stanza("2.5.0-1+deb12u3", "Fix a crash (CVE-2026-0002).", urgency="high")
    old = stanza("2.5.0-1+deb12u2", "CVE-2026-0001: another one.")
    assert fixes((new + old).encode()) == (
        Mention("CVE-2026-0001", "2.5.0-1+deb12u2", "medium", "2026-10-21"),
        Mention("CVE-2026-0002", "2.5.0-1+deb12u3", "high", "2026-10-21"),
    )


def test_the_first_mention_counts() -> None:
    assert fixed(
        stanza("3", "New upstream release; drop the patch for CVE-2026-0001."), stanza("2", "Fix CVE-2026-0001.")
    ) == {"CVE-2026-0001": "2"}


def test_a_revert_takes_a_fix_back_until_it_comes_again() -> None:
    first, second = stanza("1", "Fix CVE-2026-0001."), stanza("2", "Revert the fix of CVE-2026-0001.")
    assert fixed(second, first) == {}
    assert fixed(stanza("3", "Fix CVE-2026-0001 properly."), second, first) == {"CVE-2026-0001": "3"}


def test_a_backport_has_the_fixes_of_the_higher_version_it_is_built_of() -> None:
    """libxml2 2.9.14+dfsg-1.3~deb12u6 sorts below the 2.9.14+dfsg-1.3 that it contains."""
    newest, backport = "2.9.14+dfsg-1.3~deb12u6", "2.9.14+dfsg-1.3~deb12u1"
    assert fixed(
        stanza(newest, "Fix CVE-2026-0003."),
        stanza(backport, "Rebuild for bookworm."),
        stanza("2.9.14+dfsg-1.3", "Fix CVE-2022-2309."),
        stanza("2.9.14+dfsg-1", "Fix CVE-2022-0001."),
    ) == {"CVE-2026-0003": newest, "CVE-2022-2309": backport, "CVE-2022-0001": "2.9.14+dfsg-1"}


def test_no_fix_is_above_the_newest_version() -> None:
    assert fixed(stanza("2~rc1", "Rebuild."), stanza("2", "Fix CVE-2026-0001."), stanza("3", "Fix CVE-2026-0002.")) == {
        "CVE-2026-0001": "2~rc1",
        "CVE-2026-0002": "2~rc1",
    }


def test_a_denial_says_nothing() -> None:
    assert fixed(stanza("1", "Not affected by CVE-2026-0001.", "Fix CVE-2026-0002.")) == {"CVE-2026-0002": "1"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CVE-2024-1234, CVE-2024-12345678", ["CVE-2024-1234", "CVE-2024-12345678"]),
        ("CVE-2024-1234/5", ["CVE-2024-1234", "CVE-2024-1235"]),
        ("CVE-2024-1234/1240/CVE-2023-0001", ["CVE-2024-1234", "CVE-2024-1240", "CVE-2023-0001"]),
        ("CVE-2024-{1234,5678}", ["CVE-2024-1234", "CVE-2024-5678"]),
        ("CVE-2024-\n      1234", ["CVE-2024-1234"]),
        ("cve-2024-1234.", ["CVE-2024-1234"]),
        ("CVE-2024-123", []),
        ("CVE-XXXX-XXXX", []),
        ("CVE-٢٠٢٤-1234", []),
    ],
)
def test_how_cves_are_written(text: str, found: list[str]) -> None:
    assert cves(text) == found


def test_bytes_that_are_not_utf8_and_other_prose_do_no_harm() -> None:
    text = (
        b"From an old editor: \xff\n\n"
        + stanza("1", "Fix CVE-2026-0001 \u00e9").encode("latin-1")
        + b"Local variables:\n"
    )
    assert [mention.cve for mention in fixes(text)] == ["CVE-2026-0001"]


def test_something_else_is_no_changelog() -> None:
    with pytest.raises(InputError):
        fixes(b"Changes in 3.0: many")


_LINES = st.sampled_from(
    [
        "a (1) x; urgency=low\n",
        "  * Fix CVE-2026-0001/2\n",
        "  * Revert CVE-",
        "2026-{0001, 3}\n",
        " -- A <a>  Wed, 1 Oct 2026 \n",
    ]
)


@given(st.binary(max_size=400) | st.lists(_LINES | st.text(max_size=9)).map(lambda lines: "".join(lines).encode()))
@settings(max_examples=300)
def test_any_bytes_give_mentions_or_an_input_error(content: bytes) -> None:
    list(parse(content))
    try:
        mentions = fixes(content)
    except InputError:
        return
    assert len({mention.cve for mention in mentions}) == len(mentions)


@pytest.mark.slow
def test_a_hostile_changelog_takes_no_longer_than_its_length() -> None:
    for line in ("CVE-" * 20 + " " * 50, "CVE-2024-1234" + "/1" * 200, "a (" * 60, " -- " + " " * 300, "  * ["):
        try:
            fixes(("a (1) x; urgency=low\n" + line * (1_000_000 // len(line))).encode())
        except InputError:
            continue


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared advisory data is not here")
def test_stanzas_made_of_real_facts_come_back() -> None:
    """Real changelogs' facts, written out as stanzas: every CVE, at the lowest version since its oldest mention."""
    key = ordering_for("deb").key
    for line in gzip.decompress((SHARED / "changelogs.jsonl.gz").read_bytes()).splitlines():
        facts = json.loads(line)
        text = "".join(
            stanza(entry["version"], *(f"Fix {cve}" for cve in entry["cves"]), source=facts["source"])
            for entry in facts["entries"]
        )
        expected: dict[str, str] = {}
        lowest = facts["entries"][0]["version"]
        for entry in facts["entries"]:
            lowest = min(lowest, entry["version"], key=key)
            expected |= dict.fromkeys(entry["cves"], lowest)
        assert fixed(text) == expected
