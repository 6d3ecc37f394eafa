"""Base scores by FIRST's specifications. The examples are the specifications' own or NVD's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.advisory.cvss import base_score


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        # Version 2, guide section 3.3: CVE-2002-0392, CVE-2003-0818, CVE-2003-0062.
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 10.0),
        ("AV:L/AC:H/Au:N/C:C/I:C/A:C", 6.2),
        ("(AV:N/AC:L/Au:N/C:P/I:P/A:P)", 7.5),
        ("AV:L/AC:L/Au:N/C:N/I:N/A:N", 0.0),
        # Version 3, examples document: CVE-2013-1937, CVE-2013-0375, CVE-2014-3566, CVE-2012-1516, CVE-2014-0160.
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
        ("CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        # Threat metrics change no base score.
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:L/E:H", 8.9),
        # Version 4, examples document.
        ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.3),
        ("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.7),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10.0),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N/E:X/CR:X", 8.7),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N", 5.1),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0.0),
    ],
)
def test_known_vectors(vector: str, score: float) -> None:
    assert base_score(vector) == score


@pytest.mark.parametrize(
    "text",
    [
        "",
        "high",
        "CVSS:3.1/AV:N",
        "CVSS:3.1/AV:Z/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:4.0/AV:/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
        "CVSS:5.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/" + "A" * 10_000,
    ],
)
def test_what_is_no_vector_has_no_score(text: str) -> None:
    assert base_score(text) is None


VECTORS_4 = st.tuples(
    *(
        st.sampled_from(values)
        for values in ("NALP", "LH", "NP", "NLH", "NPA", "HLN", "HLN", "HLN", "HLN", "HLN", "HLN")
    )
)
NAMES_4 = ("AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA")


@settings(max_examples=200, deadline=None)
@given(VECTORS_4)
def test_version_4_never_rises_when_an_impact_falls(values: tuple[str, ...]) -> None:
    """The steps of version 4 go down: less confidentiality lost is never a higher score."""

    def score(confidentiality: str) -> float:
        pairs = dict(zip(NAMES_4, values, strict=True)) | {"VC": confidentiality}
        found = base_score("CVSS:4.0/" + "/".join(f"{name}:{value}" for name, value in pairs.items()))
        assert found is not None
        assert 0 <= found <= 10
        return found

    assert score("H") >= score("L") >= score("N")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80) | st.text(alphabet="CVSS:4.031/ANLHP", max_size=80))
def test_any_text(text: str) -> None:
    score = base_score(text)
    assert score is None or 0 <= score <= 10
