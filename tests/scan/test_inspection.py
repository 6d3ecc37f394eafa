"""An image is described from its documents alone: no layer is read, and nothing is shown that is about another one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from attached import (
    BUNDLE,
    SLSA_02,
    SLSA_1,
    SPDX,
    build,
    bundle,
    entries,
    provenance,
    read,
    refer,
    serve,
    spdx,
    statement,
)
from daemons.fake import fake
from daemons.push import INDEX
from holdfast.model.inspection import Inspection
from holdfast.scan.engines import open_secrets
from holdfast.scan.inspection import inspect
from holdfast.scan.opener import Opener
from holdfast.scan.plan import plan
from holdfast.settings import Settings
from world import OCI, blob, digest, image, index, layer, put, spec

LAYER = layer({"a": "b" * 1000})
HISTORY = ["ADD rootfs /", '#CMD ["sh"]']
PREDICATE = {"dev.sigstore.bundle.predicateType": SLSA_1}


def inspected(folder: Path, target: str | Path) -> Inspection:
    named = target if isinstance(target, str) else f"oci:{target}"
    settings = Settings(cache=folder / "cache", data=folder / "data")
    with Opener(settings, {}, folder) as opener, opener(plan(named), None) as source:
        return inspect(source, named, settings.cache, open_secrets(settings)[0])


@contextmanager
def stored(folder: Path, form: str) -> Iterator[str]:
    """The same image in one of the places where images are."""
    specs = [spec([LAYER], history=HISTORY, labels={"a": "b"}, user="nobody")]
    if form == "registry":
        layout = index(folder, [*specs, spec([LAYER], platform="linux/s390x")], nested=True)
        with fake() as it:
            yield serve(it, layout, "app:1")
    else:
        yield f"{form.removesuffix('-old')}:{index(folder, specs, form=form, name=form)}"


@pytest.mark.parametrize("form", ["registry", "oci", "oci-archive", "docker-archive", "docker-archive-old"])
def test_the_same_image_wherever_it_is(tmp_path: Path, form: str) -> None:
    with stored(tmp_path, form) as target:
        found = inspected(tmp_path, target)
    assert found.image.labels == {"a": "b"}
    assert found.image.user == "nobody"
    assert [line.empty for line in found.image.history] == [False, True]
    assert [one.diff_id for one in found.image.layers] == [digest(LAYER)]
    assert str(found.image.platform) == "linux/amd64"
    assert found.size > 0
    assert found.problems == ()
    assert found.media_type == ("" if form == "docker-archive-old" else OCI + "manifest.v1+json")
    assert [str(one.platform) for one in found.offers] == (["linux/amd64", "linux/s390x"] if form == "registry" else [])


def test_no_layer_is_fetched(tmp_path: Path) -> None:
    with fake() as it:
        target = serve(it, build(tmp_path, [LAYER], [(SPDX, spdx())]), "app:1")
        it.requests.clear()
        (one,) = inspected(tmp_path, target).image.layers
        asked = " ".join(request.path for request in it.requests)
    assert one.digest not in asked
    assert "/referrers/" in asked


def test_provenance_belongs_to_the_attachment_that_states_it(tmp_path: Path) -> None:
    old = {"builder": {"id": "old"}, "invocation": {"configSource": {"uri": "https://example.org/old"}}}
    path = build(tmp_path, [LAYER], [(SPDX, spdx()), (SLSA_1, provenance()), (SLSA_02, old)])
    refer(path, BUNDLE, lambda of: bundle(statement(of, SLSA_1, provenance("https://example.org/signed"))), **PREDICATE)
    found = inspected(tmp_path, path)
    said = [found.provenance.get(one.digest) for one in found.attachments]
    assert [one and one.source for one in said] == [
        None, "https://example.org/shop.git", "https://example.org/old", "https://example.org/signed",
    ]  # fmt: skip
    assert [one.signed for one in found.attachments] == [False, False, False, True]


@pytest.mark.parametrize("wrong", [lambda _: statement("sha256:" + "0" * 64, SLSA_1, provenance()), lambda _: b"{"])
def test_provenance_of_another_image_is_said_and_not_shown(tmp_path: Path, wrong: Any) -> None:
    path = build(tmp_path, [LAYER], [(SLSA_1, wrong), (SLSA_1, provenance())])
    found = inspected(tmp_path, path)
    assert [one.source for one in found.provenance.values()] == ["https://example.org/shop.git"]
    assert [problem.code for problem in found.problems] == ["attachment.unusable"]


def test_it_asks_anew_each_time(tmp_path: Path) -> None:
    path = build(tmp_path, [LAYER])
    with fake() as it:
        target = serve(it, path, "app:1")
        assert inspected(tmp_path, target).attachments == ()
        refer(path, "application/spdx+json", spdx())
        serve(it, path, "app:1")
        assert len(inspected(tmp_path, target).attachments) == 1


def test_ten_thousand_platforms_and_provenances(tmp_path: Path) -> None:
    path = build(tmp_path, [LAYER], [(SLSA_1, provenance(str(number))) for number in range(30)])
    inner = read(path, entries(path)[0]["digest"])
    other = {"platform": {"os": "linux", "architecture": "s390x"}, "digest": "sha256:" + "0" * 64}
    inner["manifests"] += [inner["manifests"][0] | other] * 1500
    files: dict[str, Any] = {}
    whole = put(files, json.dumps(inner).encode(), INDEX)
    (path / blob(whole["digest"])).write_bytes(files[blob(whole["digest"])])
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [whole]}))
    found = inspected(tmp_path, path)
    assert (len(found.offers), len(found.provenance)) == (200, 8)
    assert sorted(problem.code for problem in found.problems) == ["attachment.unread", "inspect.too-many"]


def test_a_damaged_document_is_a_problem(tmp_path: Path) -> None:
    path = image(tmp_path, [LAYER])
    of = entries(path)[0]["digest"]
    (path / blob(of)).write_bytes((path / blob(of)).read_bytes() + b" ")
    assert {problem.code for problem in inspected(tmp_path, path).problems} == {"image.damaged"}
