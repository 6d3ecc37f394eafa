"""A bill of materials beside an image: used instead of its layers where asked for, else held against what is inside."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from attached import (
    BUNDLE,
    CYCLONEDX,
    DSSE,
    IN_TOTO,
    OPENVEX,
    SLSA_1,
    SPDX,
    build,
    bundle,
    cyclonedx,
    entries,
    envelope,
    provenance,
    read,
    refer,
    serve,
    spdx,
    statement,
    subject,
    tag,
)
from catalog.samples import paragraph, status
from daemons.fake import Fake, fake
from daemons.push import INDEX
from holdfast.catalog.listed import Inventory as Stated
from holdfast.model.artifact import Attachment, AttachmentKind, Image
from holdfast.model.finding import SbomEvidence
from holdfast.model.package import Package
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Problem, Status
from holdfast.oci.open import open_image
from holdfast.scan import attached as room
from holdfast.scan.attached import Attached, Listed, look
from holdfast.scan.attested import disagreements, stated
from holdfast.scan.inventory import Inventory
from holdfast.scan.opener import Opener
from holdfast.scan.options import Checked, Options, Wanted
from holdfast.scan.plan import plan
from holdfast.scan.remembered import SECONDS
from holdfast.scan.scanner import scan
from holdfast.settings import Settings
from world import blob, digest, image, layer, put

BASH, ZLIB = "deb bash 5.2.15-2", "deb zlib1g 1.2.13-1"
RELEASE = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
LAYER = layer(
    {
        "etc/os-release": RELEASE,
        "var/lib/dpkg/status": status(paragraph("bash", "5.2.15-2"), paragraph("zlib1g", "1.2.13-1")),
    }
)
BILL, CYCLONE = "application/spdx+json", "application/vnd.cyclonedx+json"
UNLISTED, ABSENT = "image.sbom-unlisted-package", "image.sbom-absent-package"
Predicates = Sequence[tuple[str, Any]]


PACKAGES = Wanted(frozenset({"packages"}))


class World:
    """A scan of whatever a target names, with one cache for all scans of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(cache=folder / "cache", data=folder / "data")

    def image(self, *attested: tuple[str, Any], name: str = "image", **fields: Any) -> Path:
        """A layout of an image with bash and zlib1g inside."""
        return build(self.folder, [LAYER], attested, name=name, **fields)

    def scan(self, target: str | Path, *, attested: bool = False, **options: Any) -> Report:
        named = target if isinstance(target, str) else f"oci:{target}"
        with Opener(self.settings, {}, self.folder) as opener:
            return scan(plan(named), self.settings, Options(open=opener, attested=attested, wanted=PACKAGES, **options))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def names(report: Report) -> list[str]:
    return [f"{package.type} {package.name} {package.version}" for package in report.packages]


def codes(report: Report) -> list[str]:
    return sorted({problem.code for problem in report.problems})


def message(report: Report, code: str) -> str:
    (found,) = (problem for problem in report.problems if problem.code == code)
    assert found.gravity is Gravity.NOTE
    return found.message


def told(report: Report) -> dict[str, tuple[str, ...]]:
    """The packages that findings name, by rule."""
    return {one.rule: one.evidence.packages for one in report.findings if isinstance(one.evidence, SbomEvidence)}


def asked(it: Fake) -> list[str]:
    """What a registry was asked for since this was last called: `manifests/…`, `blobs/…`, `referrers/…`."""
    found = [f"{request.method} {request.path.split('/', 3)[3]}" for request in it.requests if "/app/" in request.path]
    it.requests.clear()
    return found


@contextmanager
def served(path: Path, name: str = "app:1", **knobs: Any) -> Iterator[tuple[Fake, str]]:
    with fake(**knobs) as it:
        target = serve(it, path, name)
        it.requests.clear()
        yield it, target


LISTS = "deb listed 1"
WAYS: dict[str, Callable[[World], Path]] = {
    "BuildKit's attestation": lambda world: world.image((SPDX, spdx(LISTS))),
    "a referrer": lambda world: _with(world, lambda path: refer(path, BILL, spdx(LISTS))),
    "a referrer in CycloneDX": lambda world: _with(world, lambda path: refer(path, CYCLONE, cyclonedx(LISTS))),
    "a statement that refers": lambda world: _with(
        world, lambda path: refer(path, IN_TOTO, lambda of: statement(of, SPDX, spdx(LISTS)))
    ),
    "cosign's attestation": lambda world: _with(
        world,
        lambda path: tag(path, "att", lambda of: envelope(statement(of, SPDX, spdx(LISTS))), DSSE, predicateType=SPDX),
    ),
    "a sigstore bundle": lambda world: _with(
        world, lambda path: refer(path, BUNDLE, lambda of: bundle(statement(of, CYCLONEDX, cyclonedx(LISTS))))
    ),
}


