"""How much of a Dockerfile is read before it is called hostile: every bound with its unit and its reason."""

from msgspec import Struct


class DockerfileBudget(Struct, frozen=True):
    """The bounds of one Dockerfile. The longest that people write have some thousand lines.

    - `data`: bytes of the file.
    - `lines`: of the file, and `instructions` and `stages` in it.
    - `value`: characters that one expanded value may have, since `ENV A=$A$A` doubles with every line.
    - `expanded`: characters of all expanded values together.
    - `depth`: `${a:-${b:-${c}}}` inside each other, shells inside shells, and parents of a stage.
    - `commands`: of the shell, in the whole file; `words` in them.
    """

    data: int = 1 << 20
    lines: int = 50_000
    instructions: int = 10_000
    stages: int = 500
    value: int = 64 << 10
    expanded: int = 8 << 20
    depth: int = 16
    commands: int = 20_000
    words: int = 200_000


DOCKERFILE_BUDGET = DockerfileBudget()
