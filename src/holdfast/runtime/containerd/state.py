"""What containerd runs, as far as its state folder tells without asking it."""

from pathlib import Path

STATE = Path("/run/containerd")
# One folder for each namespace, and in it one for each running container (containerd's runtime v2).
_TASKS = "io.containerd.runtime.v2.task"


def namespaces(state: Path = STATE) -> frozenset[str] | None:
    """The namespaces in which something runs; None where that cannot be seen."""
    tasks = state / _TASKS
    try:
        return frozenset(folder.name for folder in tasks.iterdir() if any(folder.iterdir()))
    except FileNotFoundError:
        return frozenset() if state.is_dir() else None
    except OSError:
        return None
