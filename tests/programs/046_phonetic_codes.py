"""Group surnames that sound alike with Soundex codes."""

from collections import defaultdict

GROUPS = {"BFPV": "1", "CGJKQSXZ": "2", "DT": "3", "L": "4", "MN": "5", "R": "6"}
CODES = {letter: digit for letters, digit in GROUPS.items() for letter in letters}


def soundex(name):
    letters = [ch for ch in name.upper() if ch.isalpha()]
    if not letters:
        raise ValueError("no letters in %r" % name)
    first, *rest = letters
    code = first
    previous = CODES.get(first)
    for ch in rest:
        digit = CODES.get(ch)
        if digit and digit != previous:
            code += digit
        if ch not in "HW":
            previous = digit
    return (code + "000")[:4]


class PhoneBook(defaultdict):
    """Names by sound."""

    def __init__(self):
        super().__init__(list)

    def add(self, name):
        self[soundex(name)].append(name)

    def sounds_like(self, name):
        return [n for n in self.get(soundex(name), []) if n != name]


def run(inputs):
    book = PhoneBook()
    rejected = []
    for name in inputs["names"]:
        try:
            book.add(name)
        except ValueError as e:
            rejected.append(str(e))
    return {
        "codes": {code: sorted(names) for code, names in sorted(book.items())},
        "like": {name: book.sounds_like(name) for name in inputs["ask"]},
        "rejected": rejected,
        "sounds": len(book),
    }

# inputs: {"names": ["Robert", "Rupert", "Rubin", "Ashcraft", "Ashcroft", "Tymczak", "Pfister", "Honeyman", "O'Hara", "Ohara", "123"], "ask": ["Rupert", "Ashkroft", "Quince"]}
# expect: {"codes": {"A261": ["Ashcraft", "Ashcroft"], "H555": ["Honeyman"], "O600": ["O'Hara", "Ohara"], "P236": ["Pfister"], "R150": ["Rubin"], "R163": ["Robert", "Rupert"], "T522": ["Tymczak"]}, "like": {"Rupert": ["Robert"], "Ashkroft": ["Ashcraft", "Ashcroft"], "Quince": []}, "rejected": ["no letters in '123'"], "sounds": 7}
