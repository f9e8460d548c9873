"""Make the table of judging turns; it has no past, and goes with its tenant."""

from django.db import migrations, models

SHAPE = """
ALTER TABLE judging_turn SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE judging_turn ADD CONSTRAINT judging_turn_tenant FOREIGN KEY (tenant_id) REFERENCES tenant (id)
    ON DELETE CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0005_entities"),
    ]

    operations = [
        migrations.CreateModel(
            name="JudgingTurn",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "part", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("part", models.PositiveSmallIntegerField()),
                ("holder", models.UUIDField(null=True)),
                ("begun_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("seconds", models.FloatField(db_default=0.0, default=0.0)),
                ("tries", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("size", models.PositiveIntegerField(db_default=250, default=250)),
            ],
            options={
                "db_table": "judging_turn",
                "default_permissions": (),
            },
        ),
        migrations.RunSQL(SHAPE, migrations.RunSQL.noop),
    ]
