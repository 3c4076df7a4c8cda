"""The approvals page: three panes, one key for each decision, and nothing that the flow does not decide.

    queue      what waits, in which order, and what a row says          read
    card       one reply with everything that a decision rests on       read
    checking   the words in the editor: gates, figures, parts, diff     read
    claims     who has a card open; the others see it and wait          write, a courtesy
    decide     one form for each decision, each calls the flow          write, through `approvals.sms_workflow`
    bulk       all-green cards, each text in full, approved at once     write, through `approvals.sms_workflow`
    views      the page and its fragments, mounted in the admin

A decision is made by `approvals.sms_workflow.decisions` alone: it locks, asks the rules, moves, and keeps the record.
"""
