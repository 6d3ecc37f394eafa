"""Workers that scan side by side: processes, so that one that dies takes nothing but its own image along."""

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from msgspec.structs import replace

from holdfast.model.errors import HoldfastError
from holdfast.survey.candidate import Candidate
from holdfast.survey.examiner import Examiner
from holdfast.survey.summary import Summary, unread

Done = tuple[Candidate, Summary]
SECONDS = 3600.0
_TRIES = 2
_END_SECONDS = 2.0


def alone(examiner: Examiner, candidates: Iterator[Candidate | None]) -> Iterator[Done]:
    """Each candidate with its summary, one after the other in this process. None means: not there yet."""
    with examiner:
        for candidate in candidates:
            if candidate is not None:
                yield candidate, examiner(candidate)


class Crew:
    """At most `size` workers, started when there is something to do for them; a context manager.

    An image that takes longer than `seconds` is given up. An image whose worker dies is tried once more.
    """

    def __init__(self, examiner: Examiner, size: int, seconds: float = SECONDS) -> None:
        self._examiner, self._size, self._seconds = examiner, size, seconds
        self._workers: list[_Worker] = []

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def run(self, candidates: Iterator[Candidate | None]) -> Iterator[Done]:
        """Each candidate with its summary, as they are done. None means: not there yet."""
        again: deque[tuple[Candidate, int]] = deque()
        ended = False
        while True:
            hungry = False
            while (again or not ended) and self._has_room():
                if again:
                    self._give(*again.popleft())
                    continue
                candidate = next(candidates, _END)
                ended = candidate is _END
                hungry = candidate is None
                if not isinstance(candidate, Candidate):
                    break
                self._give(candidate, 1)
            busy = [worker for worker in self._workers if worker.task]
            if not busy and ended and not again:
                return
            yield from self._collect(busy, again, 0.0 if hungry else self._patience(busy))

    def _has_room(self) -> bool:
        return len(self._workers) < self._size or any(worker.task is None for worker in self._workers)

    def _give(self, candidate: Candidate, tries: int) -> None:
        worker = next((worker for worker in self._workers if worker.task is None), None)
        if worker is None:
            worker = _Worker(self._examiner)
            self._workers.append(worker)
        worker.give(candidate, tries)

    def _patience(self, busy: list["_Worker"]) -> float:
        return max(0.0, min(worker.since for worker in busy) + self._seconds - time.monotonic())

    def _collect(self, busy: list["_Worker"], again: deque[tuple[Candidate, int]], patience: float) -> Iterator[Done]:
        ready = wait([worker.pipe for worker in busy], patience)
        for worker in busy:
            assert worker.task is not None
            candidate, tries = worker.task
            if worker.pipe in ready:
                try:
                    summary = worker.take()
                    yield candidate, summary
                    continue
                except (EOFError, OSError):
                    self._workers.remove(worker)
                    failure = HoldfastError(f"the process that scanned it {worker.end()}", remedy=_REMEDY)
                    retry = tries < _TRIES
            elif time.monotonic() - worker.since >= self._seconds:
                self._workers.remove(worker)
                worker.process.kill()
                worker.end()
                failure = HoldfastError(f"given up: it took longer than {self._seconds:,.0f} seconds")
                retry = False
            else:
                continue
            if retry:
                again.append((candidate, tries + 1))
            else:
                yield candidate, unread(candidate.name, candidate.digest, failure, "survey.worker")


_END = object()
_REMEDY = "scan it by itself, with more memory"


class _Worker:
    """One process, the pipe to it, and what it is doing since when."""

    def __init__(self, examiner: Examiner) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        # Ctrl-C goes to every process of the terminal. It is for us alone: the others end when we say so. The tracker
        # that Python starts beside the first process unblocks the signal again, so that it has to be there before.
        resource_tracker.ensure_running()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process: BaseProcess = context.Process(target=_work, args=(theirs, examiner), daemon=True)
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        theirs.close()
        self.task: tuple[Candidate, int] | None = None
        self.since = 0.0

    def give(self, candidate: Candidate, tries: int) -> None:
        """Have it scan something."""
        self.task, self.since = (candidate, tries), time.monotonic()
        with suppress(OSError):  # it is dead: that shows when its answer is waited for
            self.pipe.send(candidate)

    def take(self) -> Summary:
        """What came of it. EOFError or OSError where the process is no more."""
        summary = self.pipe.recv()
        assert isinstance(summary, Summary)
        self.task = None
        return summary

    def end(self) -> str:
        """Let go of it; how it ended, in words."""
        self.pipe.close()
        self.process.join(_END_SECONDS)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        if code == -signal.SIGKILL:
            return "was killed, as the kernel does where memory runs out"
        return f"was ended by signal {-code}" if code < 0 else f"ended by itself (exit code {code})"


def _work(pipe: Connection, examiner: Examiner) -> None:
    """The life of a worker: it ends when whoever gives it work does."""
    with suppress(EOFError, OSError), examiner:
        while True:
            candidate: Candidate = pipe.recv()
            summary = examiner(candidate)
            try:
                pipe.send(summary)
            except ValueError:  # too much for a pipe
                pipe.send(replace(summary, causes=()))
