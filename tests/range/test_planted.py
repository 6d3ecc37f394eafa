"""Given the planted image, when every engine is on, then each problem is found, in the layer that brought it."""

import pytest

from holdfast.model.finding import Finding, MalwareEvidence, SecretEvidence
from holdfast.model.report import Report
from holdfast.range.layout import LayoutWriter
from holdfast.range.made_up import aws_pair, github_token
from holdfast.range.planted import CONFIGURATION, PLANTED, Planted, history, planted_layers, run_configuration
from holdfast.report.json import document
from holdfast.report.writer import encode
from holdfast.scan.plan import plan
from holdfast.scan.scanner import scan
from holdfast.settings import Settings


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("planted")
    writer = LayoutWriter(folder / "image", "amd64")
    for layer in planted_layers():
        writer.add_layer([layer.tar], layer.created_by)
    for line in history():
        writer.add_history(line)
    writer.finish("latest", run_configuration())
    return scan(plan(f"oci:{folder / 'image'}"), Settings(cache=folder / "cache", data=folder / "data", offline=True))


def place(finding: Finding) -> str:
    """Where a finding is, as Planted tells it: the path, also inside of archives, or the part of the configuration."""
    if isinstance(finding.evidence, SecretEvidence) and finding.evidence.place:
        return finding.evidence.place
    inside = finding.evidence.inside if isinstance(finding.evidence, MalwareEvidence) else ""
    return f"{finding.location.path}!/{inside}" if inside else finding.location.path


def deleted_by(finding: Finding) -> str:
    evidence = finding.evidence
    return evidence.deleted_by if isinstance(evidence, SecretEvidence | MalwareEvidence) else ""


@pytest.mark.parametrize(
    "planted", PLANTED, ids=lambda planted: f"{planted.rule} in {planted.place or 'configuration'}"
)
def test_each_is_found_in_its_layer(planted: Planted, report: Report) -> None:
    found = [one for one in report.findings if one.rule == planted.rule and planted.place in ("", place(one))]
    diff_id = "" if planted.layer == CONFIGURATION else report.layers[planted.layer].diff_id
    deleting = "" if planted.deleted_by is None else report.layers[planted.deleted_by].diff_id
    assert [(one.location.diff_id, deleted_by(one)) for one in found] == [(diff_id, deleting)]


def test_nothing_is_found_that_was_not_planted(report: Report) -> None:
    expected = {planted.rule for planted in PLANTED}
    # It has no health check, what it starts may be written by all, and a key's second half is a secret by its name.
    # What cron starts is told as a shell, and as something that cron starts.
    more = {
        "image.no-health-check", "image.writable-entrypoint", "secret.environment-secret", "malware.persist-cron-place",
    }  # fmt: skip
    assert {one.rule for one in report.findings} - expected <= more


def test_no_secret_stands_in_the_report(report: Report) -> None:
    data = encode(document(report)).decode()
    key, secret = aws_pair()
    values = [key, secret, github_token()]
    values += [
        word.partition("=")[2] for line in history() for word in line.split() if word.startswith("DEPLOY_TOKEN=")
    ]
    assert len(values) == 4
    assert not [value for value in values if value in data]
