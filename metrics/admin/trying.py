"""The button "try it now": one look at a source as its form stands, told in words and values."""

from collections.abc import Callable
from typing import Any

from channels.validation import credentials_of
from metrics.admin.source_form import SourceForm
from metrics.collecting import try_source
from tenants import audit
from tenants.principal import Principal

#: A name is needed to save, not to look.
NOT_NEEDED = frozenset({"name"})


def try_form(principal: Principal, form: SourceForm) -> Callable[[], dict[str, Any]]:
    """Judge a form and note the try; return what looks, to be called when no transaction is open any more."""
    form.is_valid()
    faults = [
        f"{form.fields[name].label}: {text}" if name in form.fields else str(text)
        for name, texts in form.errors.items()
        if name not in NOT_NEEDED
        for text in texts
    ]
    if faults:
        return lambda: {"faults": faults}
    source = form.instance
    labels = form.cleaned_data.get("labels") or {}
    audit.record(principal, "source.tried", None if form.is_new else source, after={"kind": source.kind})
    kind, settings, credentials = source.kind, source.settings, credentials_of(source)
    timeout, interval = float(source.timeout), source.interval.total_seconds()
    return lambda: {"trial": try_source(kind, settings, credentials, labels=labels, timeout=timeout, interval=interval)}
