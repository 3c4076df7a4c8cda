"""The four groups of people and what each may do."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEW = [
    "conversations.view_conversation",
    "conversations.view_message",
    "conversations.view_contacthold",
    "approvals.view_workflow",
    "approvals.view_workflowstep",
    "approvals.view_queuedresponse",
    "approvals.view_approvalauditentry",
    "approvals.view_paymentplan",
    "approvals.view_escalation",
    "approvals.view_notification",
    "approvals.view_ruleswitch",
    "orchestrator_site.view_circuitbreaker",
]
DECIDE = [*VIEW, "approvals.approve", "approvals.escalate"]
GROUPS = {
    "Managers": DECIDE,
    "Supervisors": [
        *DECIDE,
        "approvals.override_gates",
        "approvals.release_hold",
        "approvals.change_rules",
        "approvals.retry",
    ],
    "Auditors": VIEW,
    "Operators": [*VIEW, "approvals.retry", "orchestrator_site.view_servicetoken"],
}


def create(apps, schema_editor):
    # Permissions are made after all migrations; the groups need them now.
    for label in ("conversations", "approvals", "orchestrator_site"):
        app = apps.get_app_config(label)
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
    dependencies = [
        ("orchestrator_site", "0001_ledger"),
        ("conversations", "0001_ledger"),
        ("approvals", "0002_audit_chain"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
