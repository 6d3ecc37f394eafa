"""Progress on standard error: a bar for each thing under way, on a terminal only, and gone when it is done."""

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from holdfast.report.text import cut, one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Meter:
    """Takes `(name, done, total)` from any thread and draws it. Rich is loaded when there is something to draw.

    Quiet, or where standard error is no terminal, it does nothing at all.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._silent = quiet or not sys.stderr.isatty()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._progress is not None:
                self._progress.stop()
            self._progress, self._silent = None, True

    def __call__(self, name: str, done: int, total: int | None) -> None:
        """Say how far something is: bytes, layers or files, whatever its name says."""
        if self._silent:
            return
        with self._lock:
            progress = self._started()
            if name not in self._tasks:
                self._tasks[name] = progress.add_task(cut(one_line(name), 40), total=total)
            progress.update(self._tasks[name], completed=done, total=total)
            if total is not None and done >= total:
                progress.remove_task(self._tasks.pop(name))

    def _started(self) -> "Progress":
        if self._progress is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

            self._progress = Progress(
                TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(),
                console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self._progress.start()
        return self._progress
