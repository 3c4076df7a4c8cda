"""The SMS flow, top to bottom: one chapter a file, its functions in the order in which they happen.

    intake      receive_sms      web     one transaction: conversation, message, workflow, wake-up
    drafting    claim_drafts     worker  take the newest text of each conversation, withdraw what it overtakes
                write_draft      thread  tenant, thread, language, model, plan, gates, confidence, verdict; no database
                record_drafts    worker  draft, plan, verdict, audit entry, and whom to tell, in one transaction
    decisions   approve, modify, escalate, redraft, close, undo
                                 web     one conditional move each, with its audit entry
    sending     claim_sends      worker  holds, window, staleness and gates once more, then `sending`
                send_text        thread  hand the text to the SMS Agent, at most once; a lost outcome is looked up first
                record_sends     worker  the receipt, or who must look at it
    notices     claim_notices, send_notice, record_notices
                                 worker  tell the managers, at least once

A row is the truth, a job is only a wake-up: every claim has a lease, `sweeps` takes back what nobody finished.
"""
