"""Translate Morse code both ways, tolerate unknown signs and time the transmission."""

MORSE = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
        "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.".split(),
    )
)
LETTERS = {code: letter for letter, code in MORSE.items()}


def encode(text):
    words = []
    for word in text.upper().split():
        words.append(" ".join(MORSE.get(ch, "?") for ch in word))
    return " / ".join(words)


def decode(code):
    return " ".join("".join(LETTERS.get(sign, "#") for sign in word.split()) for word in code.split("/"))


def units(code):
    """Length in dots: dash 3, gap in a letter 1, between letters 3, between words 7."""
    total = 0
    for w, word in enumerate(code.split(" / ")):
        total += 7 if w else 0
        for l, letter in enumerate(word.split()):
            total += 3 if l else 0
            total += sum({".": 1, "-": 3}.get(sign, 0) for sign in letter) + len(letter) - 1
    return total


def ambiguous(code, limit=5):
    """Ways to read code without gaps, found depth first."""
    found = []

    def read(rest, so_far):
        if len(found) == limit:
            return
        if not rest:
            found.append(so_far)
        for n in range(1, 5):
            head, tail = rest[:n], rest[n:]
            if len(head) == n and head in LETTERS:
                read(tail, so_far + LETTERS[head])

    read(code, "")
    return found


def run(inputs):
    encoded = {text: encode(text) for text in inputs["texts"]}
    return {
        "encoded": encoded,
        "round_trip": [decode(code) for code in encoded.values()],
        "decoded": [decode(code) for code in inputs["codes"]],
        "seconds": {text: round(units(code) * 1.2 / 20, 2) for text, code in encoded.items()},
        "ambiguous": ambiguous("...-"),
        "paris": units(encode("paris")) + 7,
        "shortest": min(MORSE, key=lambda ch: (units(MORSE[ch]), ch)),
    }

# inputs: {"texts": ["SOS", "Hello World 73", "a+b"], "codes": ["-.-. --.-", ".- / -.... / ......"]}
# expect: {"encoded": {"SOS": "... --- ...", "Hello World 73": ".... . .-.. .-.. --- / .-- --- .-. .-.. -.. / --... ...--", "a+b": ".- ? -..."}, "round_trip": ["SOS", "HELLO WORLD 73", "A#B"], "decoded": ["CQ", "A 6 #"], "seconds": {"SOS": 1.62, "Hello World 73": 8.82, "a+b": 1.2}, "ambiguous": ["EEET", "EEA", "EIT", "EU", "IET"], "paris": 50, "shortest": "E"}
