"""Runs of decimal digits as integers, however long an attacker makes them."""

# Python refuses to convert more than 4,300 digits by default and can be told to refuse more than 640
# (sys.set_int_max_str_digits); the conversion is quadratic as well. Longer runs are encoded instead.
_CONVERTED = 600


def numeral(digits: str) -> int:
    """Return an integer that orders a non-empty run of ASCII digits by its numeric value, in linear time.

    Up to 600 significant digits it is the value itself. Beyond that it is the run's bytes read as one number,
    which is larger than any 600-digit value and grows with length, then with the digits from the left.
    """
    if len(digits) <= _CONVERTED:
        return int(digits)
    significant = digits.lstrip("0")
    if len(significant) <= _CONVERTED:
        return int(significant or "0")
    return int.from_bytes(significant.encode("ascii"), "big")
