"""The chat flow, top to bottom: one chapter a file, its functions in the order in which they happen.

    receiving   receive_message   web     one transaction: the turn, and its answer wherever words are enough
    reading     read_turn         pure    what the turn says, by words alone, in the light of what is being talked about
    answering   answer            web     what follows from it: a question, a summary, a yes, a cancellation; the reply
    thinking    claim_turns       worker  turns that words cannot settle
                think             thread  the language model; without it, the plain reading
                record_turns      worker  `answer` with what was understood
    placing     claim_calls       worker  holds, limits, contact hours, free lines; then `placing`
                place_call        thread  the order, once
                record_calls      worker  the receipt, or what is done about its absence
    looking     claim_call_looks, look_for_call, record_call_looks
                                  worker  an order whose outcome or worker was lost: looked for, never repeated blindly
                claim_polls, poll_call, record_polls
                                  worker  with Twilio's credentials: how the calls stand
    results     report_result     web     the call handler's and Twilio's reports
                finish            any     one completion notice per task, in the user's language
                resolve           web     a person says what became of an unknown one
    context     context_of, erase web     everything that is stored about a user; and its end

Beside the way: `chats` (a user's row, which is locked by whoever writes, and the messages), `steps` (each step as a
row and as a line of the log).

Every writer locks the chat first. A row is the truth, a job is only a wake-up: every claim has a lease, and
`calls/sweeps.py` finds what nobody finished.
"""
