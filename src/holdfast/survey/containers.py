"""The images that run on this host, as its engines tell."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from holdfast.model.errors import HoldfastError
from holdfast.model.status import Gravity, Problem
from holdfast.scan.plan import Plan
from holdfast.survey.candidate import Candidate

if TYPE_CHECKING:
    from holdfast.runtime.engine import Engine, Running

_DOCKERS_NAMESPACE = "moby"
_SHORT = 12


class Containers:
    """A candidate for every running container. An engine that cannot be asked is a problem.

    What Docker runs through containerd shows in containerd's namespace `moby` too: there it is left out, if Docker
    itself has answered.
    """

    def __init__(self, engines: Iterable["Engine"]) -> None:
        self._engines = tuple(engines)
        self._problems: list[Problem] = []
        self._answered: set[str] = set()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Which engines could not be asked: that is everything, where none of them answered."""
        gravity = Gravity.PARTIAL if self._answered else Gravity.FAILED
        return tuple(replace(problem, gravity=gravity) for problem in self._problems)

    def __iter__(self) -> Iterator[Candidate]:
        # Docker before containerd: what the latter is asked for depends on whether the former has answered.
        for engine in sorted(self._engines, key=lambda engine: engine.name == "containerd"):
            try:
                running = engine.running()
            except HoldfastError as error:
                where = error.where or engine.name
                message = f"{engine.name} does not tell what runs: {error.what}"
                self._problems.append(Problem("engine.unreadable", message, where=where, remedy=error.remedy))
                continue
            self._answered.add(engine.name)
            for container in running:
                is_dockers = engine.name == "containerd" and container.namespace == _DOCKERS_NAMESPACE
                if not (is_dockers and "docker" in self._answered):
                    yield _candidate(engine, container)


def _candidate(engine: "Engine", container: "Running") -> Candidate:
    reference = container.image_id or container.digest or container.image
    name = container.image or f"{engine.name}:{reference.rpartition(':')[2][:_SHORT]}"
    label = container.name or container.id[:_SHORT]
    if container.namespace not in ("", "default"):
        label = f"{container.namespace}/{label}"
    # The same words may name another image in another engine.
    identity = f"{engine.name} {container.namespace} {reference}"
    return Candidate(
        Plan(name, engine.name, reference=reference), identity=identity, containers=(f"{engine.name}:{label}",)
    )
