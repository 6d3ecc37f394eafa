"""What stands behind the colon where a rule names a check."""


def number(argument: str, default: float) -> float:
    """The argument as a number; the default where it is none."""
    try:
        return float(argument) if argument else default
    except ValueError:
        return default
