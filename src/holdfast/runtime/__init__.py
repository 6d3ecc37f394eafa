"""Containers and images as the engines of this host have them."""
