"""The SMS flow, top to bottom: one chapter a file, its functions in the order in which they happen.

    intake      receive_sms      web     one transaction: conversation, message, workflow, wake-up
    claiming    claim_drafts     worker  the newest text of each conversation, older ones with it; stale drafts go
    writing     write_draft      thread  words, tenant, thread, language, model, gates, plan, verdict; no database
    recording   record_drafts    worker  draft, plan, verdict, audit entry and whom to tell, in one transaction
    decisions   approve, modify, escalate, redraft, close, snooze, undo, write_by_hand, retry
                                 web     one conditional move each, with its audit entry
    sending     claim_sends      worker  stale, holds, gates, the week's limit, the contact window; then `sending`
                send_text        thread  hand the text to the SMS Agent, once
                record_sends     worker  the receipt, or what is done about its absence
    looking     claim_looks, look_for_text, record_looks
                                 worker  a text whose outcome or worker was lost: looked for, never sent blindly
    notices     claim_notices, send_notice, record_notices
                                 worker  tell the managers, at least once

Beside the way: `facts` (what travels between database and network), `reading` (what words alone decide), `story`
(the steps with their times), `holds` and `escalations` (what stops automatic texts), `offers` (payment plans).

A row is the truth, a job is only a wake-up: every claim has a lease, `sweeps` takes back what nobody finished.
"""
