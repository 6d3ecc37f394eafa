"""A containerd that answers as it should, badly, or not at all: what `open` and `running` make of it."""

import errno
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.model.artifact import Platform
from holdfast.model.errors import (
    AuthError,
    HoldfastError,
    InputError,
    LimitError,
    NotFound,
    PrivilegeError,
    SourceError,
)
from holdfast.oci.attachment import attachments
from holdfast.oci.image import ImageSource
from holdfast.runtime.containerd import channel, content
from holdfast.runtime.containerd.engine import Containerd
from holdfast.runtime.containerd.protobuf import Message, encode
from holdfast.transport.deadline import Deadline
from runtime.containerd.fake import (
    Answer,
    Fake,
    digest,
    documents,
    fake,
    image_record,
    info,
    refuse,
    store,
)
from world import layer

LAYER = layer({"etc/os-release": "ID=debian\n"})
APP, APP_CONFIG = documents(LAYER)
LIST = "images.v1.Images/List"
INFO, READ = "content.v1.Content/Info", "content.v1.Content/Read"
NAME = "docker.io/library/app:latest"


def an_image(**others: Answer) -> dict[str, Answer]:
    """A containerd that has one image."""
    return store(APP, APP_CONFIG, LAYER, **{LIST: image_record(NAME, APP), **others})


def opened(it: Fake, name: str = "app", platform: Platform | None = None) -> tuple[Containerd, ImageSource]:
    engine = Containerd(it.address)
    return engine, engine.open(name, platform)


def read(source: ImageSource) -> tuple[bool, list[str], list[str]]:
    """Whether its first layer is verified, the codes of its problems, and what of it is not as promised."""
    with source.open_layer(0) as stream:
        stream.drain()
        problems = [problem.code for problem in stream.problems]
        return stream.verified, problems, [mismatch.what for mismatch in stream.integrity]


def test_an_image_is_read_from_the_content_store() -> None:
    with fake(an_image()) as it, Containerd(it.address) as engine, engine.open("app") as source:
        assert source.image.reference == "containerd:app"
        assert (source.image.digest, source.image.config_digest) == (digest(APP), digest(APP_CONFIG))
        assert (source.problems, source.integrity) == ([], [])
        assert read(source) == (True, [], [])
        assert {namespace for method, namespace, _ in it.asked if not method.startswith("namespaces")} == {"default"}


def test_only_what_reads_is_asked() -> None:
    with fake(an_image()) as it, Containerd(it.address) as engine, engine.open("app") as source:
        read(source)
        engine.running()
        assert {method.partition("/")[2] for method, _, _ in it.asked} <= {"List", "Info", "Read", "Get", "Stat"}


def test_stored_bytes_have_no_identity_that_could_be_trusted() -> None:
    """Nothing that containerd tells changes when its files are changed under it: they are hashed at every scan."""
    with fake(an_image()) as it, Containerd(it.address) as engine, engine.open("app") as source:
        assert source.identity(0) == ""
        assert source.stored_digest(0) == digest(LAYER)


def test_what_cosign_attached_is_found_by_its_name() -> None:
    statement = b"{}"
    signature, config = documents(statement)
    tag = f"docker.io/library/app:{digest(APP).replace(':', '-')}.att"
    listed = image_record(NAME, APP) + image_record(tag, signature)
    with fake(store(APP, APP_CONFIG, LAYER, signature, config, **{LIST: listed})) as it:
        engine, source = opened(it)
        with engine, source:
            found, problems = attachments(source.layout, source.image.digest)
            assert [(one.digest, one.manifest, one.found_by) for one in found] == [
                (digest(statement), digest(signature), "tag")
            ]
            assert problems == ()


def test_grpc_is_imported_for_a_containerd_only() -> None:
    code = "import sys, holdfast.runtime.containerd.engine; print('grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"


