"""What the fields of a metric source are called in its form, and what helps to fill them."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from channels.admin.struct_fields import Words

# Words for fields that collectors share; a field without one is shown by its own name.
LABELS: Final[dict[str, Promise]] = {
    "url": gettext_lazy("Address"),
    "headers": gettext_lazy("Headers"),
    "queries": gettext_lazy("Queries"),
    "mode": gettext_lazy("Mode"),
    "step": gettext_lazy("Step in seconds"),
    "history_hours": gettext_lazy("Hours of past at first"),
    "metrics": gettext_lazy("Metrics to keep"),
    "items": gettext_lazy("Objects (JMESPath)"),
    "values": gettext_lazy("Values (JMESPath)"),
    "labels": gettext_lazy("Labels (JMESPath)"),
    "time": gettext_lazy("Time (JMESPath)"),
    "method": gettext_lazy("Method"),
    "body": gettext_lazy("Body"),
    "host": gettext_lazy("Host"),
    "port": gettext_lazy("Port"),
    "database": gettext_lazy("Database"),
    "query": gettext_lazy("Query"),
    "metric": gettext_lazy("Name of the metric"),
    "statement_timeout": gettext_lazy("Time limit of the query in seconds"),
    "encryption": gettext_lazy("Encryption"),
    "token": gettext_lazy("Token"),
    "user": gettext_lazy("User"),
    "password": gettext_lazy("Password"),
}
HINTS: Final[dict[tuple[str, str], Promise]] = {
    ("prometheus", "url"): gettext_lazy("Of the Prometheus, without /api/v1."),
    ("prometheus", "queries"): gettext_lazy("name = PromQL, one a line; * = keeps the names that the series have."),
    ("prometheus", "mode"): gettext_lazy("instant: the values now; range: every step since the last look."),
    ("exposition", "url"): gettext_lazy("Of the page with the metrics, usually ending in /metrics."),
    ("exposition", "metrics"): gettext_lazy("Names, one a line, with * for any text; empty keeps all."),
    ("json", "items"): gettext_lazy("Finds the list of objects to read, such as data.countries[]; @ is all of it."),
    ("json", "values"): gettext_lazy("metric = JMESPath within an object, one a line, such as streams = counts.total."),
    ("json", "labels"): gettext_lazy("label = JMESPath within an object, one a line."),
    ("json", "time"): gettext_lazy("Within an object; ISO 8601 or seconds since 1970. Empty: now."),
    ("sql", "query"): gettext_lazy(
        "One SELECT. Numeric columns are values, text columns labels, a column named time says when."
    ),
    ("sql", "metric"): gettext_lazy("Empty: the names of the columns."),
    ("sql", "user"): gettext_lazy("A role that can only read; others are refused."),
}
WORDS: Final = Words(LABELS, HINTS)
