"""Bind the Celery application to every process that sets Django up."""

from importlib import import_module

from django.apps import AppConfig


class ServiceConfig(AppConfig):
    """Import the Celery application once Django is ready.

    Not in `config/__init__.py`: `make up` and the tests import `config.embedded` before there are settings.
    """

    name = "config"

    def ready(self) -> None:
        """Make `shared_task` publish to our broker."""
        import_module("config.celery")
