"""What a survey is to look at: images by their names, in the order in which they are found."""

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from holdfast.model.status import Problem
from holdfast.scan.plan import Plan


class Candidate(Struct, frozen=True):
    """One name of an image, and how it is opened. `digest` is what a registry has it by; empty where that is not known.

    `identity` is what else makes two names one image; `containers` are those that run it, as `engine:name`.
    """

    plan: Plan
    digest: str = ""
    identity: str = ""
    containers: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The same for all names of one image, as far as that is known before it is opened."""
        return self.digest or self.identity or self.name

    @property
    def name(self) -> str:
        """What people call it."""
        return self.plan.name


class Candidates(Protocol):
    """Where candidates come from. What could not be listed is in `problems`; several of them may be one image."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What went wrong so far."""

    def __iter__(self) -> Iterator[Candidate]:
        """Each name, once. Raises HoldfastError where nothing at all can be listed."""
