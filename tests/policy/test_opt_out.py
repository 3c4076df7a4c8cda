"""Who does not want to be texted, and what stops texts in general."""

import pytest

from approvals.policy.escalation import find_triggers
from approvals.policy.holds import HoldReason, holds_asked_for
from approvals.policy.opt_out import Consent, read_consent
from approvals.policy.rules import Rules


@pytest.mark.parametrize(
    "message",
    ["STOP", "“Stop.”", "  stop  ", "🛑 STOP", "stop please", "STOP STOP", "s t o p", "stopall", "Opt-out", "OPTOUT",
     "unsubscribe!!!", "cancel", "END", "quit", "Revoke", "ALTO", "parar", "SAIR!", "SISPANN.", "rete",
     "🛑", "🛑 🛑", "stopp", "stpo", "cancle", "unsubsribe"],
)  # fmt: skip
def test_a_stop_word_alone_withdraws_consent_in_any_dress(message: str) -> None:
    assert read_consent(message) is Consent.OPT_OUT


@pytest.mark.parametrize(
    "message",
    [
        "quit messaging me",
        "take my number off your list",
        "i dont want to receive these texts",
        "no me manden mas mensajes",
        "tira meu numero da lista",
        "sispann voye mesaj ban mwen",
    ],
)
def test_the_wish_in_plain_words_withdraws_consent(message: str) -> None:
    assert read_consent(message) is Consent.OPT_OUT


@pytest.mark.parametrize("message", ["shop", "ends", "starts", "rent", "quiet"])
def test_another_word_is_no_mistyped_keyword(message: str) -> None:
    assert read_consent(message) is Consent.NONE


@pytest.mark.parametrize(
    "message",
    [
        "dont stop the plan",
        "stop by the office tomorrow",
        "i had to cancel my vacation",
        "dont text me at work please",
        "the end of the month",
        "para que dia es la fecha limite",
        "lapli a pa sispann",
        "m rete nan apatman 5",
    ],
)
def test_the_same_words_in_another_sense_change_nothing(message: str) -> None:
    assert read_consent(message) is Consent.NONE


@pytest.mark.parametrize(
    "message", ["START", "unstop", "you can text me again its ok", "pode voltar a mandar mensagem"]
)
def test_consent_can_be_given_back(message: str) -> None:
    assert read_consent(message) is Consent.OPT_IN


@pytest.mark.parametrize(
    ("message", "consent"), [("HELP", Consent.HELP), ("èd", Consent.HELP), ("help me pay", Consent.NONE)]
)
def test_help_is_a_keyword_only_alone(message: str, consent: Consent) -> None:
    assert read_consent(message) is consent


@pytest.mark.parametrize(
    ("message", "holds"),
    [
        pytest.param("stop", [HoldReason.OPT_OUT], id="opt-out"),
        pytest.param("who is this", [HoldReason.WRONG_NUMBER], id="who-is-this"),
        pytest.param("numero equivocado", [HoldReason.WRONG_NUMBER], id="wrong-number-in-spanish"),
        pytest.param("never contact me again", [HoldReason.OPT_OUT, HoldReason.CEASE_CONTACT], id="cease-contact"),
        pytest.param("i filed chapter 7", [HoldReason.BANKRUPTCY], id="bankruptcy"),
        pytest.param("i already paid that", [HoldReason.DISPUTE], id="dispute"),
        pytest.param("mi mama no respira", [HoldReason.EMERGENCY], id="emergency"),
        pytest.param("ill pay friday", [], id="none"),
    ],
)
def test_a_message_can_ask_for_a_hold(message: str, holds: list[HoldReason]) -> None:
    triggers = find_triggers(message, plan=None, rules=Rules())
    assert list(holds_asked_for(message, consent=read_consent(message), triggers=triggers)) == holds
