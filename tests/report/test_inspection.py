"""An inspection on a terminal and as JSON: whatever an image says of itself, it is shown and not obeyed."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.artifact import Attachment, AttachmentKind, History, Image, Layer, Platform, Provenance
from holdfast.model.inspection import SCHEMA, Inspection, Offered
from holdfast.model.status import Gravity, Problem
from holdfast.report.inspection import schema_text, size, write
from holdfast.report.text import columns
from holdfast.report.writer import encode
from report.reports import digest

PUBLISHED = Path(__file__).parents[2] / "docs" / "inspection.schema.json"
SPDX, SLSA = "https://spdx.dev/Document", "https://slsa.dev/provenance/v1"


def attachment(kind: str, name: str = "", **fields: Any) -> Attachment:
    given = {"media_type": "application/vnd.in-toto+json", "size": 4096, "found_by": "index", **fields}
    return Attachment(AttachmentKind(kind), digest(name or kind), **given)


FULL = Inspection(
    SCHEMA,
    "registry.example.org/team/shop:1.4",
    Image(
        "registry.example.org/team/shop:1.4", digest("manifest"), digest("config"), digest("index"),
        Platform("linux", "amd64"),
        (
            Layer(digest("d1"), digest("l1"), size=29_124_181, created_by="ADD rootfs.tar.xz / # buildkit"),
            Layer(digest("d2"), digest("l2"), size=999_950, created_by="RUN apt-get update && apt-get install curl"),
        ),
        (History("ADD rootfs.tar.xz /"), History('CMD ["bash"]', empty=True), History("RUN apt-get")),
        {"org.opencontainers.image.source": "https://example.org/shop", "a": "b"},
        {}, "2026-01-02T03:04:05Z", "nobody",
    ),
    "application/vnd.oci.image.manifest.v1+json",
    (Offered(Platform("linux", "amd64"), digest("manifest")), Offered(Platform("linux", "arm64", "v8"), "", 7)),
    (
        attachment("sbom", predicate_type=SPDX), attachment("provenance", predicate_type=SLSA, signed=True),
        attachment("signature", media_type="application/vnd.cncf.notary.signature", found_by="referrers"),
    ),
    {digest("provenance"): Provenance("https://b", "t", "https://example.org/shop", "cafe", (("pkg:a", "sha256:1"),))},
    (Problem("attachment.unread", "a note", Gravity.NOTE), Problem("x.y", "something is missing", where="z")),
)  # fmt: skip


def lines(inspection: Inspection, width: int = 80) -> list[str]:
    return write(inspection, width=width).splitlines()


def with_image(**fields: Any) -> Inspection:
    return Inspection(SCHEMA, "x", Image("x", **fields))


def test_it_is_read_at_eighty_columns() -> None:
    assert lines(FULL) == [
        "registry.example.org/team/shop:1.4",
        f"manifest {digest('manifest')}",
        f"index    {digest('index')}",
        f"config   {digest('config')}",
        "type     application/vnd.oci.image.manifest.v1+json",
        "platform linux/amd64",
        "created  2026-01-02T03:04:05Z",
        "user     nobody",
        "offers   linux/amd64, linux/arm64/v8",
        "",
        "LAYERS  2 layers, 30.1 MB as stored",
        f"   1  {digest('l1')[7:19]}   29.1 MB  ADD rootfs.tar.xz / # buildkit",
        f"   2  {digest('l2')[7:19]}    1.0 MB  RUN apt-get update && apt-get install curl",
        "",
        "HISTORY  lines that made no layer",
        '  CMD ["bash"]',
        "",
        "LABELS",
        "  a=b",
        "  org.opencontainers.image.source=https://example.org/shop",
        "",
        "ATTACHED  3",
        f"  sbom       {digest('sbom')[7:19]}    4.1 kB  {SPDX}",
        f"  provenance {digest('provenance')[7:19]}    4.1 kB  {SLSA}",
        "      in a signed envelope: the signature was not checked",
        "      built from https://example.org/shop cafe",
        "      built by https://b",
        "      with pkg:a sha256:1",
        f"  signature  {digest('signature')[7:19]}    4.1 kB  application/vnd.cncf.notary.signature",
        "",
        "  a note",
        "  ! something is missing: z",
    ]


def test_what_is_not_known_is_not_written() -> None:
    assert lines(with_image()) == [
        "x", "user     root (none is set)", "", "LAYERS  0 layers", "", "ATTACHED  nothing was found",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (7_400_000, "7.4 MB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"),
        (3 * 10**9, "3.0 GB"), (10**18, "1000000.0 TB"),
    ],
)  # fmt: skip
def test_sizes_count_as_registries_do(count: int, shown: str) -> None:
    assert size(count) == shown


def test_a_blob_that_is_listed_twice_is_stored_once() -> None:
    one = Layer(digest("d"), digest("l"), size=1000)
    assert "LAYERS  3 layers, 1.0 kB" in write(with_image(layers=(one, one, Layer("", "", size=-1))))


class TestBounds:
    def test_ten_thousand_of_everything(self) -> None:
        many = range(10_000)
        image = Image(
            "x", labels={f"label-{number}": "v" for number in many}, layers=(Layer("", digest("l"), size=1),) * 10_000,
            history=(History("ENV a=b", empty=True),) * 10_000,
        )  # fmt: skip
        attached = tuple(attachment("provenance", str(number)) for number in many)
        said = {one.digest: Provenance(materials=(("pkg:a", "sha256:1"),) * 10_000) for one in attached}
        offers = (Offered(Platform("linux", "amd64"), digest("a")),) * 10_000
        found = lines(Inspection(SCHEMA, "x", image, "", offers, attached, said))
        assert len(found) < 1000
        assert "  … and 9,980 more" in found, "labels"
        assert "  … and 9,850 more" in found, "layers"
        assert "linux/amd64 and 9,980 more" in " ".join(" ".join(found).split()), "platforms"

    def test_names_of_ten_thousand_characters(self) -> None:
        long = "n" * 10_000
        image = Image(long, labels={long: long}, layers=(Layer("", long, created_by=long),), created=long, user=long)
        attached = (attachment("other", media_type=long), attachment("provenance", predicate_type=long))
        said = {attached[1].digest: Provenance(long, long, long, long, ((long, long),))}
        found = lines(Inspection(SCHEMA, long, image, long, (), attached, said, (Problem("x.y", long, where=long),)))
        assert len(found) < 60
        assert max(map(columns, found)) <= 80


FOREIGN = st.text(alphabet=st.sampled_from("a\x1b[]0;m\x07\r\n\t\x9b\u202e\u200b漢é\udcff"), max_size=30)


@settings(max_examples=100, deadline=None)
@given(FOREIGN, FOREIGN, st.integers(60, 140))
def test_foreign_text_reaches_the_terminal_as_text(key: str, value: str, width: int) -> None:
    image = Image(
        value, value, value, value, Platform(key, value), (Layer(value, value, size=-5, created_by=value),),
        (History(value, empty=True),), {key: value}, {}, value, value,
    )  # fmt: skip
    attached = (attachment("other", media_type=value, predicate_type=key), Attachment(AttachmentKind.VEX, value))
    said = {value: Provenance(key, value, key, value, ((key, value),))}
    offers = (Offered(Platform(value, key), value),)
    problems = (Problem("x.y", value, where=key),)
    inspection = Inspection(SCHEMA, value, image, value, offers, attached, said, problems)
    for line in write(inspection, width=width).split("\n"):
        assert line.isprintable()
        assert columns(line) <= width
    jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text())).validate(json.loads(encode(inspection)))


class TestJson:
    def test_the_published_schema_is_up_to_date(self) -> None:
        how = "print(holdfast.report.inspection.schema_text(), end='') into docs/inspection.schema.json"
        assert PUBLISHED.read_text() == schema_text(), f"the model has changed; write the schema again: {how}"

    @pytest.mark.parametrize("inspection", [FULL, with_image()])
    def test_inspections_are_valid_by_it(self, inspection: Inspection) -> None:
        schema = json.loads(PUBLISHED.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        document = json.loads(encode(inspection))
        jsonschema.Draft202012Validator(schema).validate(document)
        assert next(iter(document.items())) == ("schema", "holdfast.inspection/1")
        assert list(document) == list(json.loads(encode(FULL)))

    def test_another_schema_is_refused(self) -> None:
        document = json.loads(encode(FULL)) | {"schema": "holdfast.inspection/2"}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text())).validate(document)


def test_an_engines_image_has_no_stored_sizes() -> None:
    shown = lines(with_image(layers=(Layer("sha256:" + "a" * 64, created_by="ADD rootfs /"),)))
    assert "LAYERS  1 layer" in shown
    assert not any(" B " in line for line in shown)
    assert shown[-1].startswith("ATTACHED  not known")
