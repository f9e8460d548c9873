"""Generated requests to every operation of the API, as two tenants: no 500, answers as documented, nothing foreign.

Each request names rows of its own tenant, rows of the other one, or rows nobody has; the other tenant's
marker and ids must not be in any answer. SCHEMATHESIS_EXAMPLES raises the number of requests for each operation.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)

from alerting import backlog, rate_limit
from tests.factories import make_key, make_tenant
from tests.security.house import House

# Prometheus's remote write: bytes to whoever does not know the format.
schemathesis.serializer.alias("application/x-protobuf", "application/octet-stream")
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "24"))
#: Each of these starts a process or decides a whole pipeline.
SLOW = {"/api/v1/templates", "/api/v1/templates/{id}", "/api/v1/templates/preview"}
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
#: What keys cannot do; people with a session can.
BY_SESSION = ("/api/v1/api-keys", "/api/v1/members", "/api/v1/roles")
TOKEN = "x" * 32


@dataclass
class Caller:
    """One of the two tenants."""

    house: House
    token: str
    foreign: list[str] = field(default_factory=list)

    @classmethod
    def make(cls, marker: str) -> "Caller":
        tenant = make_tenant(f"{marker}-tenant")
        return cls(House(tenant, marker), make_key(tenant))

    def sign(self, case: Any) -> None:
        """Let a request be this tenant's."""
        if case.operation.path.startswith(BY_SESSION):
            case.cookies = {"session": self.house.client.cookies["session"].value, "csrftoken": TOKEN}
            case.headers["X-CSRFToken"] = TOKEN
        else:
            case.headers["Authorization"] = f"Api-Key {self.token}"


@pytest.fixture
def callers(db: None) -> Iterator[tuple[Caller, Caller]]:
    one, other = Caller.make("marker-of-one"), Caller.make("marker-of-other")
    for caller, stranger in ((one, other), (other, one)):
        ids = (str(value) for value in stranger.house.ids.values())
        caller.foreign = [stranger.house.marker, stranger.token, *ids]
    yield one, other
    backlog.forget()
    rate_limit.forget()


@pytest.fixture
def schema(callers: tuple[Caller, Caller]) -> Iterator[Any]:
    # As Django's own test client does: else each request would close the connection that holds the test's rows.
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/schema", get_wsgi_application())
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.slow
def test_generated_requests(schema: Any, callers: tuple[Caller, Caller]) -> None:
    failures: dict[str, str] = {}
    served: dict[str, bool] = defaultdict(bool)
    for result in schema.get_all_operations():
        operation = result.ok()
        try:
            _exercise(operation, callers, served)
        except (Exception, BaseExceptionGroup) as error:  # every operation gets its turn; what failed is shown below
            failures[operation.label] = f"{type(error).__name__}: {error}"[:3_000]
    assert failures == {}, "\n\n".join(f"{label}\n{text}" for label, text in failures.items())
    # The requests came past the door: most operations did what they are for at least once.
    refused = [label for label, was_served in served.items() if not was_served]
    assert len(served) > 60
    assert len(refused) < len(served) / 3, refused


def _exercise(operation: Any, callers: tuple[Caller, Caller], served: dict[str, bool]) -> None:
    examples = max(EXAMPLES // 4, 2) if operation.path in SLOW else EXAMPLES

    cases = st.one_of(operation.as_strategy(), operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))

    @given(cases, st.sampled_from(callers), st.sampled_from(["own", "foreign", "no"]))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any, caller: Caller, whose: str) -> None:
        _aim(case, caller, callers, whose)
        caller.sign(case)
        rate_limit.forget()
        response = case.call()
        served[case.operation.label] |= response.status_code < 300
        checks = CHECKS if case.cookies else (*CHECKS, ignored_auth)
        case.validate_response(response, checks=checks)
        _check_isolation(case, caller, response)

    run()


def _aim(case: Any, caller: Caller, callers: tuple[Caller, Caller], whose: str) -> None:
    """Put the id of a row into the address: the caller's, the stranger's, or one nobody has."""
    if "id" not in (case.path_parameters or {}) or whose == "no":
        return
    owner = caller if whose == "own" else next(one for one in callers if one is not caller)
    case.path_parameters["id"] = str(owner.house.ids.get(case.operation.path.split("/")[3], case.path_parameters["id"]))


def _check_isolation(case: Any, caller: Caller, response: Any) -> None:
    sent = f"{case.path_parameters} {case.body} {case.query}"
    found = [text for text in caller.foreign if text in response.text and text not in sent]
    assert not found, f"{case.operation.label} told of another tenant: {found}"
