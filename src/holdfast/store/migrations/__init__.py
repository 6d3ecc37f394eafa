"""The shapes that a store has had, oldest first, and how an older one becomes the newest."""

REVISIONS = ("0001",)
"""Every revision by its id, in order: a store at another one was made by a newer version."""