def test_a_large_blob_is_read_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_PIECE_BYTES", 3000)
    with fake(an_image()) as it, Containerd(it.address) as engine, engine.open("app") as source:
        assert read(source) == (True, [], [])
        asked = [Message(request) for method, _, request in it.asked if method == READ]
        pieces = [(one.integer(2), one.integer(3)) for one in asked if one.text(1) == digest(LAYER)]
        assert pieces == [(0, 3000), (3000, 3000), (6000, 3000), (9000, len(LAYER) - 9000)]


def test_a_stream_that_is_given_up_is_cancelled() -> None:
    def endless(request: bytes, context: Any) -> Iterator[bytes]:
        while context.is_active():
            yield encode((2, b"\0" * 500_000))

    huge = {"content.v1.Content/Info": info(LAYER, 1 << 39)}
    with fake(store(LAYER, **huge, **{READ: endless})) as it, Containerd(it.address) as engine:
        chunks = content.ContentLayout(engine._channel, ["default"]).chunks(f"blobs/{digest(LAYER).replace(':', '/')}")
        assert next(chunks)
        chunks.close()  # type: ignore[attr-defined]
        assert it.cancelled.wait(10)


def layer_is(**answers: Answer) -> dict[str, Answer]:
    """A containerd whose answers about the layer's blob are others."""
    normal = an_image()

    def choose(method: str) -> Callable[[bytes, Any], Any]:
        def unary(request: bytes, context: Any) -> Any:
            is_layer = Message(request).text(1) == digest(LAYER)
            answer = answers[method] if is_layer and method in answers else normal[method]
            return answer if isinstance(answer, bytes) else answer(request, context)

        return unary

    def stream(request: bytes, context: Any) -> Iterator[bytes]:
        found = choose("read")(request, context)
        yield from [found] if isinstance(found, bytes) else found

    normal |= {"info": normal[INFO], "read": normal[READ]}
    return {**normal, INFO: choose("info"), READ: stream}


def endless(_request: bytes, context: Any) -> Iterator[bytes]:
    while context.is_active():
        yield encode((2, b"\0" * 4096))


def empty_ones(_request: bytes, context: Any) -> Iterator[bytes]:
    while context.is_active():
        yield b""


def short(_request: bytes, _context: Any) -> Iterator[bytes]:
    yield encode((2, LAYER[:5000]))


def other_bytes(_request: bytes, _context: Any) -> Iterator[bytes]:
    yield encode((2, LAYER[:-1] + b"!"))


def broken(_request: bytes, context: Any) -> Iterator[bytes]:
    yield encode((2, LAYER[:5000]))
    context.abort(channel._library().StatusCode.DATA_LOSS, "disk \x1b[31m broken")


def huge(_request: bytes, _context: Any) -> Iterator[bytes]:
    yield encode((2, b"\0" * (channel.MESSAGE_BYTES + 1)))


@pytest.mark.parametrize(
    ("answers", "problems", "mismatches"),
    [
        ({"read": endless}, ["layer.unreadable"], []),
        ({"read": empty_ones}, ["layer.unreadable"], []),
        ({"read": short}, [], ["blob digest", "blob size", "diff ID"]),  # as a file that is cut
        ({"read": other_bytes}, [], ["blob digest", "diff ID"]),
        ({"read": broken}, ["layer.unreadable"], []),
        ({"read": huge}, ["layer.unreadable"], []),
        ({"read": b"\xff"}, ["layer.unreadable"], []),
        ({"read": encode((2, 5))}, ["layer.unreadable"], []),
        ({"read": refuse("NOT_FOUND")}, ["layer.missing"], []),
        ({"info": refuse("NOT_FOUND")}, ["layer.missing"], []),
        ({"info": info(APP)}, ["layer.unreadable"], []),
        ({"info": info(LAYER, -1)}, ["layer.unreadable"], []),
        ({"info": info(LAYER, 1 << 60)}, ["layer.unreadable"], []),
        ({"info": b""}, ["layer.unreadable"], []),
        ({"info": info(LAYER, 0)}, [], ["blob digest", "blob size", "diff ID"]),
    ],
)
def test_bad_answers_about_a_layer_are_its_problem(
    answers: dict[str, Answer], problems: list[str], mismatches: list[str]
) -> None:
    with fake(layer_is(**answers)) as it:
        engine, source = opened(it)
        with engine, source:
            assert source.problems == []
            verified, found, differing = read(source)
            assert (verified, found, differing) == (False, problems, mismatches)


