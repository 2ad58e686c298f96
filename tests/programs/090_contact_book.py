"""Merge contact records typed with TypedDict, and look them up by several indexes."""

from collections import defaultdict
from typing import NotRequired, TypedDict, cast


class Contact(TypedDict):
    name: str
    mail: str
    phone: NotRequired[str]
    tags: NotRequired[list[str]]


class ContactBook:
    def __init__(self) -> None:
        self._by_mail: dict[str, Contact] = {}
        self._by_tag: defaultdict[str, set[str]] = defaultdict(set)
        self._conflicts: list[str] = []

    def add(self, contact: Contact) -> None:
        mail = contact["mail"].strip().lower()
        existing = self._by_mail.get(mail)
        if existing is None:
            self._by_mail[mail] = cast(Contact, {**contact, "mail": mail, "tags": []})
        else:
            self._merge(existing, contact)
        for tag in contact.get("tags", []):
            if mail not in self._by_tag[tag]:
                self._by_tag[tag].add(mail)
                self._by_mail[mail].setdefault("tags", []).append(tag)

    def _merge(self, existing: Contact, new: Contact) -> None:
        for key in ("name", "phone"):
            value = new.get(key)
            if not value:
                continue
            if key not in existing:
                existing[key] = value
            elif existing[key] != value:
                self._conflicts.append(f"{existing['mail']}: {key} {existing[key]!r} or {value!r}")

    def tagged(self, *tags: str) -> list[str]:
        sets = [self._by_tag.get(t, set()) for t in tags]
        mails = set.intersection(*sets) if sets else set(self._by_mail)
        return sorted(self._by_mail[m]["name"] for m in mails)

    def __iter__(self):
        yield from sorted(self._by_mail.values(), key=lambda c: c["name"])

    @property
    def conflicts(self) -> tuple[str, ...]:
        return tuple(self._conflicts)


def run(inputs):
    book = ContactBook()
    for raw in inputs["contacts"]:
        book.add(raw)
    return {
        "contacts": list(book),
        "friends": book.tagged("friend"),
        "both": book.tagged("friend", "work"),
        "everyone": book.tagged(),
        "nobody": book.tagged("enemy"),
        "conflicts": list(book.conflicts),
    }

# inputs: {"contacts": [{"name": "Ada", "mail": "ADA@x.org ", "tags": ["friend"]}, {"name": "Bob", "mail": "bob@x.org", "phone": "1"}, {"name": "Ada L.", "mail": "ada@x.org", "phone": "7", "tags": ["work", "friend"]}, {"name": "Bob", "mail": "Bob@x.org", "phone": "2", "tags": ["work"]}]}
# expect: {"contacts": [{"name": "Ada", "mail": "ada@x.org", "tags": ["friend", "work"], "phone": "7"}, {"name": "Bob", "mail": "bob@x.org", "phone": "1", "tags": ["work"]}], "friends": ["Ada"], "both": ["Ada"], "everyone": ["Ada", "Bob"], "nobody": [], "conflicts": ["ada@x.org: name 'Ada' or 'Ada L.'", "bob@x.org: phone '1' or '2'"]}
