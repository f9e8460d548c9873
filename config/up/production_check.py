"""`python -m config.up.production_check`: run Django's deployment checks on production settings, warnings included."""

import base64
import os
import secrets
import subprocess
import sys

from config.up.layout import ROOT


def production_env() -> dict[str, str]:
    """Return settings as a deployment has them; no secret of a machine or a checkout is read."""
    passed_on = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return passed_on | {
        "ENVIRONMENT": "production",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FIELD_ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "API_KEY_PEPPER": secrets.token_urlsafe(48),
        "DATABASE_URL": "postgresql://alerting_app:none@127.0.0.1:9/alerting",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "PUBLIC_BASE_URL": "https://alerts.example.com",
        "ALLOWED_HOSTS": "alerts.example.com",
    }


def main() -> int:
    """Return Django's verdict."""
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, env=production_env(), cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
