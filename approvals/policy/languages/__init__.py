"""The vocabularies of the tenants' languages: one TOML file per language, one table per engine that reads it.

A new language is one new file, `xx.toml`, with the tables of its sisters; nothing else names the languages.

    [spelling]              how people write what is meant               words.py, lexicon.py
    [numbers]               number words, words for money                numbers.py
    [words]                 word classes that all phrases may use        vocabulary.py
    [calendar]              weekdays, months, expressions for a day      calendar.py
    [plans]                 rhythms, lengths, cues of an offer           plans/
    [escalation] [opt_out] [holds]   what to listen for, what is meant innocently
                            (after them speaks what was learned from examples: likeness.py)
    [gates] [language] [templates]   what we may not say, frequent words, our fixed texts
"""

from functools import partial
from pathlib import Path

from conversations.vocabularies import languages_in, section_of

languages = partial(languages_in, Path(__file__).parent)
section = partial(section_of, Path(__file__).parent)
