"""Counts the strings of a JSON document over bytes.

A decoder keeps the last of two equal keys without a word. The strings it should have met, counted in its result,
equal the strings in the bytes exactly when no key was repeated: that costs a tenth of watching every pair.
"""


def strings_in(body: bytes) -> int:
    """How many strings (keys and values) valid JSON holds."""
    quotes = body.count(b'"')
    if b"\\" in body:
        # What escapes a quote is a backslash that is not escaped itself, so pairs of them go first.
        quotes -= body.replace(b"\\\\", b"").count(b'\\"')
    return quotes // 2
