"""The checks of a Dockerfile: pure functions of what was parsed, one file a group, and the tuple that lists them."""

from collections.abc import Callable, Iterator

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.checks import base_image, caches, package_manager, pins, user
from holdfast.misconfig.dockerfile.view import View

Check = Callable[[View], Iterator[Breach]]

CHECKS: tuple[Check, ...] = (
    base_image.check,
    user.check,
    pins.check,
    caches.check,
    package_manager.check,
)
"""Every group's `check`; the order is that of equal findings."""
