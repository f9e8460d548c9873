"""The settings as the type checker loads them: the real ones, with placeholders for what only a deployment knows."""

import os

for name, value in {
    "ENVIRONMENT": "test",
    "SECRET_KEY": "typing",
    "API_KEY_PEPPER": "typing",
    "FIELD_ENCRYPTION_KEY": "dHlwaW5nLXR5cGluZy10eXBpbmctdHlwaW5nLXR5cGk=",
    "DATABASE_URL": "postgresql://typing@127.0.0.1/typing",
}.items():
    os.environ.setdefault(name, value)

from config.settings import *  # noqa: E402, F403
