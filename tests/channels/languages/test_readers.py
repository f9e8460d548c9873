"""The language of a message is the recipient's, else the channel's, else the tenant's; its time zone likewise."""

import pytest

from channels.delivery.claiming import claim
from channels.languages.readers import Audience, Reader, audience
from channels.models import Channel, PhraseOverride
from channels.sending import Line, prepare
from tenants.context import tenant_context
from tenants.models import Tenant, User
from tests.channels.deliveries import make_channel, put
from tests.channels.sending import changed
from tests.factories import make_member, make_tenant

pytestmark = pytest.mark.django_db
SETTINGS = {"host": "mail.example.com", "to": ["a@example.org"], "from_address": "alerts@example.com"}


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def member(tenant: Tenant) -> User:
    user = make_member(tenant, "responder", "Maria")
    User.objects.filter(pk=user.pk).update(locale="it", time_zone="Europe/Rome", email="maria@example.org")
    return user


@pytest.mark.parametrize(
    ("reader", "locale", "zone", "said"),
    [
        (Reader("it", "Europe/Rome"), "fr", "Europe/Paris", ("it", "Europe/Rome")),
        (Reader("it"), "fr", "Europe/Paris", ("it", "Europe/Paris")),
        (Reader("", "Europe/Rome"), "", "", ("de", "Europe/Rome")),
        (Reader(), "fr", "", ("fr", "Europe/Vienna")),
        (Reader(), "", "", ("de", "Europe/Vienna")),
    ],
)
def test_each_wish_counts_by_itself(reader: Reader, locale: str, zone: str, said: tuple[str, str]) -> None:
    told = Audience(readers={"maria@example.org": reader})
    message = told.address(changed(locale="de"), "Maria@example.org", locale, zone)
    assert (message.locale, message.time_zone) == said


def test_only_members_of_the_tenant_are_known(tenant: Tenant, member: User) -> None:
    with tenant_context(tenant.pk):
        told = audience(["MARIA@example.org", "stranger@example.org", "#alerts"])
    assert told.readers == {"maria@example.org": Reader("it", "Europe/Rome")}
    with tenant_context(make_tenant().pk):
        assert audience(["maria@example.org"]).readers == {}


def rendered(channel: Channel, recipient: str) -> str:
    put(channel, recipient=recipient, message=changed(locale="de", severity=10))
    batch = claim(channel.tenant_id, 5)
    line = batch.lines[channel.pk]
    assert isinstance(line, Line)
    return prepare(line, batch.parcels[0]).part("subject")


def test_a_delivery_speaks_to_its_recipient(tenant: Tenant, member: User) -> None:
    channel = make_channel(tenant, "email", settings=SETTINGS, locale="fr")
    assert rendered(channel, "maria@example.org").startswith("[ATTIVO informazione]")


def test_others_are_spoken_to_in_the_language_of_the_channel(tenant: Tenant) -> None:
    channel = make_channel(tenant, "email", settings=SETTINGS, locale="fr")
    assert rendered(channel, "a@example.org").startswith("[EN COURS information]")


def test_a_channel_without_a_language_speaks_the_tenants_own_words(tenant: Tenant) -> None:
    with tenant_context(tenant.pk):
        PhraseOverride.objects.create(locale="de", key="status.firing", text="Feuer")
    channel = make_channel(tenant, "email", settings=SETTINGS)
    assert rendered(channel, "a@example.org").startswith("[FEUER Info]")
