"""The kinds of problem the API answers with: status and title of each code."""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Kind:
    """What all problems of one code have in common."""

    status: int
    title: str | Promise


KINDS: Final[dict[str, Kind]] = {
    "bad_request": Kind(400, _("The request cannot be understood.")),
    "bad_cursor": Kind(400, _("The page cursor is not valid.")),
    "bad_query": Kind(400, _("A query parameter is not valid.")),
    "duplicate_key": Kind(400, _("A key occurs more than once in the JSON body.")),
    "empty": Kind(400, _("The body holds nothing to work on.")),
    "invalid": Kind(400, _("Something in the request is not valid.")),
    "lone_surrogate": Kind(400, _("A text holds half of a surrogate pair.")),
    "malformed_json": Kind(400, _("The body is not valid JSON.")),
    "not_a_number": Kind(400, _("A number is not finite.")),
    "not_utf8": Kind(400, _("The body is not UTF-8.")),
    "nul_character": Kind(400, _("A text holds a NUL character.")),
    "number_out_of_range": Kind(400, _("A number is out of range.")),
    "nothing_accepted": Kind(400, _("No alert in the request could be accepted.")),
    "no_sample_accepted": Kind(400, _("No sample in the request could be accepted.")),
    "required": Kind(400, _("Something is missing.")),
    "too_deep": Kind(400, _("The body nests too deeply.")),
    "type": Kind(400, _("The body has the wrong form.")),
    "unknown_value": Kind(400, _("A value is not one of those known.")),
    "not_authenticated": Kind(401, _("Authentication is needed.")),
    "forbidden": Kind(403, _("You may not do this.")),
    "not_found": Kind(404, _("There is no such thing here.")),
    "method_not_allowed": Kind(405, _("This address does not take that method.")),
    "not_acceptable": Kind(406, _("The answer cannot be given in that form.")),
    "conflict": Kind(409, _("This conflicts with the present state.")),
    "too_large": Kind(413, _("The body is too large.")),
    "too_many": Kind(413, _("The request holds too many items.")),
    "unsupported_media_type": Kind(415, _("The body must be JSON in UTF-8, not compressed.")),
    "idempotency_mismatch": Kind(422, _("This idempotency key was used with another body.")),
    "rate_limited": Kind(429, _("Too many requests.")),
    "internal_error": Kind(500, _("Something failed on our side.")),
    "unavailable": Kind(503, _("The service cannot take this at the moment.")),
}
