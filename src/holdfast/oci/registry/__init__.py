"""Registries: the distribution API, who we are to it, and what it gives."""
