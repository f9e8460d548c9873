"""Who is calling the API: a key, or a person with a session."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, CSRFCheck, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from tenants import keys
from tenants.principal import Principal


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key ak_...`; missing, wrong, expired and revoked keys get the same 401."""

    keyword = b"api-key"

    def authenticate(self, request: Request) -> tuple[Principal, Principal] | None:
        word, _space, token = get_authorization_header(request).partition(b" ")
        if word.lower() != self.keyword:
            return None
        principal = keys.verify(token.strip().decode("ascii", "replace"), getattr(request, "client_ip", None))
        if principal is None:
            raise AuthenticationFailed(_("This API key is not valid. Check it, or issue a new one in the admin."))
        return principal, principal

    def authenticate_header(self, request: Request) -> str:
        return 'Api-Key realm="api"'


class SessionAuthentication(BaseAuthentication):
    """A person signed in to the admin, in the tenant their session has chosen; unsafe methods need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Principal, Principal] | None:
        plain: HttpRequest = request._request
        principal: Principal | None = getattr(plain, "principal", None)
        if principal is None:
            return None
        self._check_csrf(plain)
        return principal, principal

    def _check_csrf(self, request: HttpRequest) -> None:
        def no_response(_request: HttpRequest) -> HttpResponse:
            return HttpResponse()

        check = CSRFCheck(no_response)
        check.process_request(request)
        if reason := check.process_view(request, no_response, (), {}):
            raise PermissionDenied(_("The CSRF check failed: %(reason)s") % {"reason": reason})
