"""What the simulated language model answers: sensible in four languages, and hostile when told so."""

import json
from typing import Any

import pytest

from integrations.simulators.answers import fold, read_plan
from integrations.simulators.language_model import LanguageModelSimulator, speak
from integrations.simulators.phrases import PHRASES
from integrations.simulators.server import Request

FORMAT = {"type": "json_schema", "json_schema": {"name": "reply_to_tenant", "strict": True, "schema": {}}}
LANGUAGES = {"en": "English", "es": "Spanish", "pt": "Portuguese", "ht": "Haitian Creole"}


def prompt(language: str = "en", *, known: bool = True) -> str:
    account = "- Name: Maria Lopez\n- Amount Owed: $600 (tenant portion: $400)\n- Days Late: 12\n" if known else ""
    return (
        f"You are the collections assistant.\n\nTENANT CONTEXT:\n{account}- Language: {language}\n\n"
        "PAYMENT PLAN RULES:\n- Maximum 12 weeks duration\n- Minimum $25/week payment\n"
        "- For tenant portion $400, suggest $34/week\n\n"
        f"RESPONSE REQUIREMENTS:\n2. Respond in {LANGUAGES[language]} ({language}), whatever language"
    )


def ask(said: str, language: str = "en", *, known: bool = True, ours: str = "", hostile: str = "") -> dict[str, Any]:
    messages = [{"role": "system", "content": prompt(language, known=known)}]
    messages += [{"role": "assistant", "content": ours}] if ours else []
    messages += [{"role": "user", "content": said}]
    answer: dict[str, Any] = json.loads(speak(messages, FORMAT, hostile).content or "")
    return answer


@pytest.mark.parametrize(
    ("language", "said", "weekly", "weeks"),
    [
        pytest.param("en", "I can pay $50 a week for 8 weeks", 50.0, 8, id="en"),
        pytest.param("en", "can i do 100 every two weeks", 50.0, None, id="en-biweekly"),
        pytest.param("en", "$300 over 6 weeks", 50.0, 6, id="en-total"),
        pytest.param("en", "130 a month for 2 months", 30.0, 9, id="en-monthly"),
        pytest.param("es", "Puedo pagar 60 por semana por 7 semanas", 60.0, 7, id="es"),
        pytest.param("pt", "posso pagar 80 por semana em 5 semanas", 80.0, 5, id="pt"),
        pytest.param("ht", "mwen ka peye 45 pa semèn pou 9 semèn", 45.0, 9, id="ht"),
    ],
)
def test_a_plan_is_confirmed_with_its_figures(language: str, said: str, weekly: float, weeks: int | None) -> None:
    answer = ask(said, language)
    assert answer["payment_plan"] == {"weekly_amount": weekly, "weeks": weeks, "start_date": None}
    assert f"${weekly:.0f}" in answer["reply"]
    assert answer["language"] == language
    assert answer["confidence"] > 0.85


def test_a_yes_accepts_the_plan_we_offered() -> None:
    answer = ask("Yes that works", ours="At $50 a week it takes 8 weeks. Shall I note that plan for you?")
    assert answer["payment_plan"] == {"weekly_amount": 50.0, "weeks": 8, "start_date": None}


@pytest.mark.parametrize("said", ["10 a week", "$30 a week for 20 weeks"], ids=["too-little", "too-long"])
def test_an_offer_outside_the_rules_is_countered(said: str) -> None:
    answer = ask(said)
    assert "at least $25 a week" in answer["reply"]
    assert 0.6 < answer["confidence"] < 0.85


@pytest.mark.parametrize(
    ("language", "said", "expected"),
    [
        pytest.param("en", "ill pay 200 on friday", "I noted your payment of $200", id="promise"),
        pytest.param("en", "I will pay on friday", "How much can you pay", id="promise-without-amount"),
        pytest.param("en", "How much do I owe?", "your balance is $600 and your part is $400", id="balance"),
        pytest.param("es", "Cuánto debo?", "su saldo es $600", id="balance-es"),
        pytest.param("pt", "Quanto devo?", "o seu saldo é $600", id="balance-pt"),
        pytest.param("ht", "Konbyen mwen dwe?", "balans ou se $600", id="balance-ht"),
        pytest.param("en", "I lost my job", "I am sorry to hear that", id="hardship"),
        pytest.param("en", "thank you", "You are welcome", id="thanks"),
        pytest.param("en", "hello", "Would a plan of $34 a week work", id="greeting"),
    ],
)
def test_common_texts_get_sensible_replies(language: str, said: str, expected: str) -> None:
    answer = ask(said, language)
    assert expected in answer["reply"]
    assert answer["escalate"] is None


@pytest.mark.parametrize(
    ("said", "category"),
    [
        ("my lawyer will call you", "attorney_represented"),
        ("I will sue you", "legal"),
        ("fuck you", "hostile"),
        ("I don't owe that", "dispute"),
        ("ya pagué", "dispute"),
        ("let me talk to a manager", "supervisor_request"),
        ("I filed for bankruptcy", "bankruptcy"),
        ("I want to kill myself", "self_harm_or_emergency"),
    ],
)
def test_what_a_person_must_handle_is_escalated(said: str, category: str) -> None:
    answer = ask(said)
    assert answer["escalate"] == category
    assert answer["confidence"] < 0.6
    assert "$" not in answer["reply"]


