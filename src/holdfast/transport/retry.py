"""How often, and how long apart, a failing request is tried again."""

import random
import time
from calendar import timegm

from msgspec import Struct

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Retry(Struct, frozen=True):
    """Exponential back-off with jitter: `attempts` in all, of which `connects` may fail to connect at all.

    The n-th pause lasts between half and all of `first` × 2ⁿ seconds, `longest` at most.
    """

    attempts: int = 5
    connects: int = 2
    first: float = 0.5
    longest: float = 20.0

    def pause(self, attempt: int) -> float:
        """The seconds to wait after attempt number `attempt` (from 0). Jitter keeps a fleet from asking in step."""
        return min(self.longest, self.first * 2.0 ** min(attempt, 16)) * random.uniform(0.5, 1.0)  # noqa: S311


def retry_after(value: str | None, now: float | None = None) -> float | None:
    """The seconds that a `Retry-After` header asks for (RFC 9110 §10.2.3: a number or a date); None where it is odd."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment = parse_http_date(text)
    return None if moment is None else max(0.0, moment - (time.time() if now is None else now))


def parse_http_date(text: str) -> int | None:
    """Seconds since the epoch of `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate; also apt's, that ends in UTC).

    None for anything else. Written here because `email.utils` costs a third of a scan's start-up.
    """
    fields = text.replace(",", " ").split()
    try:
        _, day, month, year, clock, zone = fields
        hour, minute, second = clock.split(":")
        numbers = [*map(_small, (year, day, hour, minute, second))]
        if zone not in ("GMT", "UTC", "+0000", "Z"):
            return None
        return timegm((numbers[0], _MONTHS.index(month) + 1, *numbers[1:]))
    except (ValueError, OverflowError):
        return None


def _small(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise ValueError(text)
    return int(text)
