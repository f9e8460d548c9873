
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0004_thresholds'),
    ]

    operations = [
        migrations.AlterField(
            model_name='finding',
            name='kind',
            field=models.CharField(choices=[('static', 'fixed limit'), ('rate', 'rate of change'), ('ratio', 'ratio of two metrics'), ('comparison', 'compared with the same time before'), ('absence', 'no data'), ('adaptive', 'unusual for the series'), ('forecast', 'going to cross a limit'), ('composite', 'several conditions'), ('entity', 'metrics that do not fit together')], max_length=12, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='threshold',
            name='kind',
            field=models.CharField(choices=[('static', 'fixed limit'), ('rate', 'rate of change'), ('ratio', 'ratio of two metrics'), ('comparison', 'compared with the same time before'), ('absence', 'no data'), ('adaptive', 'unusual for the series'), ('forecast', 'going to cross a limit'), ('composite', 'several conditions'), ('entity', 'metrics that do not fit together')], default='static', max_length=12, verbose_name='kind'),
        ),
    ]
