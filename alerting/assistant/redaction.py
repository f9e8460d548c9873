"""Take out of a text what could be personal or secret, before it leaves the house.

What stands in its place says what kind of thing it was, so that the text still makes sense. Rather too much is
taken out than too little: a model can describe an alert without anybody's number.
"""

import re
from collections.abc import Mapping
from typing import Final

#: Labels and annotations whose values are about people or are secrets, whatever they look like.
_PRIVATE_NAME: Final = re.compile(
    r"user|person|customer|client|member|employee|owner|author|name$|mail|phone|mobile|address|birth|iban|card|account"
    r"|token|secret|passw|credential|cookie|session|api_?key|signature",
    re.IGNORECASE,
)
_PUBLIC_NAMES: Final = frozenset({"alertname", "hostname", "servicename", "service_name", "metric_name"})

# In this order: what holds another comes first.
_PATTERNS: Final = tuple(
    (mark, re.compile(pattern, re.IGNORECASE))
    for mark, pattern in (
        ("[key]", r"-----BEGIN [^-]{1,40}-----.*?(?:-----END [^-]{1,40}-----|\Z)(?s:.)?"),
        ("[token]", r"\b(?:bearer|basic|api-key|token)\s+[\w.~+/=-]{8,}"),
        ("[token]", r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"),
        ("[token]", r"\b(?:sk|pk|rk|ghp|gho|xox[abprs]|AKIA|ak|whsec)[-_]?[A-Za-z0-9_-]{12,}"),
        ("[login]", r"(?<=://)[^\s/@]{1,200}:[^\s/@]{1,200}(?=@)"),
        ("[e-mail]", r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
        ("[IBAN]", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
        ("[MAC]", r"\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b"),
        ("[IP]", r"\b(?:\d{1,3}\.){3}\d{1,3}\b"),
        ("[IP]", r"(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![\w:])"),
        ("[card]", r"\b\d(?:[ -]?\d){12,18}\b"),
        ("[phone]", r"(?<![\w.])(?:\+|00)\d(?:[ ()./-]{0,2}\d){6,14}(?!\w)"),
        ("[phone]", r"(?<![\w.-])\(?0\d{1,4}\)?[ ./-]\d{2,4}(?:[ ./-]?\d{2,4}){1,3}(?!\w)"),
        ("[secret]", r"(?<=[?&])[\w.-]{1,60}=[^\s&#]{1,2000}"),
        ("[secret]", r"\b(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_-]{32,}\b"),
    )
)


def redact(text: str) -> str:
    """Return the text with marks such as [e-mail] in place of what could be personal or secret."""
    for mark, pattern in _PATTERNS:
        text = pattern.sub(mark, text)
    return text


def redact_pairs(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return labels or annotations with private ones hidden and the others redacted."""
    return {name: "[hidden]" if is_private(name) else redact(value) for name, value in pairs.items()}


def is_private(name: str) -> bool:
    """Whether a label of this name is about people or a secret."""
    return name.lower() not in _PUBLIC_NAMES and _PRIVATE_NAME.search(name) is not None
