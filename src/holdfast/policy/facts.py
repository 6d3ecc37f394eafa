"""What is known of a target besides its report: handed in, since evaluating reads nothing itself."""

from msgspec import Struct

from holdfast.model.verdict import Decision


class BaseFact(Struct, frozen=True, omit_defaults=True):
    """A base image that a target is built from.

    `scanned` is the day of its last scan (YYYY-MM-DD; empty: never), `decision` what its last verdict was; `where` the
    Dockerfile and line that name it.
    """

    name: str
    digest: str = ""
    scanned: str = ""
    decision: Decision | None = None
    where: str = ""


class Facts(Struct, frozen=True, omit_defaults=True):
    """What the caller knows.

    `bases`: the bases in FROM, or those of the image (empty: what the report says of its base counts). `registry` is
    host and repository that the target came from, where its name does not say so. `attachments` are the kinds known to
    be there (None: what the report lists). `names` are other names of the target, for overrides and waivers.
    """

    bases: tuple[BaseFact, ...] = ()
    registry: str = ""
    attachments: tuple[str, ...] | None = None
    names: tuple[str, ...] = ()


NO_FACTS = Facts()
"""Nothing is known besides the report."""
