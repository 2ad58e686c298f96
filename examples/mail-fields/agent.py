"""Pull the facts out of a plain-text mail: who wrote, about which order, what amounts, dates and links it names."""

import re
from dataclasses import dataclass, field
from datetime import date

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "eur": "EUR", "usd": "USD", "gbp": "GBP"}

ADDRESS = re.compile(r"[A-Za-z0-9.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
AMOUNT_BEFORE = re.compile(r"(€|\$|£|\b(?:EUR|USD|GBP))\s?([0-9][0-9.,]*[0-9]|[0-9])", re.IGNORECASE)
AMOUNT_AFTER = re.compile(r"([0-9][0-9.,]*[0-9]|[0-9])\s?(€|\b(?:EUR|USD|GBP)\b)", re.IGNORECASE)
ORDER = re.compile(
    r"\b(?:order|invoice|ticket|case)\s*(?:no\.?|number|id)?\s*[:#]?\s*([A-Z]{0,4}-?[0-9][0-9A-Z-]{2,})", re.IGNORECASE
)
ISO_DAY = re.compile(r"\b([0-9]{4})-([0-9]{2})-([0-9]{2})\b")
SPOKEN_DAY = re.compile(r"\b([0-9]{1,2})\.?\s+([A-Za-z]{3,9})\.?,?\s+([0-9]{4})\b")
LINK = re.compile(r"https?://[^\s<>\"')]+")
PHONE = re.compile(r"(?<![0-9A-Za-z-])\+[0-9][0-9 ()/-]{6,}[0-9]")


@dataclass
class Mail:
    """A mail as text: headers until the first empty line, then what was written, then what was quoted."""

    text: str
    headers: dict = field(default_factory=dict)
    body: str = ""

    def __post_init__(self):
        head, _, rest = self.text.replace("\r\n", "\n").partition("\n\n")
        self._read_headers(head)
        lines = rest.split("\n")
        self.body = "\n".join(line for line in lines if not line.startswith(">"))
        self.quoted_lines = sum(1 for line in lines if line.startswith(">"))

    def _read_headers(self, head):
        name = None
        for line in head.split("\n"):
            if line[:1] in (" ", "\t") and name:
                self.headers[name] += " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                self.headers[name] = value.strip()


def run(inputs):
    mail = Mail(inputs["mail"])
    return {
        "from": find_sender(mail.headers.get("from", "")),
        "subject": mail.headers.get("subject"),
        "orders": unique(match.upper() for match in ORDER.findall(mail.headers.get("subject", "") + "\n" + mail.body)),
        "amounts": find_amounts(mail.body),
        "dates": unique(find_days(mail.body)),
        "phones": unique(" ".join(phone.split()) for phone in PHONE.findall(mail.body)),
        "links": unique(link.rstrip(".,;") for link in LINK.findall(mail.body)),
        "quoted_lines": mail.quoted_lines,
    }


def find_sender(header):
    name, bracket, _ = header.partition("<")
    addresses = ADDRESS.findall(header)
    return {
        "name": (name.strip().strip('"') or None) if bracket else None,
        "address": addresses[0] if addresses else None,
    }


def find_amounts(text):
    """In the order of the text; a number with a currency on both sides belongs to the one before it."""
    found = {match.start(1): (match.group(1), match.group(2)) for match in AMOUNT_AFTER.finditer(text)}
    for match in AMOUNT_BEFORE.finditer(text):
        found[match.start(2)] = (match.group(2), match.group(1))
    return [
        {"amount": plain_number(number), "currency": CURRENCIES[sign.lower()]}
        for _, (number, sign) in sorted(found.items())
    ]


def plain_number(text):
    """`1.234,50` and `1,234.50` both mean 1234.50: the last sign followed by two digits is the decimal one."""
    whole, decimals = text, ""
    if len(text) > 3 and text[-3] in ".,":
        whole, decimals = text[:-3], text[-2:]
    whole = whole.replace(",", "").replace(".", "")
    return whole + "." + (decimals or "00")


def find_days(text):
    for match in ISO_DAY.finditer(text):
        yield from valid_day(int(match.group(1)), int(match.group(2)), int(match.group(3)))
    for match in SPOKEN_DAY.finditer(text):
        month = match.group(2).lower()[:3]
        if month in MONTHS:
            yield from valid_day(int(match.group(3)), MONTHS.index(month) + 1, int(match.group(1)))


def valid_day(year, month, day):
    try:
        yield date(year, month, day).isoformat()
    except ValueError:
        return


def unique(values):
    return list(dict.fromkeys(values))
