"""What is attached to images, by the real command: from Debian's registry, into layouts and out of them again."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from attached import BUNDLE, SLSA_1, SPDX, build, bundle, provenance, read, refer, serve, spdx, statement, subject, tag
from daemons.registry import Registry, registry
from end_to_end.command import Holdfast
from end_to_end.shop import HISTORY, ONLY, feeds, layers
from world import layer

INSIDE = ("npm lodash 4.17.15", "npm shop 1.0.0")
PREDICATE = {"dev.sigstore.bundle.predicateType": SLSA_1}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Registry]:
    with registry(tmp_path / "registry") as it:
        yield it


def shop(where: Path, *listed: str, name: str = "image") -> Path:
    """An image of three layers with a bill of materials, provenance, a signed statement and a cosign signature."""
    path = build(where, layers(), [(SPDX, spdx(*listed)), (SLSA_1, provenance())], name=name, history=HISTORY)
    refer(path, BUNDLE, lambda of: bundle(statement(of, SLSA_1, provenance())), **PREDICATE)
    tag(path, "sig", {"critical": {}}, "application/vnd.dev.cosign.simplesigning.v1+json")
    return path


def test_attested_fetches_no_layer_and_is_checked_as_usual(
    tmp_path: Path, holdfast: Holdfast, running: Registry
) -> None:
    path = shop(tmp_path, "npm minimist 1.2.0")
    target = serve(running, path, "team/app:1.0")
    assert holdfast("db", "update", "--from", feeds(tmp_path / "feeds"), "-q").code == 0
    running.log.write_text("")
    outcome = holdfast("scan", target, "--attested", "-f", "json", "--only", "vulnerabilities")
    fetched = " ".join(asked for _, asked, _ in running.asked())
    assert fetched
    assert not [one for one in read(path, subject(path))["layers"] if one["digest"] in fetched]
    assert [package["name"] for package in outcome.report["packages"]] == ["minimist"]
    assert [finding["rule"] for finding in outcome.report["findings"]] == ["CVE-2026-0002"]
    assert "image.attested" in outcome.problems
    table = holdfast("scan", target, "--attested").out
    assert "no layer was read" in " ".join(table.split())
    assert "it is not signed" in " ".join(table.split())


def test_without_it_the_bill_is_held_against_the_image(tmp_path: Path, holdfast: Holdfast, running: Registry) -> None:
    honest = serve(running, shop(tmp_path, *INSIDE), "team/app:honest")
    outcome = holdfast("scan", honest, "-f", "json", *ONLY)
    assert (outcome.code, outcome.report["findings"]) == (0, [])
    assert sorted(one["kind"] for one in outcome.report["attachments"]) == [
        "provenance", "provenance", "sbom", "signature",
    ]  # fmt: skip
    false = serve(running, shop(tmp_path, INSIDE[1], name="false"), "team/app:false")
    outcome = holdfast("scan", false, "--fail-on", "medium", *ONLY)
    assert outcome.code == 1
    assert "BILL OF MATERIALS" in outcome.out
    assert "npm lodash 4.17.15" in outcome.out
    assert "attached: 2 provenance, 1 sbom, 1 signature" in outcome.out


def test_the_second_scan_asks_for_one_manifest(tmp_path: Path, holdfast: Holdfast, running: Registry) -> None:
    target = serve(running, shop(tmp_path, *INSIDE), "team/app:1.0")
    first = holdfast("scan", target, "-f", "json", *ONLY)
    running.log.write_text("")
    second = holdfast("scan", target, "-f", "json", *ONLY)
    assert [asked for _, asked, _ in running.asked() if asked != "/v2/"] == ["/v2/team/app/manifests/1.0"]
    assert second.report["attachments"] == first.report["attachments"]
    assert second.report["problems"] == first.report["problems"] == []


def test_what_is_pulled_with_its_attachments_is_the_same_offline(
    tmp_path: Path, holdfast: Holdfast, running: Registry
) -> None:
    target = serve(running, shop(tmp_path, *INSIDE), "team/app:1.0")
    assert holdfast("pull", target, f"oci:{tmp_path / 'pulled'}", "--attachments", "-q").code == 0
    there = holdfast("scan", target, "-f", "json", *ONLY).report
    running.stop()
    here = holdfast("scan", f"oci:{tmp_path / 'pulled'}", "--offline", "-f", "json", *ONLY).report
    found = [sorted((one["kind"], one["digest"]) for one in report["attachments"]) for report in (there, here)]
    assert found[0] == found[1]
    assert len(found[0]) == 4
    attested = holdfast("scan", f"oci:{tmp_path / 'pulled'}", "--offline", "--attested", "-f", "json", *ONLY)
    assert "image.attested" in attested.problems


@pytest.mark.parametrize("places", ["registry", "oci"])
def test_inspect(tmp_path: Path, holdfast: Holdfast, running: Registry, places: str) -> None:
    path = shop(tmp_path, *INSIDE)
    target = serve(running, path, "team/app:1.0") if places == "registry" else f"oci:{path}"
    running.log.write_text("")
    outcome = holdfast("inspect", target)
    assert outcome.code == 0
    for told in (
        "LAYERS  3 layers",
        "RUN npm install",
        'CMD ["sh"]',
        "ATTACHED  4",
        SPDX,
        "built from https://example",
    ):
        assert told in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80
    document = json.loads(holdfast("inspect", target, "-f", "json").out)
    assert document["schema"] == "holdfast.inspection/1"
    assert document["image"]["digest"] == subject(path)
    assert len(document["provenance"]) == 2
    fetched = " ".join(asked for _, asked, _ in running.asked())
    assert not [one for one in read(path, subject(path))["layers"] if one["digest"] in fetched]


def test_inspect_wants_an_image(tmp_path: Path, holdfast: Holdfast) -> None:
    outcome = holdfast("inspect", f"dir:{tmp_path}")
    assert outcome.code == 4
    assert "not an image" in outcome.err


def test_an_image_with_nothing_attached_costs_nothing_more(tmp_path: Path, holdfast: Holdfast) -> None:
    path = build(tmp_path, [layer({"a": "b"})])
    code = (
        "import sys; from holdfast.cli.main import run; sys.argv = ['holdfast', 'scan', sys.argv[1], '--only', 'packages', '-q']\n"  # noqa: E501
        "try: run()\n"
        "except SystemExit: pass\n"
        "print(sorted(sys.modules), file=sys.stderr)"
    )
    loaded = holdfast(sys.executable, "-c", code, f"oci:{path}", bare=True).err
    for module in ("holdfast.scan.image", "holdfast.oci.attachment"):
        assert f"'{module}'" in loaded
    for module in (
        "catalog.statement",
        "catalog.vex",
        "scan.attested",
        "scan.compare",
        "oci.registry",
        "transport.wire",
    ):
        assert f"'holdfast.{module}'" not in loaded
    assert "'urllib3'" not in loaded
