"""Brings a store to the newest shape. Alembic is loaded only where there is something to do."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.store.migrations import REVISIONS

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from sqlalchemy import Connection

HERE = Path(__file__).parent


def upgrade(connection: "Connection", revision: str = REVISIONS[-1], *, more: Sequence[Path] = ()) -> None:
    """Run the migrations up to a revision, in the connection's own transaction. `more` are other folders of them."""
    from alembic.runtime.environment import EnvironmentContext

    config = configuration(more)
    config.attributes["connection"] = connection
    script = scripts(config)

    with EnvironmentContext(config, script, fn=lambda now, _: script._upgrade_revs(revision, now)):
        script.run_env()


def configuration(more: Sequence[Path] = ()) -> "Config":
    """Alembic's settings for this folder."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _escaped(HERE))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(_escaped(path) for path in (HERE / "versions", *more)))
    return config


def scripts(config: "Config") -> "ScriptDirectory":
    """The migrations of these settings."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(config)


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
