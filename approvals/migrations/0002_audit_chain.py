"""The audit log numbers itself, chains every entry to the one before, and refuses to be changed."""

from django.db import migrations

# A field enters the hash as "<length>:<text>", so that no two entries can be read as the same bytes.
# `approvals/audit.py` computes the same in Python: two independent hands must agree.
CREATE = """
CREATE FUNCTION audit_log_field(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT length(coalesce(value, ''))::text || ':' || coalesce(value, '')
$$;

CREATE FUNCTION audit_log_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    -- One writer at a time, until its commit: the chain has one end.
    PERFORM pg_advisory_xact_lock(hashtext('approval_audit_log'));
    SELECT seq, entry_hash INTO last FROM approval_audit_log ORDER BY seq DESC LIMIT 1;
    NEW.seq := coalesce(last.seq, 0) + 1;
    NEW.previous_hash := coalesce(last.entry_hash, repeat('0', 64));
    NEW.entry_hash := encode(sha256(convert_to(
        audit_log_field(NEW.previous_hash)
        || audit_log_field(NEW.seq::text)
        || audit_log_field(NEW.id::text)
        || audit_log_field(NEW.response_queue_id::text)
        || audit_log_field(NEW.conversation_id::text)
        || audit_log_field(NEW.action)
        || audit_log_field(NEW.original_response)
        || audit_log_field(NEW.final_response)
        || audit_log_field(NEW.reason)
        || audit_log_field(NEW.approved_by)
        || audit_log_field(to_char(NEW.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))
    , 'UTF8')), 'hex');
    RETURN NEW;
END
$$;

CREATE FUNCTION audit_log_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'approval_audit_log is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_log_is_chained BEFORE INSERT ON approval_audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_chain();
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE ON approval_audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_refuses();
CREATE TRIGGER audit_log_is_never_emptied BEFORE TRUNCATE ON approval_audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuses();
"""
DROP = """
DROP TRIGGER audit_log_is_never_emptied ON approval_audit_log;
DROP TRIGGER audit_log_is_append_only ON approval_audit_log;
DROP TRIGGER audit_log_is_chained ON approval_audit_log;
DROP FUNCTION audit_log_refuses();
DROP FUNCTION audit_log_chain();
DROP FUNCTION audit_log_field(text);
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_ledger")]
    operations = [migrations.RunSQL(CREATE, DROP)]
