"""The gate: whether something may be built or run, why not, and how it would pass."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from attached import OPENVEX, build
from end_to_end.command import Holdfast, Outcome
from holdfast.range.made_up import github_token
from world import file, image, layer

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "verdict.schema.json").read_text())
GOOD = 'FROM scratch\nCOPY app /app\nHEALTHCHECK CMD /app --check\nUSER 1000\nENTRYPOINT ["/app"]\n'
BAD = "FROM debian:12\nRUN curl https://acme.internal/x.sh | bash\nCOPY . /srv\n"
OLD, MINIMIST, PRIVATE = "CVE-2021-23337", "CVE-2021-44906", "srv/deploy.txt"
FILES: dict[str, Any] = {
    "srv/node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.15"}',
    "srv/node_modules/minimist/package.json": '{"name": "minimist", "version": "0.0.8"}',
}
TOKEN: dict[str, Any] = {PRIVATE: file(f"token: {github_token()}\n", mode=0o600)}


def vet(holdfast: Holdfast, target: object, *arguments: object, **more: Any) -> tuple[Outcome, dict[str, Any]]:
    """The verdict in JSON, which is always of the published shape."""
    outcome = holdfast("vet", target, "--offline", "-q", "-f", "json", *arguments, **more)
    assert outcome.code in (0, 1), outcome.err
    Draft202012Validator(SCHEMA).validate(outcome.report)
    assert (outcome.report["decision"] == "deny") == (outcome.code == 1)
    return outcome, outcome.report


def rules(verdict: dict[str, Any], decision: str = "") -> set[str]:
    return {one["rule"] for one in verdict["because"] if decision in ("", one["decision"])}


def aside(verdict: dict[str, Any]) -> dict[str, str]:
    return {one["rule"]: one["by"] for one in verdict["set_aside"]}


def policy(holdfast: Holdfast, text: str, name: str = "policy.toml") -> str:
    (holdfast.home / name).write_text(text)
    return name


@pytest.fixture
def target(tmp_path: Path) -> str:
    """An image with old packages and a token, that runs as nobody's root."""
    return f"oci:{image(tmp_path, [layer(FILES | TOKEN)], user='1000')}"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text(GOOD)
    (folder / "app").write_text("#!/bin/sh\n")
    return folder


# What may be vetted


def test_a_good_dockerfile_passes(holdfast: Holdfast, context: Path) -> None:
    assert vet(holdfast, context / "Dockerfile")[1]["decision"] == "allow"


def test_a_good_dockerfile_by_any_name(holdfast: Holdfast, context: Path) -> None:
    for name in ("Dockerfile.prod", "prod.Dockerfile", "Containerfile"):
        (context / "Dockerfile").rename(context / name)
        assert vet(holdfast, f"dockerfile:{context / name}")[1]["decision"] == "allow"
        (context / name).rename(context / "Dockerfile")


def test_a_good_folder_passes(holdfast: Holdfast, context: Path) -> None:
    assert vet(holdfast, context)[1]["decision"] == "allow"


def test_a_bad_dockerfile_says_where(holdfast: Holdfast, context: Path) -> None:
    (context / "Dockerfile").write_text(BAD)
    _, verdict = vet(holdfast, context / "Dockerfile")
    assert {"dockerfile.remote-script", "policy.base"} <= rules(verdict, "warn")
    base = next(one for one in verdict["because"] if one["rule"] == "policy.base")
    assert base["where"].endswith("Dockerfile:1")


def test_a_reason_for_a_dockerfile_names_the_line(holdfast: Holdfast, context: Path) -> None:
    (context / "Dockerfile").write_text(BAD)
    outcome = holdfast("vet", context / "Dockerfile", "--offline")
    assert "Dockerfile:2" in outcome.out


def test_a_folder_is_judged_by_its_files_too(holdfast: Holdfast, context: Path) -> None:
    (context / "deploy.txt").write_text(f"token: {github_token()}\n")
    _, verdict = vet(holdfast, context)
    assert rules(verdict, "deny") == {"secret.github-pat"}


def test_a_linked_dockerfile_is_read(holdfast: Holdfast, context: Path) -> None:
    (context / "docker").mkdir()
    (context / "docker" / "Real").write_text(BAD)
    (context / "Dockerfile").unlink()
    (context / "Dockerfile").symlink_to("docker/Real")
    assert "dockerfile.remote-script" in rules(vet(holdfast, context)[1])


def test_a_folder_with_odd_things_in_it_ends(holdfast: Holdfast, context: Path) -> None:
    import os

    os.mkfifo(context / "pipe")
    (context / "zero").symlink_to("/dev/zero")
    (context / "loop").symlink_to(".")
    (context / "root").symlink_to("/")
    vet(holdfast, context, timeout=30)


