"""What is demanded of an image as a whole: where it comes from, what it is built on, how it runs."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.artifact import Attachment, AttachmentKind
from holdfast.model.package import Package
from holdfast.model.policy import Licences
from holdfast.model.report import Base, Report, Target
from holdfast.model.verdict import Decision
from holdfast.policy.facts import BaseFact, Facts
from holdfast.policy.licence import judge_licences
from policy.policies import day, image, messages, registry, rules, vet, waiver
from report.reports import deb, digest, pypi, report


def on(**fields: Any) -> Report:
    given_: dict[str, Any] = {"target": registry(), "configuration": image()}
    return report(**(given_ | fields))


DEBIAN = BaseFact("debian:12-slim", digest("debian"), "2026-11-20", Decision.ALLOW, "Dockerfile:1")


@pytest.mark.parametrize(
    ("allow", "allowed"),
    [
        ("debian:12*", True),
        ("docker.io/library/debian", True),
        ("docker.io/library/*", True),
        (digest("debian"), True),
        ("debian:13*", False),
        ("registry.example/base/*", False),
    ],
)
def test_a_base_is_allowed_by_its_name_or_digest(allow: str, allowed: bool) -> None:
    verdict = vet(f"[base]\nallow = ['{allow}']", on(), facts=Facts((DEBIAN,)))
    assert (verdict.decision is Decision.ALLOW) == allowed
    if not allowed:
        assert rules(verdict) == [("policy.base", "deny")]
        assert verdict.because[0].where == "Dockerfile:1"
        assert allow in verdict.because[0].how_to_pass[0]


def test_a_base_that_was_denied_or_never_scanned_is_said() -> None:
    denied = BaseFact("a:1", scanned="2026-11-01", decision=Decision.DENY)
    verdict = vet("[base]\nunscanned = 'warn'", on(), facts=Facts((denied, BaseFact("b:1"))))
    assert messages(verdict) == ["the base a:1 was itself denied 2026-11-01", "the base b:1 was never scanned"]


def test_scratch_is_no_base() -> None:
    assert vet("[base]\nallow = ['x']", on(), facts=Facts((BaseFact("scratch"),))).decision is Decision.ALLOW


def test_the_base_that_the_report_knows_counts_where_no_other_is_told() -> None:
    assert vet("[base]\nallow = ['debian:12']", on()).decision is Decision.ALLOW
    assert vet("[base]\nallow = ['debian:11']", on()).decision is Decision.DENY


def test_a_base_that_only_a_label_claims_is_unknown() -> None:
    claimed = on(base=Base(0, "", "debian:12"))
    verdict = vet("[base]\nallow = ['debian:12']", claimed)
    assert messages(verdict) == ["it is not known which base image this was built from"]
    assert verdict.decision is Decision.WARN
    assert vet("[base]\nunknown = 'deny'", claimed).decision is Decision.DENY


@pytest.mark.parametrize(
    ("allow", "name", "allowed"),
    [
        ("registry.example", "registry.example/prod/shop:1", True),
        ("registry.example/prod", "registry.example/prod/shop:1", True),
        ("registry.example/prod/*", "registry.example/prod/shop:1", True),
        ("*.example", "registry.example/prod/shop:1", True),
        ("registry.example/dev", "registry.example/prod/shop:1", False),
        ("registry.example", "registry.example.evil.org/shop:1", False),
        ("docker.io", "nginx", True),
        ("ghcr.io", "nginx", False),
    ],
)
def test_a_registry_is_allowed(allow: str, name: str, allowed: bool) -> None:
    verdict = vet(f"[registry]\nallow = ['{allow}']", on(target=registry(name)))
    assert (verdict.decision is Decision.ALLOW) == allowed


def test_where_an_archive_came_from_is_not_known_and_can_be_told() -> None:
    archive = on(target=Target("oci-archive:a.tar", "oci-archive"))
    text = "[registry]\nallow = ['registry.example']"
    assert rules(vet(text, archive)) == [("policy.cannot-tell", "warn")]
    assert vet(text, archive, facts=Facts(registry="registry.example/a")).decision is Decision.ALLOW


def test_names_with_tags_are_not_pinned() -> None:
    text = "[pinned]\nrequire = ['image', 'base']"
    verdict = vet(text, on(), facts=Facts((DEBIAN, BaseFact(f"b@{digest('b')}"))))
    assert messages(verdict) == [
        "registry.example/prod/shop:1.4 is named by a tag", "the base debian:12-slim is named by a tag",
    ]  # fmt: skip
    assert verdict.because[0].how_to_pass == (f"name it registry.example/prod/shop:1.4@{digest('index')}",)
    assert verdict.because[1].how_to_pass == (f"FROM debian:12-slim@{digest('debian')}",)
    pinned = registry(f"registry.example/shop@{digest('manifest')}")
    assert vet("[pinned]\nrequire = ['image']", on(target=pinned)).decision is Decision.ALLOW


@pytest.mark.parametrize(
    ("allow", "user", "allowed"),
    [
        ("non-root", "app", True),
        ("non-root", "1000:0", True),
        ("non-root", "", False),
        ("non-root", "root", False),
        ("non-root", "0", False),
        ("non-root", "000:1000", False),
        ("non-root", "root:app", False),
        ("app", "app:app", True),
        ("app", "bob", False),
        ("root", "", True),
    ],
)
def test_the_user(allow: str, user: str, allowed: bool) -> None:
    verdict = vet(f"[user]\nallow = ['{allow}']", on(configuration=image(user)))
    assert (verdict.decision is Decision.ALLOW) == allowed


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param("https://example.org/a", "", id="there"),
        pytest.param("", "the label a.source is missing", id="missing"),
        pytest.param("ftp://a", "the label a.source is ftp://a, and has to match https://*", id="another"),
    ],
)
def test_labels(value: str, message: str) -> None:
    text = "[[label]]\nname = 'a.source'\npattern = 'https://*'"
    labels = {"a_source": value} if value else {}
    assert messages(vet(text, on(configuration=image(**labels)))) == ([message] if message else [])


def test_attachments() -> None:
    text = "[attachments]\nrequire = ['sbom', 'provenance']"
    bill = Attachment(AttachmentKind.SBOM, digest("sbom"))
    assert messages(vet(text, on(attachments=(bill,)))) == ["no provenance is attached"]
    assert vet(text, on(), facts=Facts(attachments=("sbom", "provenance"))).decision is Decision.ALLOW


@pytest.mark.parametrize(
    ("created", "found"),
    [
        pytest.param(day(-90), [], id="young enough"),
        pytest.param(day(-91), [("policy.age", "deny")], id="too old"),
        pytest.param("1970-01-01T00:00:00Z", [("policy.cannot-tell", "warn")], id="a reproducible build"),
        pytest.param("", [("policy.cannot-tell", "warn")], id="no date"),
    ],
)
def test_age(created: str, found: list[tuple[str, str]]) -> None:
    assert rules(vet("[age]\ndays = 90", on(configuration=image(created=created)))) == found


def test_what_is_no_image_is_told_to_be_no_image_and_not_denied() -> None:
    text = "[user]\nallow=['non-root']\n[age]\ndays=1\n[attachments]\nrequire=['sbom']\n[[label]]\nname='a'"
    folder = on(target=Target("dir:.", "dir"), configuration=None)
    verdict = vet(text, folder)
    assert rules(verdict) == [("policy.cannot-tell", "warn")]
    assert messages(verdict) == [
        "4 of the policy's demands cannot be checked on this target: user, label a, attachments, age"
    ]


def test_what_would_only_warn_is_not_warned_about_where_it_cannot_be_told() -> None:
    folder = on(target=Target("dir:.", "dir"), configuration=None)
    assert vet("[user]\nallow = ['non-root']\ndecision = 'warn'", folder).decision is Decision.ALLOW


def test_what_a_bill_of_materials_cannot_show_is_told() -> None:
    bill = on(target=Target("sbom:a.json", "sbom"), configuration=None, engines=("packages", "vulnerabilities"))
    verdict = vet("[secret]\ndeny = 'low'\n[malware]\nwarn = 'low'", bill)
    assert messages(verdict) == ["1 of the policy's demands cannot be checked on this target: secret"]


def test_a_dockerfile_is_not_incomplete_for_what_only_an_image_has() -> None:
    file = on(target=Target("Dockerfile", "dockerfile"), configuration=None, engines=("configuration",))
    assert vet("incomplete = 'deny'\n[malware]\ndeny = 'low'", file).decision is Decision.ALLOW


@pytest.mark.parametrize(
    ("match", "versions", "found"),
    [
        ("pkg:pypi/flask", "", True),
        ("flask", "", True),
        ("pkg:pypi/fl*", "", True),
        ("pkg:npm/flask", "", False),
        ("flask", ">= 1.0, < 2", True),
        ("flask", ">= 1.1", False),
        ("pkg:pypi/flask@1.0", "", True),
        ("pkg:pypi/flask@1.1", "", False),
        ("flask", "!= 1.0", False),
        # 1.0rc1 is before 1.0 in PyPI's ordering, though not in the alphabet's.
        ("flask", "> 1.0rc1", True),
    ],
)
def test_denied_packages(match: str, versions: str, found: bool) -> None:
    text = f"[[package]]\nmatch = '{match}'\nreason = 'taken over'" + (f"\nversions = '{versions}'" if versions else "")
    verdict = vet(text, on(packages=(pypi("flask", "1.0"),)))
    assert (verdict.decision is Decision.DENY) == found
    if found:
        assert messages(verdict) == ["flask 1.0 is a package that the policy forbids: taken over"]


def test_a_denied_package_is_known_by_its_source_and_can_be_waived() -> None:
    text = "[[package]]\nmatch = 'openssl'\n"
    target = on(packages=(deb("libssl3", "3.0", source="openssl"),))
    assert rules(vet(text, target)) == [("policy.package", "deny")]
    assert vet(text + waiver(rule="policy.package", package="openssl"), target).decision is Decision.ALLOW
    assert vet(text + waiver(rule="policy.package", package="zlib"), target).decision is Decision.DENY


def licensed(*licences: str) -> Package:
    return pypi("a", "1", licenses=licences)


@pytest.mark.parametrize(
    ("licences", "decision"),
    [
        (("MIT",), "allow"),
        (("AGPL-3.0-only",), "deny"),
        (("agpl-3.0-only",), "deny"),
        (("MIT OR AGPL-3.0-only",), "allow"),
        (("MIT AND AGPL-3.0-only",), "deny"),
        (("(MIT OR AGPL-3.0-only) AND GPL-2.0-only",), "warn"),
        (("MIT OR AGPL-3.0-only AND MIT",), "allow"),
        (("GPL-2.0-only WITH Classpath-exception-2.0",), "allow"),
        (("MIT", "AGPL-3.0-only"), "deny"),
        (("AGPL-3.0-only (see COPYING)",), "deny"),
        ((), "warn"),
    ],
)
def test_licences_are_choices_and_sums(licences: tuple[str, ...], decision: str) -> None:
    demands = Licences(("AGPL-*",), ("GPL-2.0-only",), Decision.WARN)
    assert judge_licences(licensed(*licences), demands)[0] == decision


PARTS = st.sampled_from(["MIT", "AGPL-3.0-only", "AND", "OR", "WITH", "(", ")", " ", "x"])


@settings(max_examples=200, deadline=None)
@given(st.lists(PARTS, max_size=12).map(" ".join) | st.text(max_size=30))
def test_any_licence_is_judged(licence: str) -> None:
    assert judge_licences(licensed(licence), Licences(("AGPL-*",)))[0] in Decision


def test_a_licence_of_brackets_is_judged() -> None:
    for text in ("(" * 900 + "MIT" + ")" * 900, "(" * 100_000, "MIT OR " * 200 + "MIT"):
        assert judge_licences(licensed(text), Licences(("AGPL-*",)))[0] is Decision.ALLOW


def test_licences_in_a_policy() -> None:
    verdict = vet("[licence]\ndeny = ['AGPL-*']", on(packages=(licensed("AGPL-3.0-or-later"),)))
    assert messages(verdict) == ["a 1 is under AGPL-3.0-or-later"]


def test_many_alike_are_counted() -> None:
    packages = tuple(pypi(f"p{n}", "1") for n in range(200))
    verdict = vet("[[package]]\nmatch = 'p*'", on(packages=packages))
    assert len(verdict.because) == 51
    assert verdict.because[-1].message == "and 150 more of the same: see the report"
