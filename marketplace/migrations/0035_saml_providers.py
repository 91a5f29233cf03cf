"""Identity providers that speak SAML."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0032_identity_providers")]
    operations = [
        migrations.AddField(
            model_name="identityprovider",
            name="protocol",
            field=models.CharField(
                choices=[("OpenID", "OpenID Connect"), ("SAML", "SAML 2.0")], default="OpenID", max_length=10
            ),
        ),
        migrations.AddField(
            model_name="identityprovider", name="sso_url", field=models.CharField(default="", max_length=500)
        ),
        migrations.AddField(model_name="identityprovider", name="certificates", field=models.JSONField(default=list)),
        migrations.AlterField(
            model_name="identityprovider", name="client_id", field=models.CharField(default="", max_length=190)
        ),
        migrations.AlterField(model_name="identityprovider", name="client_secret", field=models.TextField(default="")),
    ]
