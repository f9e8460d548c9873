"""Let tenants say phrases in their own words, and channels have a time zone; count changes for the caches."""

import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation
import tenants.models.tenant
from tenants.rls import IsolateTenant

REVISION = """
CREATE FUNCTION raise_phrase_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO phrase_revision (id, tenant_id, revision)
    VALUES (gen_random_uuid(), coalesce(NEW.tenant_id, OLD.tenant_id), 1)
    ON CONFLICT (tenant_id) DO UPDATE SET revision = phrase_revision.revision + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER phrase_revision AFTER INSERT OR UPDATE OR DELETE ON phrase_override
    FOR EACH ROW EXECUTE FUNCTION raise_phrase_revision();
"""
NO_REVISION = """
DROP TRIGGER phrase_revision ON phrase_override;
DROP FUNCTION raise_phrase_revision();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('channels', '0003_delivery_states'),
        ('tenants', '0002_isolation'),
    ]

    operations = [
        migrations.AddField(
            model_name='channel',
            name='time_zone',
            field=models.CharField(blank=True, db_default='', help_text="Empty: the tenant's.", max_length=64, validators=[tenants.models.tenant.validate_time_zone], verbose_name='time zone'),
        ),
        migrations.CreateModel(
            name='PhraseOverride',
            fields=[
                ('id', models.UUIDField(default=tenants.isolation.new_id, editable=False, primary_key=True, serialize=False)),
                ('locale', models.CharField(help_text='Such as fr, or fr-CA for Canada alone.', max_length=12, verbose_name='language')),
                ('key', models.CharField(help_text='Its key, with the plural form where it has several: counts.alerts.one', max_length=80, verbose_name='phrase')),
                ('text', models.CharField(help_text='Keep the names in braces, such as {n}.', max_length=300, verbose_name='text')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('tenant', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant', verbose_name='tenant')),
            ],
            options={
                'verbose_name': 'own phrase',
                'verbose_name_plural': 'own phrases',
                'db_table': 'phrase_override',
                'ordering': ['locale', 'key'],
                'constraints': [models.UniqueConstraint(models.F('tenant'), models.F('locale'), models.F('key'), name='phrase_override_key')],
            },
        ),
        migrations.CreateModel(
            name='PhraseRevision',
            fields=[
                ('id', models.UUIDField(default=tenants.isolation.new_id, editable=False, primary_key=True, serialize=False)),
                ('revision', models.PositiveBigIntegerField(db_default=0, default=0)),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.tenant', verbose_name='tenant')),
            ],
            options={
                'db_table': 'phrase_revision',
                'constraints': [models.UniqueConstraint(models.F('tenant'), name='phrase_revision_one')],
            },
        ),
        IsolateTenant("PhraseOverride"),
        IsolateTenant("PhraseRevision"),
        migrations.RunSQL(REVISION, NO_REVISION),
    ]
