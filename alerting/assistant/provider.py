"""Whom the assistant asks: an interface, and the one implementation, OpenAI's chat completions over HTTP.

The format is that of https://platform.openai.com/docs/api-reference/chat, which local servers speak as well.
"""

from typing import Final, Protocol

import msgspec
from django.utils.translation import gettext as _

from channels import egress

MAX_TOKENS: Final = 400
MAX_ANSWER: Final = 2_000


class NoAnswer(Exception):
    """The model said nothing usable; the words say why."""


class Provider(Protocol):
    """Turns an instruction and facts into a short text."""

    def describe(self, instruction: str, facts: str) -> str:
        """Return what the model says; raises NoAnswer."""
        ...


class _Said(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Said


class _Completion(msgspec.Struct):
    choices: list[_Choice]


_decode: Final = msgspec.json.Decoder(_Completion).decode


class ChatCompletions:
    """An endpoint that speaks OpenAI's chat completions."""

    def __init__(self, url: str, model: str, api_key: str, seconds: float) -> None:
        self._url, self._model = f"{url.rstrip('/')}/chat/completions", model
        self._api_key, self._seconds = api_key, seconds

    def describe(self, instruction: str, facts: str) -> str:
        """Ask once, within the time limit; an answer that is late, refused or empty is NoAnswer."""
        question = {
            "model": self._model,
            "messages": [{"role": "system", "content": instruction}, {"role": "user", "content": facts}],
            "max_tokens": MAX_TOKENS,
            "temperature": 0.2,
        }
        headers = {"Content-Type": "application/json"}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        try:
            answer = egress.request(
                "POST", self._url, body=msgspec.json.encode(question), headers=headers, timeout=self._seconds
            )
        except egress.EgressError as error:
            raise NoAnswer(str(error)) from error
        if answer.status != 200:
            raise NoAnswer(_("The model's server answered with status %(status)d.") % {"status": answer.status})
        return _text(answer.body)


def _text(body: bytes) -> str:
    try:
        choices = _decode(body).choices
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NoAnswer(_("The model's answer is not in the expected form.")) from error
    text = (choices[0].message.content or "").strip() if choices else ""
    if not text:
        raise NoAnswer(_("The model had nothing to say."))
    return text[:MAX_ANSWER]