def test_confidence_covers_every_route() -> None:
    asked = {said: ask(said)["confidence"] for said in ("How much do I owe?", "my door is broken again", "?")}
    assert asked["How much do I owe?"] > 0.85
    assert 0.6 < asked["my door is broken again"] <= 0.85
    assert asked["?"] <= 0.6


def test_nobody_we_know_gets_no_figure() -> None:
    assert "$" not in ask("how much do I owe", known=False)["reply"]


@pytest.mark.parametrize("language", PHRASES)
def test_every_reply_fits_one_text(language: str) -> None:
    words = dict.fromkeys(("owed", "portion", "suggest", "minimum", "weekly", "amount"), "$3250.75")
    for phrase in vars(PHRASES[language]).values():
        reply = fold(phrase.format(name="Wideline-Mar", most=12, weeks=12, **words))
        assert len(reply) <= 160, reply
        assert reply == fold(reply)


@pytest.mark.parametrize("said", ["hello", "0 a week", "", "apartment 200"])
def test_no_plan_is_read_where_there_is_none(said: str) -> None:
    assert read_plan(said) is None


@pytest.mark.parametrize(
    ("hostile", "expected"),
    [
        ("wrong_amount", "$9,987.65"),
        ("threat", "evict"),
        ("control_text_leak", "{tenant_name}"),
        ("debt_forgiveness", "waived"),
        ("wrong_language", "Gracias"),
    ],
)
def test_hostile_replies_come_with_high_confidence(hostile: str, expected: str) -> None:
    answer = ask("hello", hostile=hostile)
    assert expected in answer["reply"]
    assert answer["confidence"] == 0.95


def complete(model: LanguageModelSimulator, **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": prompt()}, {"role": "user", "content": "50 a week for 8 weeks"}]
    body = json.dumps({"model": "m", "messages": messages, "response_format": FORMAT, **more}).encode()
    answer = model.respond(Request(method="POST", target="/v1/chat/completions", headers={}, body=body))
    return {"status": answer.status, **answer.document}


@pytest.mark.parametrize(
    ("hostile", "message", "finish_reason"),
    [
        ("refusal", {"content": None, "refusal": "I'm sorry, I can't help with that."}, "stop"),
        ("empty", {"content": "", "refusal": None}, "stop"),
        ("plain_text", {"refusal": None}, "stop"),
        ("truncated", {"refusal": None}, "length"),
    ],
)
def test_odd_completions(hostile: str, message: dict[str, Any], finish_reason: str) -> None:
    model = LanguageModelSimulator()
    model.switches.set({"hostile": hostile})
    (choice,) = complete(model)["choices"]
    assert choice["message"] == choice["message"] | message
    assert choice["finish_reason"] == finish_reason
    with pytest.raises((ValueError, TypeError)):
        json.loads(choice["message"]["content"])


def test_a_gateway_without_schemas_refuses_them() -> None:
    model = LanguageModelSimulator()
    model.switches.set({"hostile": "no_schemas"})
    assert complete(model)["status"] == 400
    assert "response_format" in complete(model)["error"]["message"]
    plain = complete(model, response_format=None)
    assert plain["choices"][0]["message"]["content"].endswith("PAYMENT_PLAN: weekly=50, weeks=8")


def test_it_is_hostile_as_often_as_it_is_told() -> None:
    model = LanguageModelSimulator()
    model.switches.set({"hostile": "empty", "hostile_next": 2})
    contents = [complete(model)["choices"][0]["message"]["content"] for _ in range(3)]
    assert [bool(content) for content in contents] == [False, False, True]


@pytest.mark.parametrize(
    ("said", "line"),
    [("fuck you", "ESCALATE: hostile"), ("50 a week", "PAYMENT_PLAN: weekly=50"), ("hello", "Hi Maria")],
)
def test_plain_text_carries_the_control_lines(said: str, line: str) -> None:
    messages = [{"role": "system", "content": prompt()}, {"role": "user", "content": said}]
    assert line in str(speak(messages, None, "").content)


def test_a_schema_that_it_does_not_know_gets_the_emptiest_answer() -> None:
    schema = {
        "type": "object",
        "properties": {
            "intent": {"type": "string", "enum": ["call", "other"]},
            "phone": {"type": ["string", "null"]},
            "words": {"type": "string"},
            "count": {"type": "integer"},
            "sure": {"type": "boolean"},
            "names": {"type": "array"},
        },
    }
    asked = {"type": "json_schema", "json_schema": {"name": "call_request", "schema": schema}}
    spoken = speak([{"role": "user", "content": "Call the pizza place"}], asked, "wrong_amount")
    assert json.loads(spoken.content or "") == {
        "intent": "call",
        "phone": None,
        "words": "",
        "count": 0,
        "sure": False,
        "names": [],
    }


def test_no_messages_is_a_bad_request() -> None:
    assert complete(LanguageModelSimulator(), messages=[])["status"] == 400
