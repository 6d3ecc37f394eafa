"""From hits to findings: one secret is one finding, wherever it stands."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from holdfast.model.advisory import FixState
from holdfast.model.artifact import Side
from holdfast.model.finding import Confidence, Finding, Fix, Kind, Location, Rule, SecretEvidence, Severity, Subject
from holdfast.secret.hit import SecretHit

MOST_PLACES = 20
_ORDER = {Confidence.LOW: 0, Confidence.MEDIUM: 1, Confidence.HIGH: 2}


class Place(Struct, frozen=True):
    """Where hits were found: a file of a layer, or (`place`) a part of the image's configuration.

    `layer` is the blob's digest and `created_by` the history line, where they are known; `deleted_by` the diff ID of
    the layer that deletes the file. `place` reads as in SecretEvidence: `environment NAME`.
    """

    hits: tuple[SecretHit, ...]
    path: str = ""
    diff_id: str = ""
    side: Side = Side.UNKNOWN
    deleted_by: str = ""
    place: str = ""
    layer: str = ""
    created_by: str = ""


_Seen = tuple[Place, SecretHit]


def findings(found: Iterable[Place], rules: Mapping[str, Rule]) -> tuple[Finding, ...]:
    """One finding for each rule and secret, worst first; its location is the surest place that the image still shows.

    `rules` are the engine's (SecretEngine.rules). `count` says in how many places it stands, `places` names the first
    of the others.
    """
    secrets: dict[tuple[str, str], list[_Seen]] = {}
    for place in found:
        for hit in place.hits:
            secrets.setdefault((hit.rule, hit.key_id), []).append((place, hit))
    made = [_finding(seen, _rule(rules, name)) for (name, _), seen in secrets.items()]
    return tuple(sorted(made, key=_worst_first))


def _finding(seen: Sequence[_Seen], rule: Rule) -> Finding:
    # The place that counts: surest, still there, and in the order of layers.
    place, hit = min(seen, key=lambda one: (-_ORDER[one[1].confidence], bool(one[0].deleted_by)))
    others = dict.fromkeys(described for one in seen if (described := _described(*one)) != _described(place, hit))
    path = _path(place, hit)
    evidence = SecretEvidence(
        redacted=hit.redacted, key_id=hit.key_id, length=hit.length, place=place.place, encoding=hit.encoding,
        checks=(*hit.checks, hit.note) if hit.note else hit.checks, deleted_by=place.deleted_by,
        places=tuple(others)[:MOST_PLACES],
    )  # fmt: skip
    location = Location(path, place.layer, place.diff_id, place.created_by, place.side, 0 if place.place else hit.line)
    return Finding(
        rule=rule.id, kind=Kind.SECRET, severity=rule.severity, confidence=hit.confidence,
        subject=Subject(path or place.place or "the image's configuration"), evidence=evidence, location=location,
        fix=Fix(FixState.AFFECTED, side=place.side, advice=rule.fix), title=rule.title, references=rule.references,
        controls=rule.controls, count=1 + len(others),
    )  # fmt: skip


def _rule(rules: Mapping[str, Rule], name: str) -> Rule:
    """The rule of a hit; a cache may hold one of a rule that is no more."""
    return rules.get(name) or Rule(name, name, "", "Revoke it where it was issued.", Severity.MEDIUM)


def _path(place: Place, hit: SecretHit) -> str:
    return f"{place.path}!/{hit.inside}" if hit.inside else place.path


def _described(place: Place, hit: SecretHit) -> str:
    """A place in words: `path:line`, or a part of the configuration; with the start of the layer's diff ID."""
    words = place.place or f"{_path(place, hit)}:{hit.line}"
    layer = place.diff_id.partition(":")[2][:12]
    return f"{words} (layer {layer})" if layer else words


def _worst_first(finding: Finding) -> tuple[int, int, str, str, str]:
    evidence = finding.evidence
    assert isinstance(evidence, SecretEvidence)
    return (
        -_ORDER[finding.confidence],
        -finding.severity.rank,
        finding.rule,
        finding.location.path,
        evidence.key_id,
    )