def _with(world: World, add: Callable[[Path], object]) -> Path:
    path = world.image()
    add(path)
    return path


class TestAttested:
    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("referrers", [True, False])
    def test_its_packages_are_the_reports_and_no_layer_is_fetched(
        self, world: World, way: str, referrers: bool
    ) -> None:
        path = WAYS[way](world)
        layers = [one["digest"] for one in read(path, subject(path))["layers"]]
        checked: list[Sequence[Package]] = []

        def check(packages: Sequence[Package], *_: Any) -> Checked:
            checked.append(packages)
            return Checked(checked=("vulnerabilities",))

        with served(path, referrers=referrers) as (it, target):
            report = world.scan(target, attested=True, check=check)
            assert not [one for one in asked(it) for of in layers if of in one]
        assert names(report) == names(world.scan(path, attested=True)) == [LISTS]
        assert [package.name for package in checked[0]] == ["listed"]
        assert report.status is Status.COMPLETE
        assert codes(report) == ["image.attested"]
        assert report.layers, "what the image is made of is still told"
        assert report.attachments[0].kind is AttachmentKind.SBOM

    def test_it_says_whether_anybody_signed(self, world: World) -> None:
        plain, signed = world.image((SPDX, spdx(LISTS))), world.image(name="signed")
        refer(signed, BUNDLE, lambda of: bundle(statement(of, SPDX, spdx(LISTS))))
        assert "it is not signed" in message(world.scan(plain, attested=True), "image.attested")
        assert "its signature was not checked" in message(world.scan(signed, attested=True), "image.attested")

    def test_the_distribution_is_the_bills(self, world: World) -> None:
        distribution = world.scan(world.image((SPDX, spdx(LISTS))), attested=True).distribution
        assert distribution is not None
        assert (distribution.id, distribution.version) == ("debian", "12")

    def test_a_bill_that_is_partial_makes_the_report_partial(self, world: World) -> None:
        document = spdx(LISTS)
        document["packages"].append({"SPDXID": "SPDXRef-9", "name": "nameless"})
        report = world.scan(world.image((SPDX, document)), attested=True)
        assert (report.status, names(report)) == (Status.PARTIAL, [LISTS])

    @pytest.mark.parametrize(
        "attested",
        [
            pytest.param([], id="nothing"),
            pytest.param([(SLSA_1, provenance())], id="provenance only"),
            pytest.param([(SPDX, spdx())], id="an empty bill"),
            pytest.param([(OPENVEX, {"@context": "https://openvex.dev/ns"})], id="OpenVEX"),
            pytest.param([(CYCLONEDX, cyclonedx(LISTS, exploited=[LISTS]))], id="CycloneDX VEX"),
            pytest.param([(SPDX, lambda _: statement("sha256:" + "0" * 64, SPDX, spdx(LISTS)))], id="of another image"),
            pytest.param([(SPDX, lambda _: b"not JSON")], id="garbage"),
            pytest.param([(SPDX, {"spdxVersion": "SPDX-3.0"})], id="SPDX 3"),
        ],
    )
    def test_where_nothing_can_stand_for_the_image_it_is_pulled_and_that_is_said(
        self, world: World, attested: Predicates
    ) -> None:
        report = world.scan(world.image(*attested), attested=True)
        assert names(report) == [BASH, ZLIB]
        assert "its layers were read" in message(report, "image.not-attested")

    def test_what_a_tag_alone_ties_to_the_image_does_not_stand_for_it(self, world: World) -> None:
        path = _with(world, lambda path: tag(path, "sbom", spdx(LISTS), "text/spdx+json"))
        report = world.scan(path, attested=True)
        assert names(report) == [BASH, ZLIB]
        assert codes(report) == ["image.not-attested"]
        assert set(told(report)) == {UNLISTED, ABSENT}, "but it is held against what is inside"

    def test_an_engines_image_comes_without(self) -> None:
        inventory, note = stated(None)
        assert inventory is None
        assert "engine" in note.message


