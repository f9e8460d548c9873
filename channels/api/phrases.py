"""REST door of a tenant's own phrases, the list of those that may be replaced, and a preview."""

from typing import Any

import msgspec
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.languages.book import leaves
from channels.languages.catalogue import SOURCE
from channels.languages.locales import normalise
from channels.languages.phrase import MAX_TEXT
from channels.languages.trying import built_in, try_phrase
from channels.models import PhraseOverride
from tenants.api.filters import words
from tenants.api.inputs import StrictModelSerializer, StrictSerializer
from tenants.api.views import ConfigurationViewSet


class PhraseInput(StrictModelSerializer):
    """One phrase in one language; names in braces must be those the phrase has."""

    class Meta:
        model = PhraseOverride
        fields = ("locale", "key", "text")


class PhraseOutput(serializers.ModelSerializer[PhraseOverride]):
    """A phrase of the tenant, and what the service says without it."""

    built_in = serializers.SerializerMethodField()

    class Meta:
        model = PhraseOverride
        fields = ("id", "locale", "key", "text", "built_in", "updated_at")

    def get_built_in(self, phrase: PhraseOverride) -> str:
        return built_in(phrase.locale, phrase.key)


class PhrasePreviewInput(StrictSerializer):
    """A phrase to try."""

    locale = serializers.CharField(max_length=12)
    key = serializers.CharField(max_length=80)
    text = serializers.CharField(max_length=MAX_TEXT, trim_whitespace=False)


class PhrasePreviewOutput(serializers.Serializer[Any]):
    """What would be said; `faults` by field when it may not be saved."""

    built_in = serializers.CharField()
    sentence = serializers.CharField()
    names = serializers.ListField(child=serializers.CharField())
    messages = serializers.DictField(child=serializers.CharField())
    faults = serializers.DictField(child=serializers.CharField())


class KnownPhraseOutput(serializers.Serializer[Any]):
    """A phrase that may be replaced, and the names it may use."""

    key = serializers.CharField()
    text = serializers.CharField()
    names = serializers.ListField(child=serializers.CharField())


class KnownPhrasesOutput(serializers.Serializer[Any]):
    """All phrases of a language."""

    locale = serializers.CharField()
    phrases = KnownPhraseOutput(many=True)


class PhraseViewSet(ConfigurationViewSet):
    """Own phrases: what a tenant says in its own words, in effect everywhere within a second."""

    model = PhraseOverride
    noun = "own phrase"
    input_serializer = PhraseInput
    output_serializer = PhraseOutput
    action_permissions = {"preview": "view_configuration", "known": "view_configuration"}
    filters = {"list": {"locale": words(12), "key": words(80)}, "known": {"locale": words(12)}}

    def rows(self) -> QuerySet[PhraseOverride]:
        found = super().rows()
        wanted = self.query if self.action == "list" else {}
        return found.filter(**{name: wanted[name] for name in ("locale", "key") if wanted.get(name)})

    @extend_schema(summary="List the phrases that may be replaced", responses=KnownPhrasesOutput)
    @action(detail=False, methods=["get"])
    def known(self, request: Request) -> Response:
        """Those of one language (`locale`, else English), as the service says them."""
        locale = normalise(str(self.query.get("locale") or SOURCE)) or SOURCE
        phrases = [
            {"key": leaf, "text": built_in(locale, leaf), "names": sorted(names)}
            for leaf, names in leaves(locale).items()
        ]
        return Response({"locale": locale, "phrases": phrases})

    @extend_schema(
        summary="See what a phrase would say", request=PhrasePreviewInput, responses={200: PhrasePreviewOutput}
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Says the phrase by itself and in messages of several kinds of channel; saves nothing."""
        wanted = self.accept(PhrasePreviewInput)
        return Response(msgspec.to_builtins(try_phrase(wanted["locale"], wanted["key"], wanted["text"])))
