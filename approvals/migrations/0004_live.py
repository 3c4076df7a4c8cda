"""Tell open consoles what changed: the id of the conversation, on the channel that the live process listens on.

A notification costs its transaction Postgres' one lock for notifying at commit, so only what a console shows is told:
a reply that waits, waited, or that a person decided; never the replies that come and go by policy alone. The WHEN
clauses are asked before any function is called, and the same words twice in a transaction are told once.
"""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION tell_consoles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('live', 'console ' || NEW.conversation_id);
    RETURN NULL;
END $$;
CREATE FUNCTION tell_consoles_of_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('live', 'console *');
    RETURN NULL;
END $$;
"""
TRIGGERS = """
CREATE TRIGGER tell_consoles_of_a_new_reply AFTER INSERT ON ai_response_queue FOR EACH ROW
    WHEN (NEW.status IN ('pending', 'escalated') OR NEW.actioned_by IS DISTINCT FROM 'policy')
    EXECUTE FUNCTION tell_consoles();
CREATE TRIGGER tell_consoles_of_a_reply AFTER UPDATE ON ai_response_queue FOR EACH ROW
    WHEN ((OLD.status, OLD.viewer, OLD.snoozed_until) IS DISTINCT FROM (NEW.status, NEW.viewer, NEW.snoozed_until)
          AND (OLD.status IN ('pending', 'failed', 'unknown') OR NEW.status IN ('pending', 'failed', 'unknown')
               OR NEW.actioned_by IS DISTINCT FROM 'policy'))
    EXECUTE FUNCTION tell_consoles();
CREATE TRIGGER tell_consoles_of_an_escalation AFTER INSERT OR UPDATE ON escalations FOR EACH ROW
    EXECUTE FUNCTION tell_consoles();
CREATE TRIGGER tell_consoles_of_holds AFTER INSERT OR UPDATE ON contact_holds FOR EACH STATEMENT
    EXECUTE FUNCTION tell_consoles_of_all();
"""
BACK = """
DROP TRIGGER tell_consoles_of_a_new_reply ON ai_response_queue;
DROP TRIGGER tell_consoles_of_a_reply ON ai_response_queue;
DROP TRIGGER tell_consoles_of_an_escalation ON escalations;
DROP TRIGGER tell_consoles_of_holds ON contact_holds;
DROP FUNCTION tell_consoles();
DROP FUNCTION tell_consoles_of_all();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0003_console"), ("conversations", "0001_ledger")]
    operations = [migrations.RunSQL(FUNCTION + TRIGGERS, BACK)]
