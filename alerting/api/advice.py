"""What goes out about the past of a group: those like it and what they suggest."""

from typing import Any

from rest_framework import serializers

from alerting.scoring.similar import SimilarGroup


class SimilarGroupOutput(serializers.Serializer[Any]):
    """A past group like this one; `likeness` from 0 to 1, `lasted` in seconds."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    likeness = serializers.FloatField()
    opened_at = serializers.DateTimeField()
    lasted = serializers.SerializerMethodField()
    resolved_by = serializers.CharField(allow_blank=True)
    comments = serializers.ListField(child=serializers.CharField())

    def get_lasted(self, group: SimilarGroup) -> float | None:
        return None if group.lasted is None else group.lasted.total_seconds()


class SuggestionOutput(serializers.Serializer[Any]):
    """Something to do or to know, and the past group it comes from."""

    kind = serializers.ChoiceField(choices=["pattern", "action", "runbook", "note"])
    text = serializers.CharField()
    url = serializers.CharField(allow_blank=True)
    group = serializers.UUIDField(source="group_id", allow_null=True)


class AdviceOutput(serializers.Serializer[Any]):
    """What the tenant's past says about a group."""

    similar = SimilarGroupOutput(many=True)
    suggestions = SuggestionOutput(many=True)