class TestChoice:
    def test_of_buildkits_the_first_is_the_images_and_the_others_are_of_stages(self, world: World) -> None:
        stage = spdx("deb gcc 12", "deb make 4", "deb bash 5", name="sbom-build")
        path = world.image((SLSA_1, provenance()), (SPDX, spdx(BASH, ZLIB)), (SPDX, stage))
        assert names(world.scan(path, attested=True)) == [BASH, ZLIB]
        report = world.scan(path)
        assert told(report) == {}
        assert [str(one.kind) for one in report.attachments] == ["provenance", "sbom", "sbom"]

    def test_it_does_not_depend_on_the_order_in_which_they_are_listed(self) -> None:
        def listed(count: int, found_by: str, *problems: Problem) -> Listed:
            packages = tuple(Package(f"p{number}", "1", "deb") for number in range(count))
            of = digest(f"{count}{found_by}{problems}".encode())
            attachment = Attachment(AttachmentKind.SBOM, of, found_by=found_by)
            return Listed(attachment, Stated(packages, None, problems))

        doubt = Problem("catalog.sbom.damaged", "x")
        ways = [listed(9, "index", doubt), listed(2, "index"), listed(1, "index"), listed(3, "referrers")]
        for order in permutations(ways):
            inventory, note = stated(Attached(listed=order))
            assert inventory is not None
            assert len(inventory.packages) == 2
            assert "of 4 it is the longest" in note.message

    def test_a_part_of_the_image_is_not_the_image(self, world: World) -> None:
        scope = {"dev.sigstore.sbom.scope": "path=/srv"}
        path = _with(world, lambda path: refer(path, BILL, spdx(LISTS), **scope))
        assert codes(world.scan(path, attested=True)) == ["image.not-attested"]
        assert told(world.scan(path)) == {}

    @pytest.mark.parametrize("platforms", [1, 2])
    def test_a_bill_of_an_index_is_of_its_only_image(self, world: World, platforms: int) -> None:
        path = world.image()
        (top,) = entries(path)
        inner = read(path, top["digest"])
        other = {"platform": {"os": "linux", "architecture": "s390x"}, "digest": "sha256:" + "0" * 64}
        inner["manifests"] += [inner["manifests"][0] | other] * (platforms - 1)
        files: dict[str, Any] = {}
        whole = put(files, json.dumps(inner).encode(), INDEX)
        (path / blob(whole["digest"])).write_bytes(files[blob(whole["digest"])])
        (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [whole]}))
        refer(path, BILL, spdx(LISTS), about=whole["digest"])
        used = platforms == 1
        report = world.scan(path, attested=True)
        assert names(report) == ([LISTS] if used else [BASH, ZLIB])
        assert ("attachment.of-index" in codes(report)) is not used
        assert bool(told(world.scan(path))) is used

    def test_signatures_before_it_do_not_hide_it(self, world: World) -> None:
        path = world.image()
        for number in range(12):
            refer(path, BUNDLE, json.dumps({"messageSignature": {"signature": str(number)}}).encode())
        refer(path, BILL, spdx(LISTS))
        report = world.scan(path, attested=True)
        assert names(report) == [LISTS]
        assert codes(report) == ["attachment.unread", "image.attested"], (
            "a bundle of a signature is no broken statement"
        )

    def test_more_bills_than_are_read(self, world: World) -> None:
        path = world.image()
        for number in range(room.MOST_READ + 3):
            refer(path, BILL, spdx(BASH, ZLIB, name=str(number)))
        report = world.scan(path)
        assert "attachment.unread" in codes(report)
        assert [one.count for one in report.problems if one.code == "attachment.unread"] == [3]


