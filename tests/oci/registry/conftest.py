"""What most tests of this room talk to: a registry with one image, somebody in between, and our client of that."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemons.fake import Fake, fake
from daemons.meddler import Meddler, meddler
from holdfast.oci.registry.client import Registry
from oci.registry.clients import app, client


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Fake]:
    with fake({"app": app(tmp_path)}) as it:
        yield it


@pytest.fixture
def between(place: Fake) -> Iterator[Meddler]:
    with meddler(place) as it:
        yield it


@pytest.fixture
def ours(between: Meddler) -> Iterator[Registry]:
    with client(between.host) as it:
        yield it
