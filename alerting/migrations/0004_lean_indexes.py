"""Index what flaps, and drop two indexes nobody reads from the tables that grow fastest."""

from django.db import migrations, models

# No foreign key points at these, and every look-up has a better index; each row is written without them sooner.
UNREAD = {"alert": "alert_tenant_id_id", "timeline_event": "timeline_event_tenant_id_id"}


class Migration(migrations.Migration):
    dependencies = [("alerting", "0003_audit_total")]
    operations = [
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                fields=["tenant", "group"], condition=models.Q(is_flapping=True), name="alert_is_flapping"
            ),
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} DROP CONSTRAINT {constraint}",
                f"ALTER TABLE {table} ADD CONSTRAINT {constraint} UNIQUE (tenant_id, id)",
            )
            for table, constraint in UNREAD.items()
        ),
    ]
