"""Fence the tables of this app by tenant and make the audit log append-only."""

from django.db import migrations

from tenants.rls import IsolateTenant

REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
ALLOW = """
DROP TRIGGER append_only_rows ON audit_entry;
DROP TRIGGER append_only_table ON audit_entry;
DROP FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]
    operations = [
        IsolateTenant("Role"),
        IsolateTenant("Membership", readable_when="user_id = nullif(current_setting('app.person', true), '')::uuid"),
        IsolateTenant("ApiKey", readable_when="prefix = nullif(current_setting('app.key_prefix', true), '')"),
        IsolateTenant("AuditEntry"),
        migrations.RunSQL(REFUSE, ALLOW),
    ]
