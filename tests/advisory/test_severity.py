"""Severity by the order it states, and risk by its formula."""

import pytest

from holdfast.advisory.risk import Circumstances, risk
from holdfast.advisory.severity import rate, scored, severity_of_score, severity_of_word
from holdfast.model.advisory import Epss, KnownExploited, Score
from holdfast.model.finding import Severity

V31 = Score("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N")  # 7.5
V30 = Score("CVSS_V3", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")  # 9.8
V4 = Score("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H")  # 10.0
V2 = Score("CVSS_V2", "AV:N/AC:L/Au:N/C:N/I:N/A:P")  # 5.0


@pytest.mark.parametrize(
    ("own", "scores", "words", "severity", "figure"),
    [
        (("low",), (V31,), ("CRITICAL",), Severity.LOW, 2.5),
        (("high",), (V31,), (), Severity.HIGH, 7.5),  # a score that agrees refines the word
        (("",), (V4, V30, V31), (), Severity.HIGH, 7.5),
        ((), (V4, V30), (), Severity.CRITICAL, 9.8),
        ((), (V4,), ("LOW",), Severity.CRITICAL, 10.0),
        ((), (V2,), ("MODERATE",), Severity.MEDIUM, 5.5),
        ((), (V2,), (), Severity.MEDIUM, 5.0),
        ((), (), (), Severity.UNKNOWN, 5.0),
        ((), (Score("Ubuntu", "negligible"), V30), (), Severity.NEGLIGIBLE, 0.0),
    ],
)  # fmt: skip
def test_the_order(
    own: tuple[str, ...], scores: tuple[Score, ...], words: tuple[str, ...], severity: Severity, figure: float
) -> None:
    assert rate(own, scored(scores, "x"), words) == (severity, figure)


@pytest.mark.parametrize(
    ("value", "severity"),
    [(0, "negligible"), (0.1, "low"), (4, "medium"), (6.9, "medium"), (7, "high"), (9, "critical")],
)
def test_the_bands(value: float, severity: str) -> None:
    assert severity_of_score(value) == severity


def test_words_of_every_distribution() -> None:
    said = {
        word: severity_of_word(word).value for word in ("Important", "moderate", "unimportant", "high**", "end-of-life")
    }
    assert said == {
        "Important": "high",
        "moderate": "medium",
        "unimportant": "negligible",
        "high**": "high",
        "end-of-life": "unknown",
    }


class TestRisk:
    LIKELY = Epss(0.9, 1.0, "v5")
    EXPLOITED = KnownExploited("2024-01-01", ransomware=True)

    def test_everything_at_its_worst_is_100(self) -> None:
        assert risk(10, self.LIKELY, self.EXPLOITED, Circumstances(fixable=True)) == 100

    def test_the_parts(self) -> None:
        assert risk(8, None, None, Circumstances()) == 40
        assert risk(8, Epss(0.1, 0.75, "v5"), None, Circumstances()) == 50
        assert risk(8, Epss(0.1, 0.25, "v5"), None, Circumstances()) == 40
        assert risk(8, None, KnownExploited("2024-01-01"), Circumstances()) == 62
        assert risk(8, None, None, Circumstances(fixable=True)) == 45

    @pytest.mark.parametrize(
        ("around", "value"),
        [
            (Circumstances(kernel=True), 8),
            (Circumstances(development=True), 20),
            (Circumstances(declared=True), 32),
            (Circumstances(doubtful=True), 24),
            (Circumstances(declared=True, development=True), 16),
        ],
    )
    def test_circumstances(self, around: Circumstances, value: int) -> None:
        assert risk(8, None, None, around) == value
