"""A deployment with an adapter that cannot be loaded is told which and why."""

from channels.checks import check_adapters


def test_all_listed_adapters_load() -> None:
    assert check_adapters() == []


def test_an_adapter_that_cannot_be_loaded_is_named(settings) -> None:
    settings.CHANNEL_ADAPTERS = ["channels.adapters.pigeon.PigeonAdapter"]
    (error,) = check_adapters()
    assert error.id == "channels.E001"
    assert "PigeonAdapter" in error.msg
    assert "No module named" in error.hint
