"""The scan: a target is opened, every layer is read once, packages are attributed, matched and reported."""