def test_an_image(holdfast: Holdfast, target: str) -> None:
    _, verdict = vet(holdfast, target)
    assert {"secret.github-pat", "policy.vulnerability"} <= rules(verdict, "deny")


@pytest.mark.parametrize("missing", ["nowhere/Dockerfile", "./nowhere", "oci:nowhere", "docker-archive:nowhere"])
def test_what_is_not_there(holdfast: Holdfast, missing: str) -> None:
    outcome = holdfast("vet", missing, "--offline")
    assert (outcome.code, outcome.out) == (4, "")
    assert "nowhere" in outcome.err


# Policies


def test_developer_is_the_mildest(holdfast: Holdfast, target: str) -> None:
    denied = [
        len(rules(vet(holdfast, target, "--policy", name)[1], "deny")) for name in ("developer", "balanced", "strict")
    ]
    assert denied == sorted(denied)
    assert denied[0] < denied[-1]


TOML = """\
name = "ours"
[vulnerability]
deny = "critical"
[[check]]
name = "few-packages"
expression = "size(packages) < 2"
message = "too many packages"
"""
YAML = """\
name: ours
vulnerability:
  deny: critical
check:
- name: few-packages
  expression: size(packages) < 2
  message: too many packages
"""


def test_toml_and_yaml_mean_the_same(holdfast: Holdfast, target: str) -> None:
    verdicts = [
        vet(holdfast, target, "--policy", policy(holdfast, text, name))[1]
        for text, name in ((TOML, "a.toml"), (YAML, "a.yaml"))
    ]
    for verdict in verdicts:
        for reason in verdict["because"]:
            reason.pop("where", None)
    assert verdicts[0] == verdicts[1]
    assert "check.few-packages" in rules(verdicts[0], "deny")


def test_the_policy_of_the_current_folder_is_found(holdfast: Holdfast, target: str) -> None:
    policy(holdfast, YAML, "holdfast-policy.yaml")
    assert vet(holdfast, target)[1]["policy"] == "ours"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.toml", 'name = "x"\n[vulnerability]\ndeny = "hihg"\n', 3),
        ("a.toml", 'name = "x"\n\n[vulnerability\n', 3),
        ("a.toml", 'name = "x"\n[[check]]\nname = "c"\nexpression = "1 +"\n', 4),
        ("a.toml", '\nnmae = "x"\n', 2),
        ("a.toml", '[[waiver]]\nrule = "*"\nreason = "r"\nowner = "o"\nexpires = 2030-01-01\n', 1),
        ("a.toml", '[[waiver]]\nrule = "CVE-1"\nreason = "r"\nowner = "o"\nexpires = "soon"\n', 5),
        ("a.yaml", "name: x\nvulnerability:\n  deny: hihg\n", 3),
        ("a.yaml", "name: x\nvulnerability: [\n", 3),
        ("a.yaml", "name: x\nname: y\n", 2),
        ("a.yaml", "a: &a [1]\nb: *c\n", 2),
        ("a.json", '{"name": "x",\n "vulnerability": {"deny": 5}}', 2),
    ],
)
def test_a_malformed_policy_names_file_and_line(
    holdfast: Holdfast, context: Path, name: str, text: str, line: int
) -> None:
    outcome = holdfast("vet", context, "--policy", policy(holdfast, text, name), "--offline")
    assert outcome.code in (2, 4)
    assert outcome.out == ""
    assert re.search(rf"{re.escape(name)}:{line}\b", outcome.err), outcome.err


@pytest.mark.parametrize("name", ["nosuch", "nosuch.toml", ".", "policy.txt"])
def test_a_policy_that_cannot_be_had(holdfast: Holdfast, context: Path, name: str) -> None:
    policy(holdfast, "x", "policy.txt")
    outcome = holdfast("vet", context, "--policy", name, "--offline")
    assert outcome.code in (2, 4)
    assert name in outcome.err


def test_incomplete_warns_or_denies(holdfast: Holdfast, target: str) -> None:
    demands = '[malware]\ndeny = "low"\n'
    for decision in ("warn", "deny"):
        name = policy(holdfast, f'incomplete = "{decision}"\n{demands}')
        _, verdict = vet(holdfast, target, "--policy", name, "--only", "secrets")
        assert "policy.incomplete" in rules(verdict, decision)
        assert "malware was not looked for" in next(
            one["message"] for one in verdict["because"] if one["rule"] == "policy.incomplete"
        )


