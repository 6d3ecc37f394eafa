"""Where the base ends: option before label before registration before history, and unknown otherwise."""

from holdfast.model.artifact import History, Image, Layer, Side
from holdfast.model.report import Base
from holdfast.scan.boundary import BASE_DIGEST, BASE_NAME, RegisteredBase, boundary, side_of

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
BASE_MANIFEST = "sha256:" + "1" * 64


def an_image(*diff_ids: str, history: tuple[History, ...] = (), labels: dict[str, str] | None = None) -> Image:
    layers = tuple(Layer(diff_id) for diff_id in diff_ids)
    return Image("image", layers=layers, history=history, labels=labels or {})


def line(created_by: str, *, empty: bool = False) -> History:
    return History(created_by, empty=empty)


DEBIAN = RegisteredBase("debian:12", (A,), BASE_MANIFEST)
PYTHON = RegisteredBase("python:3.12", (A, B))


def test_the_option_decides_where_its_layers_begin_the_image() -> None:
    base, problems = boundary(an_image(A, B, C), option=PYTHON, registered=[DEBIAN])
    assert base == Base(2, "option", "python:3.12")
    assert problems == ()


def test_an_option_that_is_not_beneath_the_image_is_said_and_leaves_the_boundary_unknown() -> None:
    base, problems = boundary(an_image(C, A), option=DEBIAN, registered=[])
    assert base.decided_by == ""
    assert [problem.code for problem in problems] == ["base.not-a-prefix"]


def test_a_label_counts_where_the_base_it_names_is_known_and_beneath() -> None:
    labels = {BASE_DIGEST: BASE_MANIFEST, BASE_NAME: "docker.io/library/debian:12"}
    base, problems = boundary(an_image(A, B), option=None, registered=[DEBIAN, PYTHON])
    assert base.decided_by == "registered"
    base, problems = boundary(an_image(A, B, labels=labels), option=None, registered=[DEBIAN, PYTHON])
    assert base == Base(1, "label", "debian:12", BASE_MANIFEST)
    assert problems == ()


def test_a_lying_label_is_said_and_does_not_count() -> None:
    base, problems = boundary(an_image(B, C, labels={BASE_DIGEST: BASE_MANIFEST}), option=None, registered=[DEBIAN])
    assert base.decided_by == ""
    assert [problem.code for problem in problems] == ["base.not-a-prefix"]


def test_a_label_that_cannot_be_verified_gives_a_name_and_no_boundary() -> None:
    base, _ = boundary(an_image(A, B, labels={BASE_DIGEST: BASE_MANIFEST, BASE_NAME: "x"}), option=None, registered=[])
    assert base == Base(0, "", "x", BASE_MANIFEST)


def test_of_several_registered_bases_the_one_with_most_layers_is_meant() -> None:
    base, _ = boundary(an_image(A, B, C), option=None, registered=[DEBIAN, PYTHON])
    assert (base.layers, base.name) == (2, "python:3.12")


def test_history_ends_the_base_at_the_last_command_that_a_layer_follows() -> None:
    history = (
        line("ADD file:1 in /"), line('/bin/sh -c #(nop)  CMD ["bash"]', empty=True),
        line("RUN apt-get install python3"), line('CMD ["python3"]', empty=True),
        line("COPY app /srv"), line('CMD ["app"]', empty=True),
    )  # fmt: skip
    base, _ = boundary(an_image(A, B, C, history=history), option=None, registered=[])
    assert (base.layers, base.decided_by) == (2, "history")


def test_history_without_a_command_between_layers_says_nothing() -> None:
    history = (line("ADD file:1 in /"), line("RUN echo CMD"), line('CMD ["app"]', empty=True))
    base, _ = boundary(an_image(A, B, history=history), option=None, registered=[])
    assert base.decided_by == ""


def test_sides_follow_the_boundary() -> None:
    assert [side_of(Base(1, "history"), index) for index in range(2)] == [Side.BASE, Side.APPLICATION]
    assert side_of(Base(), 0) is Side.UNKNOWN
