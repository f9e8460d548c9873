"""The demo tenant keeps its password and key for as long as they work."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from alerting.demo import ADMIN
from tenants import keys
from tenants.context import tenant_context
from tenants.models import ApiKey, Tenant, User
from tenants.principal import system

pytestmark = pytest.mark.django_db


def seed(out: Path) -> dict[str, str]:
    call_command("seed_demo", "--out", str(out))
    made: dict[str, str] = json.loads(out.read_text())
    return made


def opens(made: dict[str, str]) -> bool:
    fits = User.objects.get(username=ADMIN).check_password(made["admin_password"])
    return fits and keys.verify(made["api_key"], None) is not None


def test_what_works_is_kept(tmp_path: Path) -> None:
    first = seed(tmp_path / "demo.json")
    assert opens(first)
    assert seed(tmp_path / "demo.json") == first
    assert opens(first)


def test_what_works_no_longer_is_made_anew(tmp_path: Path) -> None:
    first = seed(tmp_path / "demo.json")
    tenant = Tenant.objects.get(slug="demo")
    with tenant_context(tenant.pk):
        key = ApiKey.objects.get(name="demo", revoked_at=None)
        keys.revoke(system(tenant.pk, "test"), key)
    keys.forget(key.prefix)
    user = User.objects.get(username=ADMIN)
    user.set_password("chosen by somebody")
    user.save()
    second = seed(tmp_path / "demo.json")
    assert opens(second)
    assert (second["api_key"], second["admin_password"]) != (first["api_key"], first["admin_password"])


@pytest.mark.parametrize("text", [None, "", '{"admin_pass', "[]"])
def test_without_the_file_of_an_earlier_run_everything_is_new(tmp_path: Path, text: str | None) -> None:
    first = seed(tmp_path / "demo.json")
    if text is None:
        (tmp_path / "demo.json").unlink()
    else:
        (tmp_path / "demo.json").write_text(text)
    second = seed(tmp_path / "demo.json")
    assert opens(second)
    assert not opens(first)
    with tenant_context(Tenant.objects.get(slug="demo").pk):
        assert ApiKey.objects.filter(name="demo", revoked_at=None).count() == 1
