"""A secret as it is remembered of a layer: never the secret itself."""

from msgspec import Struct

from holdfast.model.finding import Confidence


class SecretHit(Struct, frozen=True, array_like=True):
    """One secret in one file.

    `rule` is the rule's id; `redacted`, `key_id`, `length` and `checks` are as in SecretEvidence; `line` counts from 1;
    `encoding` says how it stood there: `utf-16`, `base64`, or empty. `inside` is the path in the archives that the
    file holds, joined by `!/`. `note` says why its confidence was lowered, where it was.
    """

    rule: str
    redacted: str
    key_id: str
    length: int
    line: int
    confidence: Confidence
    encoding: str = ""
    checks: tuple[str, ...] = ()
    inside: str = ""
    note: str = ""
