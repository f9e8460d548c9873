"""Messages about being on call are in the language of who gets them, whoever brought them about."""

import pytest
from django.utils import translation

from alerting.models import ScheduleOverride
from alerting.oncall.contacts import send_code
from alerting.oncall.handing_over import hand_over_due
from channels.delivery.claiming import claim
from channels.models import Channel
from channels.sending import Line, prepare
from tenants.models import Tenant, User
from tests.alerting.escalation.scenes import Call, level, member_target
from tests.alerting.scenes import alert, at

pytestmark = pytest.mark.django_db

MAIL = {"host": "mail.example.org", "to": ["ops@example.org"], "from_address": "alerts@example.org"}


class French(Call):
    """A tenant that speaks Spanish, a channel that speaks German, a member who reads French."""

    def __post_init__(self) -> None:
        super().__post_init__()
        with self.context():
            self.pager = Channel.objects.create(name="mail", kind="email", locale="de", settings=MAIL)
        Tenant.objects.filter(pk=self.id).update(locale="es")

    def reader(self, name: str, locale: str = "fr") -> User:
        person = self.person(name, contact=False)
        User.objects.filter(pk=person.pk).update(locale=locale)
        self.contact(person, f"{name}@example.org")
        return User.objects.get(pk=person.pk)

    def said(self, kind: str) -> str:
        """What the newest message of a kind says, as the engine would send it."""
        batch = claim(self.id, 5)
        line = batch.lines[self.pager.pk]
        assert isinstance(line, Line)
        mine = [one for one in batch.parcels if line.message_of(one).kind == kind]
        ready = prepare(line, mine[-1])
        return f"{ready.part('subject')}\n{ready.part('text')}"


@pytest.mark.parametrize(
    ("locale", "words"),
    [("fr", "Votre code : "), ("it", "Il tuo codice: "), ("", "Ihr Code: ")],
)
def test_a_code_is_in_the_language_of_its_owner_not_of_who_asked_for_it(locale: str, words: str) -> None:
    call = French()
    claire = call.person("claire", contact=False)
    User.objects.filter(pk=claire.pk).update(locale=locale)
    contact = call.contact(User.objects.get(pk=claire.pk), "claire@example.org", verified=False)
    with call.context(), translation.override("en"):
        send_code(call.principal, contact)
    said = call.said("verification").replace("\u00a0", " ")
    assert words in said
    assert "somebody wants" not in said


def test_a_hand_over_is_told_in_the_language_of_who_takes_over() -> None:
    call = French()
    ann, claire = call.reader("ann", "en"), call.reader("claire")
    schedule = call.schedule(ann, name="Encodeurs")
    while hand_over_due(call.id):
        pass
    with call.context():
        ScheduleOverride.objects.create(schedule=schedule, person=claire, starts_at=at(-1), ends_at=at(60))
    while hand_over_due(call.id):
        pass
    said = call.said("hand_over").replace("\u00a0", " ")
    assert "Vous êtes maintenant d’astreinte : Encodeurs" in said
    assert "fin de votre astreinte : " in said


@pytest.mark.parametrize(("locale", "words"), [("fr", "niveau 1 de la politique"), ("", "Stufe 1 der")])
def test_an_escalation_says_why_in_the_language_of_who_is_called(locale: str, words: str) -> None:
    call = French()
    call.routed(level(0, member_target(call.reader("claire", locale))))
    call.feed(alert("DiskFull", severity="critical"))
    call.flush()
    call.step()
    assert words in call.said("escalation")
