"""The language model a tenant may let describe its alerts."""

import django.core.validators
import django.db.models.deletion
import encrypted_model_fields.fields
import tenants.isolation
from django.db import migrations, models

from tenants.rls import IsolateTenant


class Migration(migrations.Migration):

    dependencies = [
        ('alerting', '0007_scoring'),
        ('tenants', '0002_isolation'),
    ]

    operations = [
        migrations.CreateModel(
            name='LanguageModel',
            fields=[
                ('id', models.UUIDField(default=tenants.isolation.new_id, editable=False, primary_key=True, serialize=False)),
                ('url', models.CharField(help_text='Up to the version, such as https://models.example.org/v1; `/chat/completions` is added.', max_length=500, verbose_name='address')),
                ('model', models.CharField(max_length=120, verbose_name='model')),
                ('api_key', encrypted_model_fields.fields.EncryptedTextField(blank=True, default='', verbose_name='API key')),
                ('seconds', models.PositiveSmallIntegerField(default=10, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(30)], verbose_name='time limit in seconds')),
                ('is_active', models.BooleanField(default=False, verbose_name='active')),
                ('tenant', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant', verbose_name='tenant')),
            ],
            options={
                'verbose_name': 'assistant',
                'verbose_name_plural': 'assistant',
                'db_table': 'language_model',
                'constraints': [models.UniqueConstraint(models.F('tenant'), name='language_model_one')],
            },
        ),
        IsolateTenant("LanguageModel"),
    ]
