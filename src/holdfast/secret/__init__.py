"""Secrets that were left where others can read them."""
