"""Check card numbers, IBANs and ISBNs, each validator registered in a table."""

import re
from typing import Callable, NamedTuple


class Verdict(NamedTuple):
    kind: str
    valid: bool
    detail: str = ""


VALIDATORS: dict[str, Callable[[str], Verdict]] = {}


def validator(kind: str):
    def register(func: Callable[[str], str]):
        def check(text: str) -> Verdict:
            try:
                return Verdict(kind, True, func(re.sub(r"[\s-]", "", text)))
            except (ValueError, KeyError) as exc:
                return Verdict(kind, False, str(exc))

        VALIDATORS[kind] = check
        return func

    return register


@validator("card")
def luhn(number):
    if not number.isdigit():
        raise ValueError("digits only")
    total = 0
    for i, digit in enumerate(map(int, reversed(number))):
        if i % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    if total % 10:
        raise ValueError(f"Luhn sum {total}")
    brands = {"4": "Visa", "5": "Mastercard", "3": "Amex"}
    return f"{brands.get(number[0], 'other')} ending {number[-4:]}"


@validator("iban")
def iban(text):
    lengths = {"DE": 22, "GB": 22, "FR": 27, "NO": 15}
    country = text[:2].upper()
    if country not in lengths:
        raise ValueError(f"unknown country {country}")
    if len(text) != lengths[country]:
        raise ValueError(f"{len(text)} characters instead of {lengths[country]}")
    digits = "".join(str(int(ch, 36)) for ch in text[4:] + text[:4])
    if int(digits) % 97 != 1:
        raise ValueError("check digits do not match")
    return f"{country} account"


@validator("isbn")
def isbn13(text):
    weights = (1, 3) * 6 + (1,)
    if len(text) != 13 or not text.startswith(("978", "979")):
        raise ValueError("not an ISBN-13")
    if sum(w * int(d) for w, d in zip(weights, text)) % 10:
        raise ValueError("wrong check digit")
    return f"prefix {text[:3]}"


def run(inputs):
    verdicts = [VALIDATORS[kind](text) for kind, text in inputs["values"]]
    return {
        "verdicts": [f"{v.kind} {'ok' if v.valid else 'BAD'}: {v.detail}" for v in verdicts],
        "valid": sum(v.valid for v in verdicts),
        "next_luhn": next(n for n in range(1000, 2000) if VALIDATORS["card"](str(n)).valid),
    }

# inputs: {"values": [["card", "4111 1111 1111 1111"], ["card", "4111-1111-1111-1112"], ["card", "41x"], ["iban", "GB82 WEST 1234 5698 7654 32"], ["iban", "DE89 3704 0044 0532 0130 01"], ["iban", "XX00"], ["isbn", "978-0-306-40615-7"], ["isbn", "9780306406158"]]}
# expect: {"verdicts": ["card ok: Visa ending 1111", "card BAD: Luhn sum 31", "card BAD: digits only", "iban ok: GB account", "iban BAD: check digits do not match", "iban BAD: unknown country XX", "isbn ok: prefix 978", "isbn BAD: wrong check digit"], "valid": 3, "next_luhn": 1008}
