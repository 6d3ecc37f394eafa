"""Doing things ahead of who needs them, in threads that nobody waits for when the program ends."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")
_PATIENCE = 0.05


class Ahead(Generic[_T]):
    """Iterates something in a thread of its own, some items ahead.

    Iterating it gives None while the next item is not there yet, so that whoever asks can do other things. What the
    thread raised is raised when its items are used up.
    """

    def __init__(self, items: Iterable[_T], room: int = 1000) -> None:
        self._items = items
        self._queue: Queue[_T] = Queue(room)
        self._ended = threading.Event()
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        threading.Thread(target=self._fill, daemon=True).start()

    def __iter__(self) -> Iterator[_T | None]:
        while True:
            # Asked before looking into the queue: what is put there before the end is seen is not lost.
            ended = self._ended.is_set()
            try:
                yield self._queue.get(block=not ended, timeout=_PATIENCE)
            except Empty:
                if not ended:
                    yield None
                elif self._error is not None:
                    raise self._error from None
                else:
                    return

    def stop(self) -> None:
        """Have no more of it."""
        self._stopped.set()

    def _fill(self) -> None:
        try:
            for item in self._items:
                while not self._stopped.is_set():
                    try:
                        self._queue.put(item, timeout=_PATIENCE)
                        break
                    except Full:
                        continue
                if self._stopped.is_set():
                    return
        except BaseException as error:  # whatever it is, it is the reader's to know
            self._error = error
        finally:
            self._ended.set()


def side_by_side(do: Callable[[_T], _R], items: Iterable[_T], threads: int) -> Iterator[_R]:
    """What `do` gives for each item, in their order, done by several threads. An exception ends it."""
    work: Queue[tuple[_T, list[_R | BaseException], threading.Event] | None] = Queue()

    def serve() -> None:
        while (job := work.get()) is not None:
            item, result, done = job
            try:
                result.append(do(item))
            except BaseException as error:
                result.append(error)
            done.set()

    for _ in range(threads):
        threading.Thread(target=serve, daemon=True).start()
    under_way: deque[tuple[list[_R | BaseException], threading.Event]] = deque()

    def oldest() -> _R:
        result, done = under_way.popleft()
        done.wait()
        if isinstance(result[0], BaseException):
            raise result[0]
        return result[0]

    try:
        for item in items:
            place: tuple[list[_R | BaseException], threading.Event] = ([], threading.Event())
            under_way.append(place)
            work.put((item, *place))
            if len(under_way) == 2 * threads:
                yield oldest()
        while under_way:
            yield oldest()
    finally:
        for _ in range(threads):
            work.put(None)
