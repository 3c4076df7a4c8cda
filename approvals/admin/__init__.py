"""The admin beside the approvals page: lists to read, and a few actions, each a POST into the flow.

replies         all replies, and the approvals page below them
escalations     the desk: three clocks, assign, note, resolve
conversations   threads, search, a text by hand, placing a hold
holds           what stops contact, and its release
workflows       the steps of every text, retry
confidence      whether it keeps its word, and what another threshold would have done
plans           what tenants offer, and a person's yes or no
notices         what was told to the managers, and another try
records         rule switches, and the audit log with its export
"""

from approvals.admin import confidence, conversations, escalations, holds, notices, plans, records, replies, workflows

__all__ = [
    "confidence",
    "conversations",
    "escalations",
    "holds",
    "notices",
    "plans",
    "records",
    "replies",
    "workflows",
]
