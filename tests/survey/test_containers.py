"""Given engines, then the images of what they run, each once, with the containers that run it."""

from collections.abc import Mapping
from pathlib import Path

from holdfast.cli.progress import Meter
from holdfast.cli.running import survey_running
from holdfast.model.artifact import Platform
from holdfast.model.errors import NotFound, PrivilegeError
from holdfast.model.status import Status
from holdfast.model.survey import Survey
from holdfast.oci.open import open_image
from holdfast.oci.source import Source
from holdfast.runtime.engine import Running
from holdfast.scan.options import Wanted
from holdfast.settings import Settings
from holdfast.survey.containers import Containers
from world import image, layer


class FakeEngine:
    """An engine that runs images which lie on disk: `images` are layouts by the id they are opened by."""

    def __init__(self, name: str, *containers: Running, images: Mapping[str, Path] = {}, refuses: bool = False) -> None:
        self.name = name
        self.opened: list[str] = []
        self._containers, self._images, self._refuses = containers, images, refuses

    def running(self) -> list[Running]:
        if self._refuses:
            raise PrivilegeError("permission denied", where="/run/docker.sock", remedy="be in the group docker")
        return list(self._containers)

    def open(self, name: str, platform: Platform | None = None) -> Source:
        self.opened.append(name)
        if name not in self._images:
            raise NotFound("no such image", where=name)
        return open_image("oci", self._images[name])

    def close(self) -> None:
        return None


def runs(engine: str, name: str, of: str, **fields: str) -> Running:
    return Running(engine, f"{name}-0123456789abcdef", name, of, **({"image_id": f"sha256:{of}"} | fields))  # type: ignore[arg-type]


def survey_of(tmp_path: Path, *engines: FakeEngine) -> Survey:
    settings = Settings(tmp_path / "cache", tmp_path / "data", offline=True)
    return survey_running(engines, settings, Meter(quiet=True), wanted=Wanted(frozenset({"packages"})))


def an_image(tmp_path: Path, name: str) -> Path:
    files = {
        "etc/os-release": "ID=debian\n",
        f"srv/node_modules/{name}/package.json": f'{{"name": "{name}", "version": "1.0.0"}}',
    }
    return image(tmp_path, [layer(files)], name=name)


def test_each_image_once_with_the_containers_that_run_it(tmp_path: Path) -> None:
    images = {"sha256:app:1": an_image(tmp_path, "app"), "sha256:db:1": an_image(tmp_path, "db")}
    docker = FakeEngine(
        "docker", runs("docker", "web", "app:1"), runs("docker", "api", "app:1"), runs("docker", "db", "db:1"),
        images=images,
    )  # fmt: skip
    made = survey_of(tmp_path, docker)
    assert made.status is Status.COMPLETE
    assert {(one.name, one.containers) for one in made.images} == {
        ("app:1", ("docker:web", "docker:api")),
        ("db:1", ("docker:db",)),
    }
    assert docker.opened == ["sha256:app:1", "sha256:db:1"]
    assert [one.packages for one in made.images] == [1, 1]


def test_two_engines_with_the_same_image(tmp_path: Path) -> None:
    images = {"sha256:app:1": an_image(tmp_path, "app")}
    made = survey_of(
        tmp_path,
        FakeEngine("docker", runs("docker", "web", "app:1"), images=images),
        FakeEngine("podman", runs("podman", "web", "app:1"), images=images),
    )
    (one,) = made.images
    assert one.containers == ("docker:web", "podman:web")


def test_what_docker_answered_for_is_not_asked_of_containerd_again() -> None:
    docker = FakeEngine("docker", runs("docker", "web", "app:1"))
    inner = runs("containerd", "0123", "app:1", namespace="moby")
    pod = runs("containerd", "pod", "k:1", namespace="k8s.io")
    found = list(Containers([FakeEngine("containerd", inner, pod), docker]))
    assert [(one.plan.kind, one.containers) for one in found] == [
        ("docker", ("docker:web",)),
        ("containerd", ("containerd:k8s.io/pod",)),
    ]


def test_where_docker_did_not_answer_containerd_has_to_do() -> None:
    inner = runs("containerd", "0123", "app:1", namespace="moby")
    containers = Containers([FakeEngine("docker", refuses=True), FakeEngine("containerd", inner)])
    assert [one.plan.kind for one in containers] == ["containerd"]
    (problem,) = containers.problems
    assert problem.code == "engine.unreadable"
    assert (problem.where, problem.remedy) == ("/run/docker.sock", "be in the group docker")


def test_an_engine_that_may_not_be_asked_makes_it_partial(tmp_path: Path) -> None:
    images = {"sha256:app:1": an_image(tmp_path, "app")}
    made = survey_of(
        tmp_path,
        FakeEngine("docker", refuses=True),
        FakeEngine("podman", runs("podman", "web", "app:1"), images=images),
    )
    assert made.status is Status.PARTIAL
    assert [one.name for one in made.images] == ["app:1"]


def test_an_image_that_was_removed_under_its_container_is_a_failed_line(tmp_path: Path) -> None:
    images = {"sha256:app:1": an_image(tmp_path, "app")}
    docker = FakeEngine("docker", runs("docker", "web", "app:1"), runs("docker", "old", "gone:1"), images=images)
    made = survey_of(tmp_path, docker)
    assert made.status is Status.PARTIAL
    assert [(one.name, one.error) for one in made.images] == [("app:1", ""), ("gone:1", "no such image")]


def test_nothing_runs(tmp_path: Path) -> None:
    made = survey_of(tmp_path, FakeEngine("docker"))
    assert (made.status, made.images) == (Status.COMPLETE, ())


def test_a_container_without_a_name_or_a_named_image_is_told_by_its_ids() -> None:
    bare = Running("docker", "0123456789abcdef", "", "", image_id="sha256:fedcba9876543210")
    (one,) = Containers([FakeEngine("docker", bare)])
    assert (one.name, one.containers) == ("docker:fedcba987654", ("docker:0123456789ab",))
    assert one.plan.reference == "sha256:fedcba9876543210"


def test_where_no_engine_answers_nothing_is_known(tmp_path: Path) -> None:
    made = survey_of(tmp_path, FakeEngine("docker", refuses=True), FakeEngine("podman", refuses=True))
    assert made.status is Status.FAILED
    assert len(made.problems) == 2
