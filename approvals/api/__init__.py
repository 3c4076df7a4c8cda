"""The HTTP API of the collections half: each view checks its input and calls one function of the flow.

texts        POST sms-received, retry/ID
decisions    POST approve-response, payment-plan-detected, escalate
lists        GET  workflow/ID/status, metrics, responses, escalations, payment-plans
"""

from approvals.api.decisions import ApproveResponse, Escalate, PaymentPlanDetected
from approvals.api.lists import Escalations, Metrics, PaymentPlans, Responses, WorkflowStatus
from approvals.api.texts import Retry, SmsReceived

__all__ = [
    "ApproveResponse",
    "Escalate",
    "Escalations",
    "Metrics",
    "PaymentPlanDetected",
    "PaymentPlans",
    "Responses",
    "Retry",
    "SmsReceived",
    "WorkflowStatus",
]