def test_a_layer_that_was_thrown_away_says_why() -> None:
    with fake(layer_is(info=refuse("NOT_FOUND"))) as it:
        engine, source = opened(it)
        with engine, source, source.open_layer(0) as stream:
            (problem,) = stream.problems
            assert problem.code == "layer.missing"
            assert "discard_unpacked_layers" in problem.remedy
            assert "other platforms" in problem.remedy


def test_a_manifest_that_is_not_what_its_digest_says() -> None:
    changed = APP.replace(b'"layers"', b'"layers" ')

    def read_changed(request: bytes, context: Any) -> Iterator[bytes]:
        yield encode((2, changed if Message(request).text(1) == digest(APP) else APP_CONFIG))

    answers = an_image(**{READ: read_changed})
    about = answers[INFO]
    assert callable(about)
    answers[INFO] = lambda request, context: (
        info(changed, named=digest(APP)) if Message(request).text(1) == digest(APP) else about(request, context)
    )
    with fake(answers) as it:
        engine, source = opened(it)
        with engine, source:
            assert {mismatch.what for mismatch in source.integrity} == {"manifest digest", "manifest size"}


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (b"\xff\xff", InputError, "containerd's messages"),
        (encode((1, 7)), InputError, "is a number"),
        (encode((1, b"\x0b")), InputError, "unknown type"),
        (encode((1, encode((1, b"\xff")))), InputError, "UTF-8"),
        (b"\x08\x01" * 200_001, LimitError, "fields"),
        (b"\0" * ((16 << 20) + 1), LimitError, "sends too much"),
        (refuse("UNIMPLEMENTED"), InputError, "does not speak"),
        (refuse("PERMISSION_DENIED"), AuthError, "refuses"),
        (refuse("INVALID_ARGUMENT"), InputError, "does not understand"),
        (refuse("INTERNAL", "\x1b[31mred\n" * 200), SourceError, "red"),
        (refuse("UNAVAILABLE"), SourceError, "broke off"),
    ],
)
def test_bad_answers_to_what_is_there(answer: Answer, error: type[HoldfastError], words: str) -> None:
    with fake({LIST: answer}) as it, Containerd(it.address) as engine:
        with pytest.raises(error, match=words) as caught:
            engine.open("app")
        assert "\x1b" not in str(caught.value)
        assert len(str(caught.value)) < 600
        assert caught.value.where


@pytest.mark.parametrize(
    "names", [["a\nb"], ["\x1b"], [""], ["a b"], ["é"], ["a" * 77], [f"n{number}" for number in range(1001)]]
)
def test_namespaces_that_cannot_be(names: list[str]) -> None:
    listed = encode(*((1, encode((1, name), (9, 1))) for name in names))
    answers: dict[str, Answer] = {"namespaces.v1.Namespaces/List": listed}
    with fake(answers) as it, Containerd(it.address) as engine, pytest.raises(InputError, match="namespaces"):
        engine.running()


def test_silence_ends_at_the_deadline() -> None:
    def silent(_request: bytes, context: Any) -> bytes:
        while context.is_active():
            time.sleep(0.01)
        return b""

    with fake({LIST: silent}) as it, Containerd(it.address, deadline=Deadline.after(0.5)) as engine:
        with pytest.raises(SourceError, match="in time"):
            engine.open("app")
        with pytest.raises(LimitError, match="time"):
            engine.running()


def test_a_flood_of_containers_is_refused() -> None:
    tasks = encode((1, encode((1, "x"), (4, 2)))) * 10_001
    answers: dict[str, Answer] = {"tasks.v1.Tasks/List": tasks}
    with fake(answers) as it, Containerd(it.address) as engine, pytest.raises(LimitError, match="containers"):
        engine.running()


