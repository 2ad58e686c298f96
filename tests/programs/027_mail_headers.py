"""Parse raw mail headers with folded lines, addresses and a date."""

import re
from datetime import datetime, timezone

ADDRESS = re.compile(r'^\s*(?:"?(?P<name>[^"<]*?)"?\s*)?<?(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)>?\s*$')


class Headers:
    """Case-insensitive, multi-valued headers."""

    def __init__(self):
        self._items = []

    @classmethod
    def parse(cls, raw):
        headers = cls()
        for line in raw.split("\n"):
            if not line.strip():
                break
            if line[0] in " \t" and headers._items:
                name, value = headers._items[-1]
                headers._items[-1] = (name, value + " " + line.strip())
            else:
                name, _, value = line.partition(":")
                headers._items.append((name.strip().lower(), value.strip()))
        return headers

    def __getitem__(self, name):
        values = self.get_all(name)
        if not values:
            raise KeyError(name)
        return values[0]

    def get_all(self, name):
        return [v for n, v in self._items if n == name.lower()]

    def __contains__(self, name):
        return any(n == name.lower() for n, _ in self._items)

    def addresses(self, name):
        found = []
        for part in ", ".join(self.get_all(name)).split(","):
            if m := ADDRESS.match(part):
                found.append({"name": m["name"] or None, "mail": m["mail"].lower()})
        return found


def run(inputs):
    headers = Headers.parse(inputs["raw"])
    sent = datetime.strptime(headers["Date"], "%a, %d %b %Y %H:%M:%S %z")
    try:
        headers["Bcc"]
        bcc = "present"
    except KeyError as e:
        bcc = f"no {e.args[0]}"
    return {
        "from": headers.addresses("from"),
        "to": headers.addresses("To"),
        "subject": headers["SUBJECT"],
        "sent_utc": sent.astimezone(timezone.utc).isoformat(),
        "hops": len(headers.get_all("received")),
        "has_reply_to": "Reply-To" in headers,
        "bcc": bcc,
    }

# inputs: {"raw": "Received: from a.example\nReceived: from b.example\nFrom: \"Ada Lovelace\" <Ada@Example.org>\nTo: bob@example.org,\n  Carol Jones <carol@mail.example.com>, broken\nSubject: A rather long subject\n\tthat was folded\nDate: Tue, 05 Mar 2024 09:15:00 +0200\n\nBody: not a header"}
# expect: {"from": [{"name": "Ada Lovelace", "mail": "ada@example.org"}], "to": [{"name": null, "mail": "bob@example.org"}, {"name": "Carol Jones", "mail": "carol@mail.example.com"}], "subject": "A rather long subject that was folded", "sent_utc": "2024-03-05T07:15:00+00:00", "hops": 2, "has_reply_to": false, "bcc": "no Bcc"}
