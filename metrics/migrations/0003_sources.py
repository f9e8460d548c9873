"""Make the tables of metric sources and of the chosen metrics, fence them, and let triggers keep what follows."""

import datetime
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import encrypted_model_fields.fields
import tenants.isolation
from django.db import migrations, models

from tenants.rls import IsolateTenant

SCHEDULE = """
-- A source is due for the first time at a moment of its own, so that many made at once are not asked at once;
-- a changed one is asked soon.
CREATE FUNCTION schedule_metric_source() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM metric_source_due WHERE source_id = OLD.id;
    ELSIF NOT NEW.is_active THEN
        DELETE FROM metric_source_due WHERE source_id = NEW.id;
    ELSE
        INSERT INTO metric_source_due (source_id, tenant_id, due_at)
        VALUES (NEW.id, NEW.tenant_id, clock_timestamp() + random() * least(NEW."interval", interval '10 seconds'))
        ON CONFLICT (source_id) DO UPDATE SET due_at = least(metric_source_due.due_at, excluded.due_at);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER schedule_metric_source
    AFTER INSERT OR DELETE OR UPDATE OF kind, settings, credentials, "interval", is_active
    ON metric_source FOR EACH ROW EXECUTE FUNCTION schedule_metric_source();

ALTER TABLE metric_source_due SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
"""

# Series come from many doors and choices change: the database alone sees all of both.
LINK = """
CREATE FUNCTION link_series_to_catalogue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.catalogue_key = '' THEN
        NEW.catalogue_key := coalesce(
            (SELECT key FROM metric_choice WHERE tenant_id = NEW.tenant_id AND metric = NEW.metric), '');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER link_series_to_catalogue BEFORE INSERT ON series
    FOR EACH ROW EXECUTE FUNCTION link_series_to_catalogue();

CREATE FUNCTION link_chosen_series() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE series SET catalogue_key = ''
        WHERE tenant_id = OLD.tenant_id AND metric = OLD.metric AND catalogue_key = OLD.key;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        UPDATE series SET catalogue_key = NEW.key WHERE tenant_id = NEW.tenant_id AND metric = NEW.metric;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER link_chosen_series AFTER INSERT OR DELETE OR UPDATE OF key, metric
    ON metric_choice FOR EACH ROW EXECUTE FUNCTION link_chosen_series();
"""

UNDO = """
DROP TRIGGER link_chosen_series ON metric_choice;
DROP TRIGGER link_series_to_catalogue ON series;
DROP TRIGGER schedule_metric_source ON metric_source;
DROP FUNCTION link_chosen_series();
DROP FUNCTION link_series_to_catalogue();
DROP FUNCTION schedule_metric_source();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0002_series_isolation'),
        ('tenants', '0002_isolation'),
    ]

    operations = [
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.UUIDField(default=tenants.isolation.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('kind', models.CharField(max_length=32, verbose_name='kind')),
                ('settings', models.JSONField(blank=True, default=dict, verbose_name='settings')),
                ('credentials', encrypted_model_fields.fields.EncryptedTextField(blank=True, default='', verbose_name='credentials')),
                ('labels', models.JSONField(blank=True, default=dict, help_text='Added to every series; they win over what the source says.', verbose_name='labels')),
                ('interval', models.DurationField(default=datetime.timedelta(seconds=60), validators=[django.core.validators.MinValueValidator(datetime.timedelta(seconds=10)), django.core.validators.MaxValueValidator(datetime.timedelta(days=1))], verbose_name='interval')),
                ('timeout', models.PositiveSmallIntegerField(default=10, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(30)], verbose_name='time limit in seconds')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('tenant', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant', verbose_name='tenant')),
            ],
            options={
                'verbose_name': 'metric source',
                'verbose_name_plural': 'metric sources',
                'db_table': 'metric_source',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='SourceDue',
            fields=[
                ('source_id', models.UUIDField(primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField()),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'db_table': 'metric_source_due',
                'default_permissions': (),
                'indexes': [models.Index(models.F('due_at'), name='metric_source_due_at')],
            },
        ),
        migrations.CreateModel(
            name='SourceState',
            fields=[
                ('id', models.UUIDField(default=tenants.isolation.new_id, editable=False, primary_key=True, serialize=False)),
                ('health', models.CharField(choices=[('healthy', 'healthy'), ('degraded', 'degraded'), ('failing', 'failing')], max_length=8, verbose_name='health')),
                ('failures', models.PositiveIntegerField(default=0, verbose_name='failures in a row')),
                ('trouble', models.CharField(blank=True, default='', max_length=16)),
                ('words', models.CharField(blank=True, default='', max_length=500, verbose_name='what is wrong')),
                ('looked_at', models.DateTimeField(verbose_name='last asked')),
                ('succeeded_at', models.DateTimeField(null=True, verbose_name='last answer')),
                ('took_ms', models.PositiveIntegerField(default=0, verbose_name='milliseconds')),
                ('series', models.PositiveIntegerField(default=0, verbose_name='series')),
                ('points', models.PositiveIntegerField(default=0, verbose_name='values')),
                ('samples', models.JSONField(default=list, verbose_name='last values')),
                ('memory', models.BinaryField(default=b'')),
                ('source', tenants.isolation.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='state', to='metrics.source', verbose_name='metric source')),
                ('tenant', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant', verbose_name='tenant')),
            ],
            options={
                'db_table': 'metric_source_state',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='MetricChoice',
            fields=[
                ('id', models.UUIDField(default=tenants.isolation.new_id, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=64, verbose_name='catalogue entry')),
                ('metric', models.CharField(max_length=256, verbose_name='name of the series')),
                ('settings', models.JSONField(blank=True, default=dict, help_text='For metrics that are computed, such as drift.', verbose_name='settings')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('tenant', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant', verbose_name='tenant')),
            ],
            options={
                'verbose_name': 'metric of the catalogue',
                'verbose_name_plural': 'metrics of the catalogue',
                'db_table': 'metric_choice',
                'ordering': ['key'],
                'constraints': [models.UniqueConstraint(models.F('tenant'), models.F('key'), name='metric_choice_key'), models.UniqueConstraint(models.F('tenant'), models.F('metric'), name='metric_choice_metric')],
            },
        ),
        migrations.AddConstraint(
            model_name='source',
            constraint=models.UniqueConstraint(models.F('tenant'), models.F('name'), name='metric_source_name'),
        ),
        migrations.AddConstraint(
            model_name='sourcestate',
            constraint=models.UniqueConstraint(fields=('tenant', 'source'), name='metric_source_state_source'),
        ),
        *(IsolateTenant(name) for name in ("Source", "SourceState", "MetricChoice")),
        migrations.RunSQL([SCHEDULE, LINK], UNDO),
    ]
