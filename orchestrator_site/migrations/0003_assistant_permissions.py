"""Who may use the assistant, see its tasks, and resolve what is unknown."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SEE = ["calls.view_calltask", "calls.view_callstep", "calls.view_erasure"]
GROUPS = {
    "Managers": ["calls.use_assistant", *SEE],
    "Supervisors": ["calls.use_assistant", "calls.resolve", *SEE],
    "Auditors": SEE,
    "Operators": ["calls.resolve", *SEE],
}


def grant(apps, schema_editor):
    # Permissions are made after all migrations; the groups need them now.
    app = apps.get_app_config("calls")
    app.models_module = True
    create_permissions(app, apps=apps, verbosity=0)
    app.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, wanted in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        for one in wanted:
            label, codename = one.split(".")
            group.permissions.add(Permission.objects.get(content_type__app_label=label, codename=codename))


class Migration(migrations.Migration):
    dependencies = [("orchestrator_site", "0002_groups"), ("calls", "0001_assistant")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
