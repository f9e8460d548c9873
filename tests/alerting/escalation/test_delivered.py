"""From an alert to the inbox of the person on call, through the real delivery engine and a mail server."""

from pytest_django.fixtures import Settings

from alerting import lifecycle
from alerting.models import ContactMethod
from alerting.oncall.contacts import send_code, verify
from channels.delivery.engine import deliver_due
from channels.models import Channel, Delivery
from tests.alerting.escalation.scenes import Call, level, schedule_target
from tests.alerting.scenes import alert
from tests.fakes.smtp import FakeSMTP


def test_the_person_on_call_proves_an_address_and_is_called_there(committed_db: None, settings: Settings) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    call = Call()
    ann = call.person("ann", contact=False)
    with FakeSMTP() as server:
        with call.context():
            mail = {"host": "127.0.0.1", "port": server.port, "security": "none", "to": ["ops@example.com"]}
            channel = Channel.objects.create(
                name="mail", kind="email", settings=mail | {"from_address": "alerts@example.com"}
            )
            contact = ContactMethod.objects.create(person=ann, channel=channel, address="ann@example.com")
            send_code(call.principal, contact)
        assert deliver_due(call.id) == 1
        code = _subject(server, 0).rsplit(maxsplit=1)[-1]
        with call.context():
            assert verify(call.principal, ContactMethod.objects.get(), code) == ""
        call.routed(level(0, schedule_target(call.schedule(ann))))
        call.feed(alert("DiskFull", severity="critical"))
        call.flush()
        call.step()
        assert deliver_due(call.id) == 1
        assert [letter.recipients for letter in server.arrived] == [["ann@example.com"]] * 2
        assert "DiskFull" in _subject(server, 1)
        lifecycle.acknowledge(call.principal, call.group().pk)
    with call.context():
        assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def _subject(server: FakeSMTP, number: int) -> str:
    return str(server.arrived[number].message["Subject"])
