"""What the workers do, composed: the steps of all flows. What is nearest to its end comes first."""

from typing import Any

from approvals.sms_workflow.claiming import claim_drafts
from approvals.sms_workflow.looking import claim_looks, look_for_text, record_looks
from approvals.sms_workflow.notices import claim_notices, record_notices, send_notice
from approvals.sms_workflow.recording import record_drafts
from approvals.sms_workflow.sending import claim_sends, record_sends, send_text
from approvals.sms_workflow.writing import write_draft
from orchestrator_site.worker.step import Step

STEPS: tuple[Step[Any, Any], ...] = (
    Step(name="send", claim=claim_sends, act=send_text, record=record_sends),
    Step(name="look", claim=claim_looks, act=look_for_text, record=record_looks, pause=1.0),
    Step(name="notify", claim=claim_notices, act=send_notice, record=record_notices, pause=0.2),
    Step(name="draft", claim=claim_drafts, act=write_draft, record=record_drafts),
)
