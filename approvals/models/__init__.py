"""The work on a text, the reply that comes of it, who decided what, and what follows: plans, escalations, notices.

Every status has its table of moves beside it; what must never be false is a constraint named as a sentence.
"""

from approvals.models.consequences import Escalation, Notification, PaymentPlan
from approvals.models.replies import ApprovalAuditEntry, QueuedResponse
from approvals.models.rules import ConfidenceCurve, ConsolePreference, RuleSwitch
from approvals.models.work import Workflow, WorkflowStep

__all__ = [
    "ApprovalAuditEntry",
    "ConfidenceCurve",
    "ConsolePreference",
    "Escalation",
    "Notification",
    "PaymentPlan",
    "QueuedResponse",
    "RuleSwitch",
    "Workflow",
    "WorkflowStep",
]
