"""What engines answer, whatever it is: an image in our words, or one of our errors."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from holdfast.model.artifact import Image
from holdfast.model.errors import HoldfastError
from holdfast.oci.budget import IMAGE_BUDGET
from holdfast.oci.manifest import parse
from holdfast.runtime.docker.document import Container, HistoryItem, Inspection, history_of, image_of
from holdfast.runtime.engine import Running
from holdfast.runtime.podman.document import LibpodInspection

_TEXT = some.text(max_size=12) | some.sampled_from(["sha256:" + "a" * 64, "linux", "amd64", "2024-01-01T00:00:00Z", ""])
_ANY = some.recursive(
    some.none() | some.booleans() | some.integers(-(1 << 70), 1 << 70) | some.floats() | _TEXT,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_MEMBERS = (
    "Id", "RepoDigests", "Created", "CreatedBy", "Comment", "Size", "Config", "Os", "Architecture", "Variant", "RootFS",
    "Descriptor", "Digest", "History", "Names", "Image", "ImageID", "Labels", "ImageManifestDescriptor",
)  # fmt: skip
_SHAPED = {
    "Id": _TEXT, "Os": some.just("linux"), "Architecture": some.just("amd64"),
    "RepoDigests": some.lists(_TEXT, max_size=3),
    "RootFS": some.fixed_dictionaries({"Layers": some.lists(_TEXT, max_size=3)}),
}  # fmt: skip
_OBJECTS = some.dictionaries(some.sampled_from(_MEMBERS), _ANY, max_size=6)
_SAID = some.builds(lambda shaped, odd: shaped | odd, some.fixed_dictionaries(_SHAPED), _OBJECTS) | _OBJECTS
_BYTES = some.binary(max_size=60) | _SAID.map(lambda said: json.dumps(said).encode(errors="replace"))


@pytest.mark.parametrize("kind", [Inspection, LibpodInspection])
@given(data=_BYTES)
def test_any_inspection_is_an_image_or_one_of_our_errors(kind: type[Inspection], data: bytes) -> None:
    try:
        inspection = parse(data, kind, "engine")
        history = inspection.history if isinstance(inspection, LibpodInspection) else ()
        image, _ = image_of("engine:app", inspection, history, IMAGE_BUDGET)
    except HoldfastError:
        return
    assert isinstance(image, Image)
    assert all(layer.diff_id.startswith("sha") for layer in image.layers)


@given(some.lists(_SAID, max_size=4), some.integers(0, 4))
def test_any_history_has_as_many_lines_as_were_sent(said: list[object], layers: int) -> None:
    try:
        items = parse(json.dumps(said).encode(errors="replace"), list[HistoryItem], "engine")
    except HoldfastError:
        return
    assert len(history_of(items, layers)) == len(said)


@given(_BYTES)
def test_any_container_is_one_in_our_words_or_one_of_our_errors(data: bytes) -> None:
    try:
        container = parse(data, Container, "engine")
    except HoldfastError:
        return
    assert isinstance(container.running("docker"), Running)
