"""Many images at once: those of a registry, of a list, or those that run here."""
