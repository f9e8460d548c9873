"""Presses in Slack, kept until they are done."""

import django.db.models.deletion
import django.db.models.functions.datetime
import tenants.isolation
from django.db import migrations, models

from tenants.rls import IsolateTenant


class Migration(migrations.Migration):

    dependencies = [
        ('alerting', '0009_tenants_are_alike'),
        ('channels', '0009_sms_unconfirmed'),
        ('tenants', '0002_isolation'),
    ]

    operations = [
        migrations.AlterField(
            model_name='timer',
            name='kind',
            field=models.CharField(choices=[('group', 'Group'), ('settings', 'Settings'), ('escalation', 'Escalation'), ('hand_over', 'Hand Over'), ('slack_act', 'Slack Act')], max_length=12),
        ),
        migrations.CreateModel(
            name='SlackAct',
            fields=[
                ('id', models.UUIDField(default=tenants.isolation.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=12)),
                ('act', models.CharField(max_length=40)),
                ('group_id', models.UUIDField()),
                ('user_id', models.CharField(max_length=64)),
                ('inputs', models.JSONField(default=dict)),
                ('response_url', models.CharField(blank=True, default='', max_length=500)),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, db_default='', default='', max_length=32)),
                ('channel', tenants.isolation.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='channels.channel')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.tenant', verbose_name='tenant')),
            ],
            options={
                'db_table': 'slack_act',
                'default_permissions': (),
                'indexes': [models.Index(models.F('tenant'), models.F('ended_at'), name='slack_act_ended')],
            },
        ),
        IsolateTenant("SlackAct"),
    ]
