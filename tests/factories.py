"""Tenants, people and keys for tests; each call makes new ones with names nobody else has."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from django.test import Client

from tenants import accounts, keys
from tenants.context import tenant_context
from tenants.models import Role, Tenant, User
from tenants.principal import Principal, system

_number = itertools.count(1)
PASSWORD = "correct-horse-battery"


def make_tenant(slug: str = "") -> Tenant:
    """Make a tenant with its built-in roles."""
    slug = slug or f"tenant-{next(_number)}"
    return accounts.create_tenant(None, slug=slug, name=slug.title())


def make_member(tenant: Tenant, role: str = "owner", username: str = "") -> User:
    """Make a person who is a member of the tenant; their password is PASSWORD."""
    username = username or f"{role}-{next(_number)}"
    user = User.objects.create_user(username, f"{username}@example.org", PASSWORD, is_staff=True)
    with tenant_context(tenant.pk):
        accounts.add_member(system(tenant.pk), user, Role.objects.get(name=role))
    return user


def make_key(tenant: Tenant, scopes: Iterable[str] = tuple(keys.SCOPES)) -> str:
    """Issue an API key with these scopes (all of them by default) and return its token."""
    with tenant_context(tenant.pk):
        return keys.issue(system(tenant.pk), "test", scopes).token


@dataclass
class Api:
    """A caller of the REST API with a key of one tenant."""

    tenant: Tenant
    token: str

    @property
    def client(self) -> Client:
        return Client(headers={"Authorization": f"Api-Key {self.token}"}, raise_request_exception=False)

    @property
    def principal(self) -> Principal:
        principal = keys.verify(self.token, None)
        assert principal is not None
        return principal


def make_api(tenant: Tenant | None = None, scopes: Iterable[str] = tuple(keys.SCOPES)) -> Api:
    """Make a tenant (unless given) and a caller of the API for it."""
    tenant = tenant or make_tenant()
    return Api(tenant, make_key(tenant, scopes))
