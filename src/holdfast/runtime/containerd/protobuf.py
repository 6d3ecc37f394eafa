"""Protocol buffers on the wire, as far as containerd's messages need them.

Source: protobuf.dev/programming-guides/encoding. Only `string`, `bytes`, `int64`, enumerations, messages and maps of
strings are read; whatever else a message has is passed over. Groups are not in proto3.
"""

from holdfast.model.errors import InputError, LimitError

MOST_FIELDS = 200_000  # of one message: with containerd's 16 MiB a message, far more than any real one has
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_SKIPPED = {_FIXED64: 8, _FIXED32: 4}
_MOST_NUMBER = (1 << 29) - 1
_VARINT_BYTES = 10


class Message:
    """The fields of one message by their numbers; an absent one has its type's zero value, as proto3 says.

    InputError where the bytes are no message, or a field has another type than it is asked for; LimitError for more
    than MOST_FIELDS; `where` is for those. Of a field that came several times the last counts. Messages inside are
    read when asked for.
    """

    __slots__ = ("_fields", "_where")

    def __init__(self, data: bytes = b"", where: str = "") -> None:
        self._where = where
        self._fields: dict[int, list[int | bytes | None]] = {}
        at, left = 0, MOST_FIELDS
        while at < len(data):
            left -= 1
            if left < 0:
                raise LimitError(f"a message has more than {MOST_FIELDS:,} fields", where=where)
            number, value, at = _field(data, at, where)
            self._fields.setdefault(number, []).append(value)

    def integer(self, number: int) -> int:
        """An int64 or an enumeration's number."""
        found = self._fields.get(number, (0,))[-1]
        if not isinstance(found, int):
            raise _damaged("a field that should be a number is none", self._where)
        return found - (1 << 64) if found >> 63 else found

    def content(self, number: int) -> bytes:
        """Bytes."""
        return self._contents(number)[-1] if number in self._fields else b""

    def text(self, number: int) -> str:
        """A string, which is UTF-8."""
        return self._text(self.content(number))

    def message(self, number: int) -> "Message":
        """A message inside this one."""
        return Message(self.content(number), self._where)

    def messages(self, number: int) -> "list[Message]":
        """A repeated message."""
        return [Message(found, self._where) for found in self._contents(number)]

    def pairs(self, number: int) -> dict[str, str]:
        """A map from strings to strings."""
        return {entry.text(1): entry.text(2) for entry in self.messages(number)}

    def _contents(self, number: int) -> list[bytes]:
        found = self._fields.get(number, [])
        contents = [one for one in found if isinstance(one, bytes)]
        if len(contents) != len(found):
            raise _damaged("a field that should have content is a number", self._where)
        return contents

    def _text(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise _damaged("a string is not UTF-8", self._where) from error


def encode(*fields: tuple[int, int | str | bytes]) -> bytes:
    """A message with these fields, each a number and its value; zero values are left out, as proto3 does."""
    return b"".join(_encoded(number, value) for number, value in fields if value)


def _encoded(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint_of(number << 3 | _VARINT) + _varint_of(value & ((1 << 64) - 1))
    try:
        data = value.encode() if isinstance(value, str) else value
    except UnicodeEncodeError as error:
        raise InputError("not text", where=ascii(value)[:120]) from error
    return _varint_of(number << 3 | _LENGTH) + _varint_of(len(data)) + data


def _varint_of(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(data: bytes, at: int, where: str) -> tuple[int, int | bytes | None, int]:
    """Number and value (None for what is only passed over) of the field at an offset, and the offset behind it."""
    key, at = _varint(data, at, where)
    number, kind = key >> 3, key & 7
    if not 0 < number <= _MOST_NUMBER:
        raise _damaged("a field has an impossible number", where)
    if kind == _VARINT:
        value, at = _varint(data, at, where)
        return number, value, at
    if kind == _LENGTH:
        size, at = _varint(data, at, where)
    elif kind in _SKIPPED:
        size = _SKIPPED[kind]
    else:
        raise _damaged("a field has an unknown type", where)
    end = at + size
    if end > len(data):
        raise _damaged("a field is cut", where)
    return number, data[at:end] if kind == _LENGTH else None, end


def _varint(data: bytes, at: int, where: str) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(data[at : at + _VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            if value >> 64:
                break
            return value, at + place + 1
    raise _damaged("a number is cut, or has more than 64 bits", where)


def _damaged(why: str, where: str) -> InputError:
    return InputError(f"not one of containerd's messages: {why}", where=where)
