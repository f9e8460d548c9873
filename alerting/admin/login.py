"""Signing in: anybody with a tenant, and platform operators."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from unfold.forms import AuthenticationForm

from tenants.access import memberships_of
from tenants.models import User


class LoginForm(AuthenticationForm):
    """Asks for a membership instead of Django's is_staff."""

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        """Refuse who is switched off or has nowhere to go."""
        if not isinstance(user, User) or not user.is_active:
            raise self.get_invalid_login_error()
        if not user.is_superuser and not memberships_of(user):
            raise ValidationError(_("You are not a member of any tenant. Ask an owner of yours to invite you."))
