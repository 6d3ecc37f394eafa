"""CVSS base scores from vectors, by FIRST's specifications (v2, v3.0, v3.1 and v4.0; https://www.first.org/cvss/).

Only the base metrics count: threat and environmental ones are somebody's circumstances.
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache

_PREFIX = re.compile(r"CVSS:(3\.0|3\.1|4\.0)/")
_LONGEST = 512


@lru_cache(maxsize=4096)  # a database has far fewer vectors than advisories
def base_score(vector: str) -> float | None:
    """The base score of a vector, 0.0…10.0; None where it is no whole vector of a known version."""
    if len(vector) > _LONGEST:
        return None
    prefix = _PREFIX.match(vector)
    metrics = dict(part.partition(":")[::2] for part in vector.strip("()").split("/"))
    try:
        if prefix is None:
            return _score_2(metrics)
        return _score_4(metrics) if prefix[1] == "4.0" else _score_3(metrics, prefix[1])
    except KeyError:
        return None


# Version 2, guide section 3.2.1.
_V2 = {
    "AV": {"L": 0.395, "A": 0.646, "N": 1.0},
    "AC": {"H": 0.35, "M": 0.61, "L": 0.71},
    "Au": {"M": 0.45, "S": 0.56, "N": 0.704},
    "CIA": {"N": 0.0, "P": 0.275, "C": 0.660},
}


def _score_2(metrics: Mapping[str, str]) -> float:
    kept = math.prod(1 - _V2["CIA"][metrics[name]] for name in "CIA")
    impact = 10.41 * (1 - kept)
    exploitability = 20 * math.prod(_V2[name][metrics[name]] for name in ("AV", "AC", "Au"))
    score = (0.6 * impact + 0.4 * exploitability - 1.5) * (1.176 if impact else 0)
    return math.floor(score * 10 + 0.5 + 1e-9) / 10


# Version 3, sections 7.1 and 7.4.
_V3 = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "CIA": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_V3_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}


def _score_3(metrics: Mapping[str, str], version: str) -> float:
    scope = metrics["S"]
    base = 1 - math.prod(1 - _V3["CIA"][metrics[name]] for name in "CIA")
    privileges = _V3_PRIVILEGES[scope][metrics["PR"]]
    exploitability = 8.22 * privileges * math.prod(_V3[name][metrics[name]] for name in ("AV", "AC", "UI"))
    if scope == "U":
        impact = 6.42 * base
        score = impact + exploitability
    else:
        impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15
        score = 1.08 * (impact + exploitability)
    return _round_up(min(score, 10.0), version) if impact > 0 else 0.0


def _round_up(value: float, version: str) -> float:
    """The next tenth. Version 3.1 (appendix A) keeps the error of binary fractions from adding one."""
    if version == "3.0":
        return math.ceil(round(value, 10) * 10) / 10
    hundred_thousandths = round(value * 100_000)
    if hundred_thousandths % 10_000 == 0:
        return hundred_thousandths / 100_000
    return (hundred_thousandths // 10_000 + 1) / 10


# Version 4, section 8: a vector belongs to a MacroVector with a score, from which is taken how far the vector is below
# the highest of its MacroVector, as a share of the way down to the next ones. With base metrics alone EQ5 is always 0
# and EQ4 is 1 or 2, so that 60 of the 270 scores are ever met: by EQ1 and EQ2, then EQ3 with EQ6, then EQ4; in tenths.
_EQ3_EQ6 = ("00", "01", "10", "11", "21")
_MACRO_SCORES = {
    "00": ((100, 93), (96, 90), (93, 88), (92, 80), (79, 69)),
    "01": ((95, 92), (91, 81), (92, 84), (82, 70), (71, 63)),
    "10": ((94, 87), (89, 75), (86, 72), (76, 57), (65, 53)),
    "11": ((90, 77), (77, 66), (74, 61), (59, 52), (58, 23)),
    "20": ((86, 70), (74, 54), (72, 53), (57, 36), (47, 24)),
    "21": ((73, 54), (55, 43), (61, 46), (51, 18), (24, 10)),
}
_STEPS = {
    "AV": "NALP",
    "PR": "NLH",
    "UI": "NPA",
    "AC": "LH",
    "AT": "NP",
    "VC": "HLN",
    "VI": "HLN",
    "VA": "HLN",
    "SC": "HLN",
    "SI": "HLN",
    "SA": "HLN",
}
# The highest vectors of each level of an equivalence class, and how many steps the level is deep.
_Levels = tuple[tuple[tuple[str, ...], int], ...]
_EQ1: tuple[tuple[str, ...], _Levels] = (
    ("AV", "PR", "UI"),
    ((("NNN",), 1), (("ANN", "NLN", "NNP"), 4), (("PNN", "ALP"), 5)),
)
_EQ2: tuple[tuple[str, ...], _Levels] = (("AC", "AT"), ((("LN",), 1), (("HN", "LP"), 2)))
_EQ3: tuple[tuple[str, ...], _Levels] = (("VC", "VI", "VA"), ((("HHH",), 7), (("LHH", "HLH"), 8), (("LLL",), 10)))
_EQ4: tuple[tuple[str, ...], _Levels] = (("SC", "SI", "SA"), (((), 1), (("HHH",), 5), (("LLL",), 4)))


def _score_4(metrics: Mapping[str, str]) -> float:
    steps = {name: values.index(metrics[name]) for name, values in _STEPS.items() if _known(metrics[name], values)}
    if all(metrics[name] == "N" for name in ("VC", "VI", "VA", "SC", "SI", "SA")):
        return 0.0
    high = {name: steps[name] == 0 for name in steps}
    first = ("AV", "PR", "UI")
    eq1 = 0 if all(high[n] for n in first) else 1 if any(high[n] for n in first) and metrics["AV"] != "P" else 2
    eq2 = 0 if high["AC"] and high["AT"] else 1
    eq3 = 0 if high["VC"] and high["VI"] else 1 if high["VC"] or high["VI"] or high["VA"] else 2
    impact = ("00", "10", "21")[eq3]
    eq4 = 1 if high["SC"] or high["SI"] or high["SA"] else 2
    score = _macro(eq1, eq2, impact, eq4)
    assert score is not None
    weaker = (
        max(_macro(eq1, eq2, "01", eq4) or 0, _macro(eq1, eq2, "10", eq4) or 0),
        _macro(eq1, eq2, "11", eq4),
        None,
    )
    # The next lower MacroVector in each direction; EQ5 has one too, from which a base vector is no step away.
    lower = (
        _macro(eq1 + 1, eq2, impact, eq4),
        _macro(eq1, eq2 + 1, impact, eq4),
        weaker[eq3],
        _macro(eq1, eq2, impact, eq4 + 1),
    )
    classes = ((_EQ1, eq1), (_EQ2, eq2), (_EQ3, eq3), (_EQ4, eq4))
    shares = [0.0]
    for ((names, levels), level), below in zip(classes, lower, strict=True):
        if below is not None:
            highest, depth = levels[level]
            shares.append((score - below) * _distance(names, highest, steps) / depth)
    return math.floor(score - sum(shares) / len(shares) + 0.5 + 1e-6) / 10


def _known(value: str, values: str) -> bool:
    if len(value) != 1 or value not in values:
        raise KeyError(value)
    return True


def _macro(eq1: int, eq2: int, eq3_eq6: str, eq4: int) -> int | None:
    rows = _MACRO_SCORES.get(f"{eq1}{eq2}")
    return None if rows is None or eq4 > 2 else rows[_EQ3_EQ6.index(eq3_eq6)][eq4 - 1]


def _distance(names: tuple[str, ...], highest: tuple[str, ...], steps: Mapping[str, int]) -> int:
    """How many steps a vector is below the first of the highest vectors that it is nowhere above."""
    for vector in highest:
        down = [steps[name] - _STEPS[name].index(value) for name, value in zip(names, vector, strict=True)]
        if min(down) >= 0:
            return sum(down)
    return 0
