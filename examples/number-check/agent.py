"""Validate and normalise numbers that carry a check digit: IBAN, ISBN and payment cards."""

import string

# Lengths by country. Source: SWIFT IBAN Registry.
IBAN_LENGTHS = {
    "AT": 20, "BE": 16, "CH": 21, "CZ": 24, "DE": 22, "DK": 18, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "IE": 22,
    "IT": 27, "LU": 20, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "SE": 24, "SK": 24,
}  # fmt: skip
CARD_BRANDS = [
    ("visa", (13, 16, 19), [(4, 4)]),
    ("mastercard", (16,), [(51, 55), (2221, 2720)]),
    ("amex", (15,), [(34, 34), (37, 37)]),
]
SEPARATORS = " -\u00a0\u2011\u2013"


class InvalidError(Exception):
    """The number is not what it claims to be."""


def run(inputs):
    cleaned = "".join(char for char in inputs["number"] if char not in SEPARATORS).upper()
    kind = inputs.get("kind") or guess_kind(cleaned)
    checks = {"iban": check_iban, "isbn": check_isbn, "card": check_card}
    try:
        if kind is None:
            raise InvalidError("looks like no IBAN, ISBN or card number")
        return {"valid": True, "kind": kind, **checks[kind](cleaned)}
    except InvalidError as problem:
        return {"valid": False, "kind": kind, "reason": str(problem)}


def guess_kind(number):
    if number[:2].isalpha():
        return "iban"
    if len(number) == 10 or (len(number) == 13 and number[:3] in ("978", "979")):
        return "isbn"
    return "card" if is_digits(number) else None


def is_digits(text):
    return bool(text) and all(char in string.digits for char in text)


def check_iban(number):
    country = number[:2]
    if not all(char in string.digits + string.ascii_uppercase for char in number):
        raise InvalidError("an IBAN has letters and digits only")
    if country not in IBAN_LENGTHS:
        raise InvalidError(f"country {country} is not in the register")
    if len(number) != IBAN_LENGTHS[country]:
        raise InvalidError(f"an IBAN of {country} has {IBAN_LENGTHS[country]} characters, not {len(number)}")
    digits = "".join(str(int(char, 36)) for char in number[4:] + number[:4])
    if int(digits) % 97 != 1:
        raise InvalidError("the check digits do not match")
    groups = [number[at : at + 4] for at in range(0, len(number), 4)]
    return {"normal": number, "printed": " ".join(groups), "country": country}


def check_isbn(number):
    if len(number) == 10:
        if not is_digits(number[:9]) or number[9] not in string.digits + "X":
            raise InvalidError("an ISBN-10 has nine digits and a digit or X")
        values = [10 if char == "X" else int(char) for char in number]
        if sum(weight * value for weight, value in zip(range(10, 0, -1), values, strict=True)) % 11:
            raise InvalidError("the check digit does not match")
        body = "978" + number[:9]
        return {"normal": body + isbn13_check_digit(body), "isbn10": number}
    if len(number) != 13 or not is_digits(number):
        raise InvalidError("an ISBN has 10 or 13 characters")
    if number[:3] not in ("978", "979"):
        raise InvalidError("an ISBN-13 begins with 978 or 979")
    if isbn13_check_digit(number[:12]) != number[12]:
        raise InvalidError("the check digit does not match")
    return {"normal": number, "isbn10": None}


def isbn13_check_digit(body):
    total = sum(int(char) * (3 if index % 2 else 1) for index, char in enumerate(body))
    return str(-total % 10)


def check_card(number):
    if not is_digits(number) or not 12 <= len(number) <= 19:
        raise InvalidError("a card number has 12 to 19 digits")
    total = 0
    for index, char in enumerate(reversed(number)):
        digit = int(char) * (2 if index % 2 else 1)
        total += digit - 9 if digit > 9 else digit
    if total % 10:
        raise InvalidError("the check digit does not match")
    return {"normal": "*" * (len(number) - 4) + number[-4:], "brand": card_brand(number)}


def card_brand(number):
    for brand, lengths, ranges in CARD_BRANDS:
        if len(number) in lengths and any(low <= int(number[: len(str(low))]) <= high for low, high in ranges):
            return brand
    return None
