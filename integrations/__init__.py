"""The upstream services: one module per wire format, and no JSON key of an upstream leaves its module.

    clients          makes every client, once per process, from the settings
    base             the tree of errors, one call with its tries, health
    http             the one HTTP client of a process
    breaker          a circuit breaker per upstream, shared by all processes
    monitor          who is the tenant, and what is owed
    sms_agent        sends a text, and knows what was texted before
    notifications    e-mail to the managers
    language_model   drafts a text
    call_handler     rings a telephone
    twilio           what became of a call; whether a callback really is Twilio's
    simulators       stand-ins of all of them, for the demo and for load tests

Nothing here knows a model, the database, the API or the queue. All calls are synchronous: they are made in threads.
"""
