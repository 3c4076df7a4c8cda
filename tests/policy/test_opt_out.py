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
    "message",
    [
        "START",
        "unstop",
        "you can text me again its ok",
        "keep the texts coming",
        "I consent again to text messages",
        "unblock my number so i get your texts",
        "siganme mandando los avisos",
        "pode voltar a mandar mensagem",
        "nou mèt rekòmanse voye mesaj yo",
    ],
)
def test_consent_can_be_given_back(message: str) -> None:
    assert read_consent(message) is Consent.OPT_IN


@pytest.mark.parametrize("message", ["ignore my stop from before", "i withdraw my opt out", "undo my unsubscribe"])
def test_a_stop_that_is_taken_back_is_none(message: str) -> None:
    assert read_consent(message) is Consent.OPT_IN


@pytest.mark.parametrize(
    "message",
    [
        "text me again after 6",
        "you can text my wife about it",
        "put me back on the list for a parking spot",
        "send the receipt again",
        "vuelvan a mandar al plomero",
        "me coloca na lista da garagem",
    ],
)
def test_another_hour_list_or_person_gives_no_consent_back(message: str) -> None:
    assert read_consent(message) is Consent.NONE


@pytest.mark.parametrize(
    "message",
    [
        "do not resume the texts",
        "i never said you can text me again",
        "no sigan mandando mensajes",
        "pa kontinye voye mesaj",
    ],
)
def test_consent_that_is_denied_is_a_wish_not_to_be_texted(message: str) -> None:
    assert read_consent(message) is Consent.OPT_OUT


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
