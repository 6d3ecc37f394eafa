"""One file for each shape of the store."""
