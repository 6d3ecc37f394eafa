"""Fetches the files of many feeds side by side, and waits for none of them longer than the deadline."""

import queue
import threading
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from holdfast.advisory.feed import Feed
from holdfast.advisory.record import Resource
from holdfast.model.errors import HoldfastError, LimitError, SourceError, StoreError
from holdfast.transport.client import Client, Download
from holdfast.transport.deadline import Deadline

WORKERS = 4


class Task(Struct, frozen=True):
    """One resource of a feed, and the address of the feed that has it."""

    feed: Feed
    resource: Resource
    base: str

    @property
    def address(self) -> str:
        """Where the resource is."""
        return f"{self.base.rstrip('/')}/{quote(self.resource.path)}"

    @property
    def name(self) -> str:
        """What progress calls it."""
        return f"{self.feed.name}/{self.resource.path}"


def fetch(
    tasks: Sequence[Task], client: Client, folder: Path, deadline: Deadline
) -> Iterator[tuple[Task, Download | HoldfastError]]:
    """Each task with what came of it, as they come. `folder` keeps the downloads between runs.

    The workers are daemons: name resolution cannot be interrupted, and must not hold back a command that is done.
    """
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Task, Download | HoldfastError]] = queue.SimpleQueue()
    for task in _spread(tasks):
        waiting.put(task)

    def work() -> None:
        while True:
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                return
            done.put((task, _download(task, client, folder, deadline)))

    for _ in range(min(WORKERS, len(tasks))):
        threading.Thread(target=work, daemon=True).start()
    left = {task.name: task for task in tasks}
    while left:
        try:
            task, outcome = done.get(timeout=min(deadline.remaining, threading.TIMEOUT_MAX))
        except queue.Empty:
            break
        del left[task.name]
        yield task, outcome
    yield from (
        (task, LimitError("the time for the update ran out", where=task.base, remedy="run `holdfast db update`"))
        for task in left.values()
    )


def _download(task: Task, client: Client, folder: Path, deadline: Deadline) -> Download | HoldfastError:
    target = folder / task.feed.folder / task.resource.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return client.download(task.address, target, limit=task.resource.limit, deadline=deadline, name=task.name)
    except HoldfastError as error:
        return error
    except OSError as error:
        return StoreError(f"cannot be written: {error.strerror}", where=str(target))
    except Exception as error:  # a worker that died would leave its task waiting until the deadline
        return SourceError(f"could not be fetched: {type(error).__name__}", where=task.base)


def _spread(tasks: Sequence[Task]) -> Iterator[Task]:
    """The tasks with the feeds taking turns, so that one that hangs does not keep all workers busy."""
    by_feed: dict[str, list[Task]] = {}
    for task in tasks:
        by_feed.setdefault(task.feed.name, []).append(task)
    return (task for turn in zip_longest(*by_feed.values()) for task in turn if task is not None)
