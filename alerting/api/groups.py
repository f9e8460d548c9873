"""REST doors of groups: read them, and act on them through `alerting.lifecycle`, the only writer of their status."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerting import lifecycle
from alerting.api.advice import AdviceOutput
from alerting.api.alert_filters import GROUPS
from alerting.api.alert_serializers import GroupOutput, TimelineEventOutput
from alerting.api.reads import FilteredViewSet
from alerting.api.silences import SilenceOutput
from alerting.filters import Wanted
from alerting.models import AlertGroup
from alerting.scoring.similar import advice
from alerting.selectors import group_timeline, list_groups
from alerting.validation import MAX_SILENCE
from channels.selectors import database_now
from tenants.api.inputs import StrictSerializer
from tenants.api.problems import Problem
from tenants.api.query import identifier
from tenants.models import Membership, User


class ReasonInput(StrictSerializer):
    """Why; it stands in the timeline and in the audit log."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)


class CommentInput(StrictSerializer):
    """A line of text."""

    text = serializers.CharField(max_length=lifecycle.MAX_COMMENT)


class AssignInput(StrictSerializer):
    """Who takes it, by user name; null for nobody."""

    username = serializers.CharField(max_length=150, allow_null=True)

    def validate_username(self, username: str | None) -> User | None:
        if username is None:
            return None
        member = Membership._default_manager.select_related("user").filter(user__username=username).first()
        if member is None:
            raise serializers.ValidationError(_("No member of this tenant has this name."))
        return member.user


class GroupSilenceInput(StrictSerializer):
    """Until when, and why."""

    ends_at = serializers.DateTimeField()
    comment = serializers.CharField(max_length=500)

    def validate_ends_at(self, ends_at: datetime) -> datetime:
        now = database_now()
        if not now < ends_at <= now + MAX_SILENCE:
            raise serializers.ValidationError(_("A silence ends in the future, within a year."))
        return ends_at


class GroupViewSet(FilteredViewSet):
    """Groups: alerts that people are told of together, newest first."""

    noun = "group"
    cursor_field = "opened_at"
    write_permission = "act_on_alerts"
    output_serializer = GroupOutput
    filters = {"list": GROUPS}
    paged = frozenset({"list", "history"})

    def rows(self) -> QuerySet[AlertGroup]:
        return list_groups(self.wanted() if self.action == "list" else Wanted())

    @extend_schema(summary="Show the timeline of a group", responses=TimelineEventOutput(many=True))
    @action(detail=True, methods=["get"], url_path="timeline")
    def history(self, request: Request, id: str) -> Response:
        """Every decision, oldest first: who was told what and when, or why not."""
        return self.timeline(group_timeline(self.get_object().pk))

    @extend_schema(summary="Show what the past says about a group", responses=AdviceOutput)
    @action(detail=True, methods=["get"])
    def advice(self, request: Request, id: str) -> Response:
        """Past groups like it, how they ended, and what that suggests doing now."""
        return Response(AdviceOutput(advice(self.get_object())).data)

    @extend_schema(summary="Acknowledge a group", request=ReasonInput, responses=GroupOutput)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, id: str) -> Response:
        """It is not repeated any more; what is new is still told."""
        return self._act(id, lifecycle.acknowledge)

    @extend_schema(summary="Take an acknowledgement back", request=ReasonInput, responses=GroupOutput)
    @action(detail=True, methods=["post"])
    def unacknowledge(self, request: Request, id: str) -> Response:
        """Repeats go on."""
        return self._act(id, lifecycle.unacknowledge)

    @extend_schema(summary="Resolve a group", request=ReasonInput, responses=GroupOutput)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, id: str) -> Response:
        """Ends the group and its alerts until they fire anew."""
        return self._act(id, lifecycle.resolve)

    @extend_schema(summary="Assign a group", request=AssignInput, responses=GroupOutput)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, id: str) -> Response:
        """Gives it to a member, or to nobody."""
        group_id = self._group_id(id)
        user = self.accept(AssignInput)["username"]
        with _conflicts():
            lifecycle.assign(self.principal, group_id, user)
        return self._answer(group_id)

    @extend_schema(summary="Comment on a group", request=CommentInput, responses=GroupOutput)
    @action(detail=True, methods=["post"])
    def comment(self, request: Request, id: str) -> Response:
        """Adds a line to the timeline."""
        group_id = self._group_id(id)
        text = self.accept(CommentInput)["text"]
        with _conflicts():
            lifecycle.comment(self.principal, group_id, text)
        return self._answer(group_id)

    @extend_schema(summary="Silence a group", request=GroupSilenceInput, responses={201: SilenceOutput})
    @action(detail=True, methods=["post"])
    def silence(self, request: Request, id: str) -> Response:
        """Silences alerts with the labels of this group, in this one and in the next of its kind."""
        group_id = self._group_id(id)
        wanted = self.accept(GroupSilenceInput)
        with _conflicts():
            made = lifecycle.silence_group(self.principal, group_id, wanted["ends_at"], wanted["comment"])
        return Response(SilenceOutput(made).data, status.HTTP_201_CREATED)

    def _act(self, id: str, act: Callable[..., Any]) -> Response:
        group_id = self._group_id(id)
        reason = self.accept(ReasonInput).get("reason", "")
        with _conflicts():
            act(self.principal, group_id, reason)
        return self._answer(group_id)

    def _group_id(self, text: str) -> UUID:
        # Not locked here: lifecycle first takes the tenant's turn, and locks in another order would dead-lock.
        try:
            found = identifier(text)
        except ValueError as error:
            raise Http404 from error
        if not AlertGroup._default_manager.filter(pk=found).exists():
            raise Http404
        return found

    def _answer(self, group_id: UUID) -> Response:
        return self.answer(list_groups(Wanted()).get(pk=group_id))


@contextmanager
def _conflicts() -> Iterator[None]:
    """Answer what the state of a group forbids as a conflict."""
    try:
        yield
    except (lifecycle.IllegalStep, lifecycle.NothingToSilence) as error:
        raise Problem("conflict", str(error)) from error
