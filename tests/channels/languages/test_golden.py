"""Every situation, told in every language by every kind of channel, is what its golden file says.

`pytest tests/channels/languages/test_golden.py --update-golden` writes the files anew; read the difference.
"""

from pathlib import Path

import pytest

from channels.languages import languages
from tests.channels.languages.drawing import draw
from tests.channels.languages.situations import SITUATIONS, situation

FOLDER = Path(__file__).resolve().parents[1] / "golden"
KINDS = ["slack", "email", "sms", "pagerduty", "webhook", "apprise"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", SITUATIONS)
def test_the_message_reads_as_it_did(name: str, language: str, kind: str, pytestconfig: pytest.Config) -> None:
    file = FOLDER / f"{name}.{language}.{kind}.txt"
    text = draw(kind, situation(name, language))
    if pytestconfig.getoption("update_golden"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    wanted = {f"{name}.{tag}.{kind}.txt" for name in SITUATIONS for tag in languages() for kind in KINDS}
    assert {file.name for file in FOLDER.iterdir()} == wanted


# Some other kinds show nothing but the sender's words when little is known.
@pytest.mark.parametrize("kind", ["slack", "email", "webhook"])
@pytest.mark.parametrize("name", SITUATIONS)
def test_no_other_language_reads_like_english(name: str, kind: str) -> None:
    english = draw(kind, situation(name, "en"))
    for language in set(languages()) - {"en"}:
        assert draw(kind, situation(name, language)) != english