def test_a_check_that_cannot_be_told_warns_unless_it_is_to_deny(holdfast: Holdfast, target: str) -> None:
    check = '[[check]]\nname = "odd"\nexpression = "nosuch.thing > 1"\n'
    assert "check.odd" in rules(vet(holdfast, target, "--policy", policy(holdfast, check))[1], "warn")
    denying = policy(holdfast, check + 'on_error = "deny"\n')
    assert "check.odd" in rules(vet(holdfast, target, "--policy", denying)[1], "deny")


def test_a_target_of_its_own(holdfast: Holdfast, target: str) -> None:
    text = f'[secret]\ndeny = "low"\n[[target]]\nmatch = "{target}"\nsecret = {{ warn = "low" }}\n'
    assert "secret.github-pat" in rules(vet(holdfast, target, "--policy", policy(holdfast, text))[1], "warn")


# Accepting


def test_what_is_pasted_from_the_output_makes_it_pass(holdfast: Holdfast, target: str) -> None:
    name = policy(holdfast, '[secret]\ndeny = "low"\n[vulnerability]\ndeny = "low"\n')
    for _ in range(9):
        outcome = holdfast("vet", target, "--offline", "--policy", name, "--waivers")
        if outcome.code == 0:
            break
        pasted = outcome.out[outcome.out.index("\n[[waiver]]") :]
        pasted = pasted.replace('reason = ""', 'reason = "until Friday"').replace('owner = ""', 'owner = "ann"')
        with (holdfast.home / name).open("a") as stream:
            stream.write(pasted)
    assert outcome.code == 0
    assert "until Friday" in outcome.out


def test_expired_and_unused_waivers_are_said(holdfast: Holdfast, target: str) -> None:
    waivers = "".join(
        f'[[waiver]]\nrule = "{rule}"\nreason = "r"\nowner = "ann"\nexpires = {day}\n'
        for rule, day in (("secret.github-pat", "2020-01-01"), ("CVE-1999-0001", "2035-01-01"))
    )
    _, verdict = vet(holdfast, target, "--policy", policy(holdfast, f'[secret]\ndeny = "low"\n{waivers}'))
    assert "secret.github-pat" in rules(verdict, "deny")
    assert {one["code"] for one in verdict["warnings"]} == {"waiver.expired", "waiver.unused"}


@pytest.mark.parametrize(
    ("name", "content"),
    [(".trivyignore", f"# ours\n{OLD}\n"), (".grype.yaml", f"ignore:\n  - vulnerability: {OLD}\n")],
)
def test_ignore_files_of_the_current_folder(holdfast: Holdfast, target: str, name: str, content: str) -> None:
    (holdfast.home / name).write_text(content)
    _, verdict = vet(holdfast, target)
    assert aside(verdict) == {OLD: "waiver"}
    (holdfast.home / name).rename(holdfast.home / f"elsewhere{name}")
    _, verdict = vet(holdfast, target, "--ignore-file", f"elsewhere{name}")
    assert aside(verdict) == {OLD: "waiver"}


def test_accepted_findings_are_honoured_until_they_expire(holdfast: Holdfast, target: str) -> None:
    vet(holdfast, target)
    found = holdfast("findings", "list", "--kind", "secret", "-f", "json").report["findings"]
    why = ("--reason", "a test key", "--owner", "ann")
    assert holdfast("findings", "accept", found[0]["fingerprint"], *why, "--expires", "2035-01-01").code == 0
    _, verdict = vet(holdfast, target)
    assert "secret.github-pat" not in rules(verdict)
    assert aside(verdict)["secret.github-pat"] == "waiver"
    assert holdfast("findings", "reopen", found[0]["fingerprint"]).code == 0
    assert "secret.github-pat" in rules(vet(holdfast, target)[1], "deny")
    past = holdfast("findings", "accept", found[0]["fingerprint"], *why, "--expires", "2020-01-01")
    assert past.code in (2, 4)
    assert "secret.github-pat" in rules(vet(holdfast, target)[1], "deny")


# What does not affect us


def openvex(*products: str) -> dict[str, Any]:
    statement = {"vulnerability": {"name": OLD}, "products": [{"@id": one} for one in products],
                 "status": "not_affected", "justification": "vulnerable_code_not_present"}  # fmt: skip
    return {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://acme.internal/vex", "author": "Ann",
            "timestamp": "2026-01-01T00:00:00Z", "version": 1, "statements": [statement]}  # fmt: skip


