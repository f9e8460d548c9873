"""Addresses of a finding: its page, and its chart behind a signed link that needs no key."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from metrics.models import Finding

_signer: Final = Signer(salt="finding-chart", sep=".")


def finding_url(finding: Finding) -> str:
    """Where a person looks at it; a worker that only judges has no need to load the admin for it."""
    return f"{settings.PUBLIC_BASE_URL}/admin/metrics/finding/{finding.pk}/change/"


def chart_url(finding: Finding) -> str:
    """Where its picture is; whoever got the message may see it, so the address itself is the secret."""
    token = _signer.sign(f"{finding.tenant_id.hex}{finding.pk.hex}")
    return settings.PUBLIC_BASE_URL + reverse("finding-chart", args=[token])


def read_token(token: str) -> tuple[UUID, UUID] | None:
    """The tenant and the finding an address stands for; None when it was forged."""
    try:
        said = _signer.unsign(token)
        return UUID(said[:32]), UUID(said[32:64])
    except (BadSignature, ValueError):
        return None