class TestLies:
    def test_a_blob_of_a_layout_that_is_not_what_its_digest_says(self, world: World) -> None:
        path = world.image((SPDX, spdx(LISTS)))
        of = world.scan(path).attachments[0].digest
        (path / blob(of)).write_bytes(statement(subject(path), SPDX, spdx("deb other 1")))
        report = world.scan(path, attested=True)
        assert names(report) == [BASH, ZLIB]
        assert "not the bytes asked for" in message(report, "attachment.unusable")

    def test_a_registry_that_sends_another_blob(self, world: World) -> None:
        path = world.image((SPDX, spdx(LISTS)))
        of = world.scan(path).attachments[0].digest
        with served(path) as (it, target):
            it.repositories["app"].blobs[of] = statement(subject(path), SPDX, spdx("deb other 1"))
            report = world.scan(target, attested=True)
            assert names(report) == [BASH, ZLIB]
            assert "not the bytes asked for" in message(report, "attachment.unusable")
            it.repositories["app"].blobs[of] = path / blob(of)
            assert names(world.scan(target, attested=True)) == [LISTS], "what was wrong is not remembered"

    def test_one_that_is_too_long_is_not_read(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        path = world.image((SPDX, spdx(LISTS)))
        monkeypatch.setattr(room, "DOCUMENT_BYTES", 100)
        with served(path) as (_, target):
            for report in (world.scan(path, attested=True), world.scan(target, attested=True)):
                assert names(report) == [BASH, ZLIB]
                assert "longer than" in message(report, "attachment.unusable")

    def test_a_statement_about_another_image_is_said_and_not_used(self, world: World) -> None:
        other = world.image(name="other", labels={"a": "b"})
        path = world.image((SPDX, lambda _: statement(subject(other), SPDX, spdx(LISTS))))
        report = world.scan(path)
        assert "about another image" in message(report, "attachment.unusable")
        assert (report.status, told(report), names(report)) == (Status.COMPLETE, {}, [BASH, ZLIB])

    def test_a_registry_that_fails_to_list_costs_a_note_and_not_the_scan(self, world: World) -> None:
        with served(world.image()) as (it, target):
            setattr(it.repositories["app"], "referrers", lambda _: [{"digest": "../..", "artifactType": "x"}])  # noqa: B010
            report = world.scan(target)
            assert (report.status, names(report)) == (Status.COMPLETE, [BASH, ZLIB])
            assert codes(report) == ["attachment.unreadable"]
            vars(it.repositories["app"]).pop("referrers")
            asked(it)
            assert codes(world.scan(target)) == []
            assert any("referrers/" in one for one in asked(it)), "and it is asked again, not remembered"


class TestDisagreement:
    def test_one_that_agrees_gives_none(self, world: World) -> None:
        path = world.image((SPDX, spdx(BASH, ZLIB)), (CYCLONEDX, cyclonedx(BASH, ZLIB)))
        report = world.scan(path)
        assert (report.findings, report.problems) == ((), ())

    def test_one_that_does_not_is_a_finding_of_each_sort(self, world: World) -> None:
        report = world.scan(world.image((SPDX, spdx(BASH, "deb curl 8"))))
        assert told(report) == {UNLISTED: (ZLIB,), ABSENT: ("deb curl 8",)}
        (of,) = {one.evidence.attachment for one in report.findings if isinstance(one.evidence, SbomEvidence)}
        assert of == report.attachments[0].digest

    def test_two_formats_that_lack_the_same_are_one_cause(self, world: World) -> None:
        path = world.image()
        refer(path, BILL, spdx(BASH))
        refer(path, CYCLONE, cyclonedx(BASH))
        report = world.scan(path)
        assert [one.rule for one in report.findings] == [UNLISTED]

    def test_of_two_the_weightier_is_told(self) -> None:
        inside = Inventory(tuple(Package(name, "1", "deb") for name in "abc"), None, {}, ())
        bills = [
            Listed(Attachment(AttachmentKind.SBOM, name), Stated(tuple(Package(one, "1", "deb") for one in packages)))
            for name, packages in (("small", "ab"), ("smaller", "a"))
        ]
        for order in (bills, bills[::-1]):
            (found,) = disagreements(Attached(listed=tuple(order)), inside, "shop", ())
            assert found.count == 2

    def test_with_attested_there_is_nothing_to_compare(self, world: World) -> None:
        assert told(world.scan(world.image((SPDX, spdx(LISTS))), attested=True)) == {}


class TestRemembered:
    def test_an_unchanged_image_is_asked_about_once(self, world: World) -> None:
        path = world.image((SPDX, spdx(BASH)), (SLSA_1, provenance()))
        refer(path, BUNDLE, lambda of: bundle(statement(of, SLSA_1, provenance())))
        with served(path) as (it, target):
            first = world.scan(target)
            assert any("referrers/" in one for one in asked(it))
            second = world.scan(target)
            about = [one for one in asked(it) if "manifests/1" not in one]
        assert about == []
        assert first.attachments == second.attachments
        assert told(first) == told(second) == {UNLISTED: (ZLIB,)}, "what is remembered is still compared"
        assert second.problems == ()

    def test_it_asks_anew_after_a_day(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        with served(world.image()) as (it, target):
            world.scan(target)
            (kept,) = (world.settings.cache / "attachments").glob("*.json")
            answer = json.loads(kept.read_text())
            kept.write_text(json.dumps(answer | {"asked": answer["asked"] - SECONDS - 1}))
            asked(it)
            world.scan(target)
            assert any("referrers/" in one for one in asked(it))

    def test_attested_asks_anew(self, world: World) -> None:
        path = world.image()
        with served(path) as (it, target):
            world.scan(target)
            refer(path, BILL, spdx(LISTS))
            serve(it, path, "app:1")
            assert names(world.scan(target)) == [BASH, ZLIB]
            assert names(world.scan(target, attested=True)) == [LISTS]
            assert told(world.scan(target)), "and what it learned is remembered"

    def test_the_same_image_in_another_repository_or_index_is_another_question(self, world: World) -> None:
        path = world.image((SPDX, spdx(BASH)))
        with served(path) as (it, target):
            assert told(world.scan(target.replace(":1", f"@{subject(path)}"))) == {}, "by digest, no index is looked at"
            assert told(world.scan(target))
            bare = world.image(name="bare")
            assert world.scan(serve(it, bare, "elsewhere:1")).attachments == ()

    @pytest.mark.parametrize("damage", [b"", b"{}", b"[" * 5000, b"\xff", b'{"asked": 1e308, "attachments": []}'])
    def test_a_damaged_memory_is_none(self, world: World, damage: bytes) -> None:
        with served(world.image((SPDX, spdx(BASH)))) as (it, target):
            world.scan(target)
            (kept,) = (world.settings.cache / "attachments").glob("*.json")
            kept.write_bytes(damage)
            asked(it)
            assert told(world.scan(target))
            assert any("referrers/" in one for one in asked(it))

    def test_what_lies_on_disk_is_looked_at_each_time(self, world: World) -> None:
        path = world.image()
        world.scan(path)
        refer(path, BILL, spdx(BASH))
        assert told(world.scan(path)) == {UNLISTED: (ZLIB,)}
        assert not (world.settings.cache / "attachments").exists()


MEMBERS = (
    "_type", "subject", "predicateType", "predicate", "digest", "sha256", "payload", "payloadType", "signatures",
    "dsseEnvelope", "messageSignature", "bomFormat", "specVersion", "components", "vulnerabilities", "affects", "ref",
    "bom-ref", "spdxVersion", "packages", "externalRefs", "purl", "name",
)  # fmt: skip
WORDS = (SPDX, CYCLONEDX, SLSA_1, "https://in-toto.io/Statement/v1", IN_TOTO, "CycloneDX", "SPDX-2.3", "pkg:deb/a@1")
JSON = st.recursive(
    st.none() | st.integers() | st.sampled_from(WORDS) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5),
    max_leaves=15,
)
ABOUT = digest(b"an image")
DOCUMENTS = st.one_of(
    st.binary(max_size=30),
    JSON.map(msgspec.json.encode),
    st.tuples(st.sampled_from(WORDS), JSON).map(lambda one: statement(ABOUT, *one)),
    st.tuples(st.sampled_from(WORDS), JSON).map(lambda one: bundle(statement(ABOUT, *one))),
)
TYPES = (IN_TOTO, BUNDLE, DSSE, BILL, CYCLONE, "")


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("any"), [])


@given(data=DOCUMENTS, media_type=st.sampled_from(TYPES), predicate=st.sampled_from(("", *WORDS)), way=st.booleans())
@examples(max_examples=150, deadline=None)
def test_whatever_is_attached_is_read_or_told(
    layout: Path, data: bytes, media_type: str, predicate: str, way: bool
) -> None:
    (layout / blob(digest(data))).write_bytes(data)
    found = Attachment(
        AttachmentKind.SBOM if way else AttachmentKind.OTHER, digest(data), media_type, predicate, subject=ABOUT,
        found_by="referrers",
    )  # fmt: skip
    with open_image("oci", layout) as source:
        result = room._read_all(source.layout, Image("x", ABOUT), (found,))
    assert len(result.attachments) == 1
    assert all(problem.gravity is Gravity.NOTE for problem in result.problems)
    msgspec.json.encode(result)


def test_an_old_archive_has_no_digest_to_ask_about(world: World) -> None:
    path = image(world.folder, [LAYER], form="docker-archive-old", name="old.tar")
    with open_image("docker-archive", path) as source:
        assert look(source, world.settings.cache) == Attached()
