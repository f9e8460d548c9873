"""Forms for members and roles; nobody can give away more than they hold themselves."""

import secrets
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminTextInputWidget,
)

from tenants import accounts
from tenants.admin.forms import TenantModelForm
from tenants.models import Membership, Role, Tenant, User
from tenants.principal import Principal


def permission_labels() -> dict[str, str]:
    """Return the permissions of a tenant with their names, in the order of the model."""
    return {str(codename): _(str(label)) for codename, label in Tenant._meta.permissions}


def check_within(actor: Principal, wanted: frozenset[str]) -> None:
    """Refuse permissions that the actor lacks, so that nobody raises themselves by way of another."""
    labels = permission_labels()
    beyond = sorted(labels.get(name, name) for name in wanted - actor.permissions)
    if beyond:
        message = _("You cannot give what you do not hold yourself: %(permissions)s.")
        raise ValidationError(message % {"permissions": ", ".join(beyond)})


class MemberForm(TenantModelForm):
    """Another role for a member."""

    actor: ClassVar[Principal]

    class Meta:
        model = Membership
        # Keys to other rows are added per request by the page: their choices exist only inside a tenant.
        fields = ()

    def clean_role(self) -> Role:
        """Refuse a role that holds more than the actor does, and to take from a member who does."""
        role: Role = self.cleaned_data["role"]
        check_within(self.actor, accounts.role_permissions(role))
        if not self.instance._state.adding:
            check_within(self.actor, accounts.role_permissions(Role._default_manager.get(pk=self.instance.role_id)))
            self._check_an_owner_stays(role)
        return role

    def _check_an_owner_stays(self, role: Role) -> None:
        before = Membership._default_manager.select_related("role").get(pk=self.instance.pk).role
        if before.name != "owner" or not before.is_built_in or role.pk == before.pk:
            return
        if not Membership._default_manager.filter(role=before).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("This is the last owner. Make another member an owner first."))


class NewMemberForm(MemberForm):
    """A person by e-mail address; who is new here gets an account."""

    email = forms.EmailField(label=gettext_lazy("e-mail address"), widget=UnfoldAdminEmailInputWidget())
    username = forms.CharField(
        label=gettext_lazy("user name"),
        max_length=150,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("For a person without an account; empty: the e-mail address."),
    )
    full_name = forms.CharField(
        label=gettext_lazy("name"), max_length=150, required=False, widget=UnfoldAdminTextInputWidget()
    )

    def clean(self) -> dict[str, Any]:
        """Find the person; refuse a second membership and a user name that is taken."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        email = data.get("email", "")
        person = User.objects.filter(email__iexact=email).first() if email else None
        if person is not None:
            self.instance.user = person
            if Membership._default_manager.filter(user=person).exists():
                self.add_error("email", _("This person is a member already."))
            return data
        username = data.get("username") or email
        field = User._meta.get_field("username")
        try:
            field.run_validators(username)
        except ValidationError as error:
            self.add_error("username", error)
        if User.objects.filter(username=username).exists():
            self.add_error("username", _("This user name is taken; choose another."))
        return data

    def person(self) -> tuple[User, str]:
        """Return the person, made when there is none, with the first password of a new one."""
        data = self.cleaned_data
        person = User.objects.filter(email__iexact=data["email"]).first()
        if person is None:
            password = secrets.token_urlsafe(15)
            first, _blank, last = data["full_name"].partition(" ")
            person = User.objects.create_user(
                data["username"] or data["email"], data["email"], password, first_name=first, last_name=last
            )
            self.instance.user = person
            return person, password
        return person, ""


class RoleForm(TenantModelForm):
    """A role of the tenant's own and its permissions."""

    actor: ClassVar[Principal]
    permissions = forms.MultipleChoiceField(
        label=gettext_lazy("may"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        choices=lambda: permission_labels().items(),
    )

    class Meta:
        model = Role
        fields = ("name",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.instance._state.adding and "permissions" in self.fields:
            self.fields["permissions"].initial = sorted(accounts.role_permissions(self.instance))

    def clean_permissions(self) -> list[str]:
        """Refuse more than the actor holds."""
        wanted: list[str] = self.cleaned_data["permissions"]
        check_within(self.actor, frozenset(wanted))
        return wanted
