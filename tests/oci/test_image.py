"""An open image: what its layers may cost together, and what tells that one of them is still the same."""

import hashlib
from pathlib import Path

from holdfast.model.artifact import Image, Layer
from holdfast.oci.budget import ImageBudget
from holdfast.oci.image import ImageSource, StoredLayer
from holdfast.oci.layout import DirectoryLayout
from holdfast.oci.open import open_image
from world import compress, digest, image, layer

MIB = 1 << 20


def source(where: Path, names: list[str], digests: list[str], budget: ImageBudget) -> ImageSource:
    layers = [Layer("", one) for one in digests]
    stored = [StoredLayer(one, name) for one, name in zip(layers, names, strict=True)]
    return ImageSource(Image("test", layers=tuple(layers)), stored, DirectoryLayout(where), budget, [], [])


def read_all(one: ImageSource) -> tuple[int, list[str]]:
    """The inflated bytes of all layers, and the codes of their problems."""
    total, codes = 0, []
    for number in range(len(one.image.layers)):
        with one.open_layer(number) as stream:
            stream.drain()
        total += stream.inflated
        codes += [problem.code for problem in stream.problems]
    return total, codes


def test_a_blob_that_is_listed_many_times_earns_its_image_no_larger_allowance(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(compress(bytes(4 * MIB), "gzip"))
    budget = ImageBudget(inflated_bytes=4 * MIB, ratio=1, image_factor=2)
    with source(tmp_path, ["blob"] * 50, [""] * 50, budget) as one:
        total, codes = read_all(one)
    assert total <= 8 * MIB
    assert codes == ["layer.too-large"] * 49


def test_a_blob_that_inflates_to_little_is_not_read_a_thousand_times_either(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(bytes(MIB))
    budget = ImageBudget(inflated_bytes=MIB, ratio=1, image_factor=8)
    with source(tmp_path, ["blob"] * 50, [""] * 50, budget) as one:
        assert read_all(one) == (8 * MIB, ["layer.too-large"] * 42)


def test_the_same_small_layer_may_be_there_many_times(tmp_path: Path) -> None:
    with open_image("oci", image(tmp_path, [layer({})] * 100)) as one:
        assert read_all(one)[1] == []


def test_stored_bytes_are_told_by_the_algorithm_that_the_layer_was_promised_with(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"stored")
    promised = ["sha512:" + hashlib.sha512(b"stored").hexdigest(), digest(b"stored"), ""]
    with source(tmp_path, ["blob"] * 3, promised, ImageBudget()) as one:
        assert [one.stored_digest(number) for number in range(3)] == [*promised[:2], digest(b"stored")]
