"""What is learned from a tenant's past, and what it may do with alerts."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import tenants.isolation
from django.db import migrations, models

from tenants.rls import IsolateTenant


class Migration(migrations.Migration):

    dependencies = [
        ('alerting', '0006_escalation_isolation'),
        ('tenants', '0002_isolation'),
    ]

    operations = [
        migrations.AddField(
            model_name='alert',
            name='scores',
            field=models.JSONField(null=True, verbose_name='scores'),
        ),
        migrations.AddField(
            model_name='alertingpolicy',
            name='scoring',
            field=models.CharField(choices=[('off', 'off'), ('annotate', 'say so beside the alert'), ('apply', 'change severities, once it has earned it')], db_default='annotate', default='annotate', help_text='Whether alerts are judged by how unusual they are and by what people did with alerts like them.', max_length=10, verbose_name='scoring'),
        ),
        migrations.AddField(
            model_name='alertingpolicy',
            name='severity_floor',
            field=models.PositiveSmallIntegerField(choices=[(10, 'info'), (20, 'warning'), (30, 'error'), (40, 'critical')], db_default=20, default=20, help_text='Scoring raises severities as it likes and lowers none to below this one.', verbose_name='never lower below'),
        ),
        migrations.AddField(
            model_name='alertingpolicy',
            name='trust_floor',
            field=models.FloatField(db_default=0.8, default=0.8, help_text='Until as large a share of the alerts it calls urgent was acted on, scoring only annotates.', validators=[django.core.validators.MinValueValidator(0.5), django.core.validators.MaxValueValidator(1.0)], verbose_name='change severities from this precision on'),
        ),
        migrations.CreateModel(
            name='ScoringModel',
            fields=[
                ('id', models.UUIDField(default=tenants.isolation.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('novelty', 'how unusual'), ('urgency', 'how urgent')], max_length=12, verbose_name='kind')),
                ('data', models.BinaryField()),
                ('examples', models.PositiveIntegerField(verbose_name='examples')),
                ('quality', models.JSONField(null=True, verbose_name='quality')),
                ('trained_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='learned')),
                ('tenant', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant', verbose_name='tenant')),
            ],
            options={
                'verbose_name': 'scoring model',
                'verbose_name_plural': 'scoring models',
                'db_table': 'scoring_model',
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(models.F('tenant'), models.F('kind'), name='scoring_model_one')],
            },
        ),
        IsolateTenant("ScoringModel"),
    ]
