"""Who may look at everything may look at the learned curves, too."""

from django.contrib.auth.management import create_permissions
from django.db import migrations


def grant(apps, schema_editor):
    # Permissions are made after all migrations; the groups need them now.
    app = apps.get_app_config("approvals")
    app.models_module = True
    create_permissions(app, apps=apps, verbosity=0)
    app.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    see = Permission.objects.get(content_type__app_label="approvals", codename="view_confidencecurve")
    for name in ("Managers", "Supervisors", "Auditors", "Operators"):
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(see)


class Migration(migrations.Migration):
    dependencies = [("orchestrator_site", "0003_assistant_permissions"), ("approvals", "0007_learned_confidence")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
