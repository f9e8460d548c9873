"""Fence the tables of this app by tenant and shape the queue for many updates."""

from django.db import migrations

from tenants.rls import IsolateTenant

SHAPE = """
ALTER TABLE delivery_queue SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0);
ALTER TABLE delivery SET (fillfactor = 85);
"""


class Migration(migrations.Migration):
    dependencies = [("channels", "0001_initial"), ("tenants", "0002_isolation")]
    operations = [
        IsolateTenant("MessageTemplate"),
        IsolateTenant("Channel"),
        IsolateTenant("Delivery"),
        IsolateTenant("DeliveryAttempt"),
        IsolateTenant("DestinationHealth"),
        migrations.RunSQL(SHAPE, migrations.RunSQL.noop),
    ]
