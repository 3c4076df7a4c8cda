"""What the workers do, composed: the steps of all flows. What is nearest to its end comes first."""

from typing import Any

from approvals.sms_workflow.claiming import claim_drafts, due_drafts
from approvals.sms_workflow.looking import claim_looks, due_looks, look_for_text, record_looks
from approvals.sms_workflow.notices import claim_notices, due_notices, record_notices, send_notice
from approvals.sms_workflow.recording import record_drafts
from approvals.sms_workflow.sending import claim_sends, due_sends, record_sends, send_text
from approvals.sms_workflow.writing import write_draft
from calls.chat_workflow.looking import (
    claim_call_looks,
    claim_polls,
    due_call_looks,
    due_polls,
    look_for_call,
    poll_call,
    record_call_looks,
    record_polls,
)
from calls.chat_workflow.placing import claim_calls, due_calls, place_call, record_calls
from calls.chat_workflow.thinking import claim_turns, due_turns, record_turns, think
from orchestrator_site.worker.step import Step

STEPS: tuple[Step[Any, Any], ...] = (
    Step(name="send", due=due_sends, claim=claim_sends, act=send_text, record=record_sends),
    Step(name="place", due=due_calls, claim=claim_calls, act=place_call, record=record_calls),
    # Somebody waits for the reply at this very moment.
    Step(name="reply", due=due_turns, claim=claim_turns, act=think, record=record_turns),
    Step(name="look", due=due_looks, claim=claim_looks, act=look_for_text, record=record_looks),
    Step(name="look_for_call", due=due_call_looks, claim=claim_call_looks, act=look_for_call, record=record_call_looks),
    Step(name="poll_call", due=due_polls, claim=claim_polls, act=poll_call, record=record_polls),
    Step(name="notify", due=due_notices, claim=claim_notices, act=send_notice, record=record_notices),
    Step(name="draft", due=due_drafts, claim=claim_drafts, act=write_draft, record=record_drafts),
)