CYCLONEDX = {
    "bomFormat": "CycloneDX", "specVersion": "1.6",
    "components": [{"type": "library", "name": "lodash", "version": "4.17.15", "bom-ref": "l",
                    "purl": "pkg:npm/lodash@4.17.15"}],
    "vulnerabilities": [{"id": OLD, "affects": [{"ref": "l"}],
                         "analysis": {"state": "not_affected", "justification": "code_not_reachable"}}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("document", "justification"),
    [(openvex("pkg:npm/lodash@4.17.15"), "vulnerable_code_not_present"), (CYCLONEDX, "code_not_reachable")],
    ids=["OpenVEX", "CycloneDX"],
)
def test_a_vex_document_sets_aside_with_its_justification(
    holdfast: Holdfast, target: str, document: dict[str, Any], justification: str
) -> None:
    (holdfast.home / "vex.json").write_text(json.dumps(document))
    _, verdict = vet(holdfast, target, "--vex", "vex.json")
    assert aside(verdict) == {OLD: "vex"}
    assert justification in verdict["set_aside"][0]["reason"]


@pytest.mark.parametrize("content", [b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"statements":\n 5}', b"[" * 100_000])
def test_a_vex_document_that_is_none(holdfast: Holdfast, target: str, content: bytes) -> None:
    (holdfast.home / "vex.json").write_bytes(content)
    outcome = holdfast("vet", target, "--vex", "vex.json", "--offline", "-f", "json")
    assert outcome.code in (1, 2, 4)
    assert "vex.json" in outcome.err + outcome.out


def test_attached_statements_count_only_where_they_are_asked_for(tmp_path: Path, holdfast: Holdfast) -> None:
    path = build(tmp_path, [layer(FILES)], [(OPENVEX, openvex("pkg:npm/lodash@4.17.15"))], name="attached")
    assert aside(vet(holdfast, f"oci:{path}")[1]) == {}
    assert aside(vet(holdfast, f"oci:{path}", "--vex", "attached")[1]) == {OLD: "vex"}


# Bases


def test_allowed_bases(holdfast: Holdfast, context: Path) -> None:
    (context / "Dockerfile").write_text(GOOD.replace("FROM scratch", "FROM debian:12"))
    name = policy(holdfast, '[base]\nallow = ["registry.acme.internal/*"]\ndecision = "deny"\n')
    _, verdict = vet(holdfast, context / "Dockerfile", "--policy", name)
    assert rules(verdict, "deny") == {"policy.base"}
    (context / "Dockerfile").write_text(GOOD.replace("FROM scratch", "FROM registry.acme.internal/base:1"))
    assert rules(vet(holdfast, context / "Dockerfile", "--policy", name)[1], "deny") == set()


def test_a_base_is_said_to_be_unvetted_until_it_was_scanned(tmp_path: Path, holdfast: Holdfast, context: Path) -> None:
    from daemons.fake_engine import fake_engine
    from world import spec

    (context / "Dockerfile").write_text(GOOD.replace("FROM scratch", "FROM team/base:1"))
    name = policy(holdfast, '[base]\nunscanned = "deny"\ndenied = "deny"\n[secret]\ndeny = "low"\n')
    _, verdict = vet(holdfast, context / "Dockerfile", "--policy", name)
    assert "never scanned" in verdict["because"][0]["message"]
    (tmp_path / "engine").mkdir()
    with fake_engine(tmp_path / "engine") as engine:
        engine.has("team/base:1", spec([layer({"srv/a": "b"})], compression="none"))
        holdfast.environment["DOCKER_HOST"] = engine.url
        assert holdfast("vet", "docker:team/base:1", "--offline", "--policy", name).code == 0
        assert vet(holdfast, context / "Dockerfile", "--policy", name)[1]["decision"] != "deny"
        engine.has("team/base:1", spec([layer(TOKEN)], compression="none"))
        assert holdfast("vet", "docker:team/base:1", "--offline", "--policy", name).code == 1
    _, verdict = vet(holdfast, context / "Dockerfile", "--policy", name)
    assert "denied" in verdict["because"][0]["message"]


# Output


def test_the_report_goes_to_files_too(holdfast: Holdfast, target: str) -> None:
    vet(holdfast, target, "-o", "sarif=report.sarif", "-o", "html=report.html", "-o", "json=report.json")
    sarif = json.loads((holdfast.home / "report.sarif").read_text())
    assert "secret.github-pat" in {one["ruleId"] for one in sarif["runs"][0]["results"]}
    report = json.loads((holdfast.home / "report.json").read_text())
    assert report["verdict"]["decision"] == "deny"


def test_hostile_names_do_no_harm_to_a_terminal(holdfast: Holdfast, context: Path) -> None:
    (context / "a\x1b]0;owned\x07\n::error::x.txt").write_text(f"token: {github_token()}\n")
    (context / "Dockerfile").write_text("FROM \x1b[2Jx\nRUN curl \x1b[31m | bash\n")
    for form in ("text", "json"):
        outcome = holdfast("vet", context, "--offline", "-f", form, "--waivers")
        assert "\x1b" not in outcome.out
        assert "\x07" not in outcome.out
        assert not re.search(r"^::error", outcome.out, re.MULTILINE)
