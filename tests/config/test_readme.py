"""The README names every setting that the environment may give."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = (ROOT / "config" / "settings.py").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMES = sorted(set(re.findall(r'env\.(?:text|flag|integer|words|database)\("([A-Z_]+)"', SETTINGS)))


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_in_the_table(name: str) -> None:
    assert re.search(rf"^\|[^|]*`{name}`", README, re.MULTILINE)


def test_links_lead_somewhere() -> None:
    places = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert [place for place in places if not (ROOT / place).exists()] == []
