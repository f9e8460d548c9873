"""Fence the tables of this app by tenant, wake listeners on new work, count configuration changes."""

from django.db import migrations

from tenants.rls import IsolateTenant

SHAPE = """
ALTER TABLE intake_queue SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0);
ALTER TABLE timer SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE intake_request SET (fillfactor = 85);
-- Bodies are compressed before they come (alerting/decoding), faster than the server would.
ALTER TABLE intake_request ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE alert SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE alert_group SET (fillfactor = 70);
"""

REVISION = """
CREATE FUNCTION raise_configuration_revision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner uuid := coalesce(NEW.tenant_id, OLD.tenant_id);
BEGIN
    INSERT INTO configuration_revision (id, tenant_id, revision) VALUES (gen_random_uuid(), owner, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET revision = configuration_revision.revision + 1;
    INSERT INTO timer (tenant_id, kind, object_id, due_at) VALUES (owner, 'settings', owner, now())
    ON CONFLICT (tenant_id, kind, object_id) DO UPDATE SET due_at = least(timer.due_at, excluded.due_at);
    RETURN NULL;
END $$;
"""
CONFIGURED = [
    "alerting_policy",
    "route",
    "route_channel",
    "grouping_rule",
    "enrichment_step",
    "silence",
    "inhibition_rule",
    "maintenance_window",
    "channel",
    "message_template",
]


class Migration(migrations.Migration):
    dependencies = [("alerting", "0001_initial"), ("channels", "0002_isolation")]
    operations = [
        *(
            IsolateTenant(name)
            for name in (
                "IntakeRequest",
                "QuarantinedAlert",
                "AlertGroup",
                "Alert",
                "NotificationLog",
                "TimelineEvent",
                "AlertingPolicy",
                "ConfigurationRevision",
                "Route",
                "RouteChannel",
                "GroupingRule",
                "EnrichmentStep",
                "Silence",
                "InhibitionRule",
                "MaintenanceWindow",
                "AuditFinding",
            )
        ),
        migrations.RunSQL(SHAPE, migrations.RunSQL.noop),
        migrations.RunSQL(REVISION, "DROP FUNCTION raise_configuration_revision()"),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER configuration_revision AFTER INSERT OR UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION raise_configuration_revision()",
                f"DROP TRIGGER configuration_revision ON {table}",
            )
            for table in CONFIGURED
        ),
    ]
