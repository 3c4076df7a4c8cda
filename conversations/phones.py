"""Telephone numbers: read once at the edge into E.164, masked wherever they are logged."""

import phonenumbers


class NotAPhone(ValueError):
    """The text is no telephone number that can be reached."""


def to_e164(written: str, *, region: str) -> str:
    """ "(415) 555-0100" in region "US" -> "+14155550100"; raises NotAPhone for what no network would route."""
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException as error:
        # Its own words begin with a number and end with a full stop: they are made for programmers.
        raise NotAPhone("it does not look like one") from error
    if not phonenumbers.is_possible_number(number) or not phonenumbers.is_valid_number(number):
        raise NotAPhone(f"not a valid number in region {region}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def masked(phone: str) -> str:
    """ "+14155550100" -> "+1415…00": enough to recognise, too little to dial."""
    return f"{phone[:5]}…{phone[-2:]}" if len(phone) > 7 else "…"
