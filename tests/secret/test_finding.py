"""Hits become findings: one for each secret."""

import msgspec

from holdfast.model.artifact import Side
from holdfast.model.finding import Confidence, Finding, Kind, SecretEvidence, Severity
from holdfast.secret import Place, findings
from secret.engines import OTHER, TOKEN, engine, window

BASE, APPLICATION = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def found(*places: tuple[str, bytes, dict[str, object]]) -> tuple[Finding, ...]:
    one = engine()
    session = one.session()
    told = [
        msgspec.structs.replace(Place(session.examine(window(data, path)), path=path), **more)
        for path, data, more in places
    ]
    return findings(told, one.rules)


def evidence(finding: Finding) -> SecretEvidence:
    assert isinstance(finding.evidence, SecretEvidence)
    return finding.evidence


def test_a_secret_in_a_file_is_a_finding_with_its_evidence_and_fix() -> None:
    (one,) = found(("srv/app.conf", b"\n\ntoken=" + TOKEN, {"diff_id": APPLICATION, "side": Side.APPLICATION}))
    assert (one.rule, one.kind, one.severity) == ("secret.test-token", Kind.SECRET, Severity.HIGH)
    assert (one.location.path, one.location.line, one.location.diff_id) == ("srv/app.conf", 3, APPLICATION)
    assert one.fix.side is Side.APPLICATION
    assert "Revoke" in one.fix.advice
    assert evidence(one).length == 24
    assert one.controls == ("nist-800-190:4.1.4",)


def test_the_same_secret_in_many_places_is_one_finding_with_a_count() -> None:
    (one,) = found(
        ("srv/a", TOKEN, {"diff_id": BASE}), ("srv/b", b"x\n" + TOKEN, {"diff_id": BASE}),
        ("srv/a", TOKEN, {"diff_id": APPLICATION}),
    )  # fmt: skip
    assert one.count == 3
    assert one.location.path == "srv/a"
    assert evidence(one).places == ("srv/b:2 (layer aaaaaaaaaaaa)", "srv/a:1 (layer bbbbbbbbbbbb)")


def test_two_secrets_are_two_findings() -> None:
    assert len(found(("srv/a", TOKEN + b"\n" + OTHER, {}))) == 2


def test_a_place_that_is_still_there_comes_before_a_deleted_one() -> None:
    (one,) = found(("srv/gone", TOKEN, {"deleted_by": APPLICATION}), ("srv/there", TOKEN, {}))
    assert one.location.path == "srv/there"
    (gone,) = found(("srv/gone", TOKEN, {"deleted_by": APPLICATION}))
    assert evidence(gone).deleted_by == APPLICATION


def test_a_sure_place_comes_before_a_doubtful_one() -> None:
    (one,) = found(("usr/share/doc/x/README", TOKEN, {}), ("srv/app.conf", TOKEN, {}))
    assert (one.location.path, one.confidence) == ("srv/app.conf", Confidence.HIGH)
    (low,) = found(("usr/share/doc/x/README", TOKEN, {}))
    assert low.confidence is Confidence.LOW


def test_the_fingerprint_is_of_rule_secret_and_path() -> None:
    first, second = found(("srv/a", TOKEN + b"\n" + OTHER, {"diff_id": BASE}))
    (again,) = found(("srv/a", b"moved\n\n" + TOKEN, {"diff_id": APPLICATION}))
    assert again.fingerprint in (first.fingerprint, second.fingerprint)
    assert first.fingerprint != second.fingerprint


def test_a_hit_of_a_rule_that_is_no_more_is_still_a_finding() -> None:
    session = engine().session()
    (one,) = findings([Place(session.examine(window(TOKEN)), path="a")], {})
    assert one.rule == "secret.test-token"


def test_no_finding_hit_or_error_shows_a_secret() -> None:
    one = engine(keep=True)
    session = one.session()
    hits = session.examine(window(b"token=" + TOKEN))
    told = [repr(hits), repr(one), repr(session), repr(one.kept), repr(findings([Place(hits, path="a")], one.rules))]
    told += [msgspec.json.encode(hits).decode(), msgspec.msgpack.encode(hits).decode("latin-1")]
    assert not [text for text in told if TOKEN.decode() in text or TOKEN.decode()[6:18] in text]
