"""Pure rules of the assistant: words, telephone numbers, what a message asks for, what may be called and when.

Plain facts in, small frozen values out; the clock is passed in. Nothing here knows Django, a database or the network.
"""