def test_nobody_listens() -> None:
    with fake() as it:
        pass
    with Containerd(it.address) as engine, pytest.raises(SourceError, match="does not listen") as caught:
        engine.open("app")
    assert not isinstance(caught.value, NotFound)


def test_a_containerd_that_went_away_is_not_one_that_has_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "probe", lambda _path: errno.ENOENT)
    with fake(layer_is(info=refuse("UNAVAILABLE"))) as it:
        engine, source = opened(it)
        with engine, source:
            assert read(source) == (False, ["layer.unreadable"], [])
    tasks = encode((1, encode((1, "x"), (4, 2))))
    answers: dict[str, Answer] = {"tasks.v1.Tasks/List": tasks, "containers.v1.Containers/Get": refuse("UNAVAILABLE")}
    with fake(answers) as it, Containerd(it.address) as engine, pytest.raises(SourceError, match="does not listen"):
        engine.running()


def test_a_closed_engine_says_so() -> None:
    with fake(an_image()) as it:
        engine, source = opened(it)
        engine.close()
        with pytest.raises(SourceError, match="closed"):
            engine.running()
        assert read(source) == (False, ["layer.unreadable"], [])


def test_a_user_who_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "probe", lambda _path: errno.EACCES)
    with fake({LIST: refuse("UNAVAILABLE")}) as it, Containerd(it.address) as engine:
        with pytest.raises(PrivilegeError, match="may not") as caught:
            engine.open("app")
        assert caught.value.remedy == "run holdfast as root"


@pytest.mark.parametrize(
    "address", ["", "tcp://127.0.0.1:1", "containerd.sock", "unix://", "/a\0b", "/" + "x" * 108, "/\ud800"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InputError):
        Containerd(address)


def test_an_address_never_shows_a_password() -> None:
    with pytest.raises(InputError) as caught:
        Containerd("tcp://me:secret@host:1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("namespace", ["", "a/b", "a\nb", "-a", "a" * 77])
def test_what_is_no_namespace(namespace: str) -> None:
    with pytest.raises(InputError, match="namespace"):
        Containerd("/run/s", namespaces=[namespace])


def test_without_grpcio_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(SourceError) as caught:
        Containerd("/run/containerd/containerd.sock")
    assert caught.value.remedy == "pip install 'holdfast[containerd]'"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_it_answers_is_an_image_or_an_error(data: st.DataObject, mutable: "tuple[Fake, Containerd]") -> None:
    """Answers mutated anywhere: never anything but HoldfastError, or an image with problems."""
    it, engine = mutable
    whole = data.draw(st.binary(max_size=60)), data.draw(st.integers(0, 400)), data.draw(st.integers(0, 4))

    def mutated(answer: Answer, number: int) -> Answer:
        def answering(request: bytes, context: Any) -> Any:
            sent = answer if isinstance(answer, bytes) else answer(request, context)
            if number != whole[2]:
                return sent
            if isinstance(sent, bytes):
                return sent[: whole[1]] + whole[0] + sent[whole[1] + len(whole[0]) :]
            return (one[: whole[1]] + whole[0] + one[whole[1] + len(whole[0]) :] for one in sent)

        return answering

    normal = an_image(**{
        "namespaces.v1.Namespaces/List": encode((1, encode((1, "default")))),
        "tasks.v1.Tasks/List": encode((1, encode((1, "x"), (4, 2)))),
        "containers.v1.Containers/Get": encode((1, encode((1, "x"), (3, NAME)))),
    })  # fmt: skip
    it.answers = {
        method: mutated(answer, number)
        for number, (method, answer) in enumerate(normal.items())
        if method != "content.v1.Content/List"
    } | {"content.v1.Content/List": b""}
    for use in (lambda: read(engine.open("app")), engine.running):
        try:
            use()
        except HoldfastError:
            continue


@pytest.fixture
def mutable() -> Iterator[tuple[Fake, Containerd]]:
    with fake() as it, Containerd(it.address) as engine:
        yield it, engine
