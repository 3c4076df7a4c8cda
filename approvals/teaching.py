"""What the reading of tenants' messages learns from our labelled ones, and where it is kept (`policy/likeness.py`)."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from approvals.policy import escalation, likeness, opt_out
from approvals.policy.escalation import Category
from approvals.policy.opt_out import Consent
from approvals.policy.words import read

Example = tuple[str, str]

# How freely the weights may follow single examples (scikit-learn's C), found by holding whole batches back.
_FREEDOM = 30.0
_SEEN_AT_LEAST = 2


def teach(folder: Path) -> dict[str, int]:
    """Learns every question from a folder of labelled messages and writes its file: the number of examples of each."""
    questions = {
        "escalation": list(_escalations(folder)),
        "opt_out": list(_consents(folder)),
        "plans": list(_offers(folder)),
    }
    for question, examples in questions.items():
        (likeness.FOLDER / f"{question}.tsv").write_text("\n".join(_learned(examples)) + "\n", encoding="utf-8")
    return {question: len(examples) for question, examples in questions.items()}


def _escalations(folder: Path) -> Iterable[Example]:
    """What asks for a person; an unrealistic plan is told by its figures, not by its words."""
    for row in _rows(folder, "escalation"):
        category = row["expect"]["category"]
        yield row["message"], "none" if category == Category.UNREALISTIC_PROPOSAL else category
    for row in _rows(folder, "opt_out", "payment_plans", "language"):
        if row["expect"] != Consent.OPT_OUT and not escalation.spoken(read(row["message"])):
            yield row["message"], "none"


def _consents(folder: Path) -> Iterable[Example]:
    for row in _rows(folder, "opt_out"):
        yield row["message"], row["expect"]
    for row in _rows(folder, "escalation", "payment_plans", "language"):
        if opt_out.spoken(row["message"]) is Consent.NONE:
            yield row["message"], Consent.NONE


def _offers(folder: Path) -> Iterable[Example]:
    """What the tenant's own words offer; where the model has answered, the label may be its plan."""
    for row in _rows(folder, "payment_plans"):
        if row["ai_reply"] is None:
            yield row["message"], "plan" if row["expect"] else "none"


def _rows(folder: Path, *names: str) -> Iterable[dict[str, Any]]:
    for name in names:
        with (folder / f"{name}.jsonl").open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def _learned(examples: list[Example]) -> Iterable[str]:
    """The lines of one file: the labels, their bias, then a line a feature, weights in hundredths."""
    counter = CountVectorizer(
        analyzer=lambda message: likeness.features(read(message)), binary=True, min_df=_SEEN_AT_LEAST
    )
    seen = normalize(counter.fit_transform(message for message, _ in examples).astype(float))
    model = LogisticRegression(C=_FREEDOM, max_iter=5000).fit(seen, [label for _, label in examples])
    weights, bias = model.coef_.T, model.intercept_
    if len(model.classes_) == 2:
        # Of two labels one sum decides: half of it speaks for the second, and half against the first.
        weights, bias = np.hstack([-weights, weights]) / 2, np.hstack([-bias, bias]) / 2
    yield _line("labels", model.classes_)
    yield _line("bias", _hundredths(bias))
    for feature, place in sorted(counter.vocabulary_.items()):
        yield _line(feature, _hundredths(weights[place]))


def _hundredths(values: Iterable[float]) -> list[int]:
    return [round(float(value) * likeness.UNIT) for value in values]


def _line(name: str, values: Iterable[object]) -> str:
    return "\t".join([name, *map(str, values)])
