"""Version orderings: which of two versions of a package came first, as each packaging world itself decides it."""

from holdfast.version.ordering import ORDERINGS, Key, Ordering, load, ordering_for

__all__ = ["ORDERINGS", "Key", "Ordering", "load", "ordering_for"]
