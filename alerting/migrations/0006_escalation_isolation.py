"""Fence the tables of escalation and on-call by tenant; look at a schedule's hand-overs anew when it changes."""

from django.db import migrations

from tenants.rls import IsolateTenant, composite_key_sql

LOOK = """
CREATE FUNCTION look_at_schedule() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched jsonb := coalesce(to_jsonb(NEW), to_jsonb(OLD));
BEGIN
    INSERT INTO timer (tenant_id, kind, object_id, due_at)
    VALUES ((touched->>'tenant_id')::uuid, 'hand_over',
            coalesce(touched->>'schedule_id', touched->>'id')::uuid, now())
    ON CONFLICT (tenant_id, kind, object_id) DO UPDATE SET due_at = least(timer.due_at, excluded.due_at);
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("alerting", "0005_escalation")]
    operations = [
        *(
            IsolateTenant(name)
            for name in (
                "EscalationPolicy",
                "OnCallSchedule",
                "ScheduleState",
                "ScheduleOverride",
                "ContactMethod",
                "NotificationRule",
                "Escalation",
                "EscalationNotice",
            )
        ),
        migrations.RunSQL(
            composite_key_sql("route", "policy_id", "escalation_policy", 'SET NULL ("policy_id")'),
            "ALTER TABLE route DROP CONSTRAINT route_policy_id_tenant",
        ),
        migrations.RunSQL(LOOK, "DROP FUNCTION look_at_schedule()"),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER look_at_schedule AFTER INSERT OR UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION look_at_schedule()",
                f"DROP TRIGGER look_at_schedule ON {table}",
            )
            for table in ("on_call_schedule", "schedule_override")
        ),
    ]
