"""Score ten-pin bowling games written as text and reject impossible ones."""


class BadGame(ValueError):
    pass


class Game:
    def __init__(self, text):
        self._rolls = list(self._parse(text.replace(" ", "").upper()))
        self._next = 0

    @staticmethod
    def _parse(text):
        previous = None
        for ch in text:
            if ch == "X":
                pins = 10
            elif ch == "/":
                if previous is None:
                    raise BadGame("spare without a first roll")
                pins = 10 - previous
            elif ch == "-":
                pins = 0
            elif ch.isdigit():
                pins = int(ch)
            else:
                raise BadGame(f"what is {ch!r}?")
            previous = pins
            yield pins

    def frames(self):
        i = 0
        for number in range(1, 11):
            try:
                first = self._rolls[i]
                if first == 10:
                    i += 1
                    yield number, 10 + self._rolls[i] + self._rolls[i + 1]
                    continue
                total = first + self._rolls[i + 1]
                i += 2
                if total > 10:
                    raise BadGame(f"{total} pins in frame {number}")
                yield number, total + (self._rolls[i] if total == 10 else 0)
            except IndexError:
                raise BadGame(f"frame {number} is unfinished") from None
        last = self._rolls[i - 2:i] if self._rolls[i - 1] != 10 else [10]
        bonus = 2 if last == [10] else 1 if sum(last) == 10 else 0
        if len(self._rolls) != i + bonus:
            raise BadGame(f"{len(self._rolls) - i - bonus:+d} rolls at the end")

    @property
    def running(self):
        total = 0
        return [total := total + points for _, points in self.frames()]


def run(inputs):
    results = {}
    for text in inputs["games"]:
        try:
            *_, final = running = Game(text).running
        except BadGame as error:
            results[text] = f"refused: {error}"
        else:
            results[text] = {"frames": running, "final": final}
    best = max((r["final"] for r in results.values() if isinstance(r, dict)), default=None)
    return {"results": results, "best": best}

# inputs: {"games": ["XXXXXXXXXXXX", "9-9-9-9-9-9-9-9-9-9-", "5/5/5/5/5/5/5/5/5/5/5", "X 7/ 9- X -8 8/ -6 X X X81", "XX", "75 11", "/", "12Q", "--------------------1"]}
# expect: {"results": {"XXXXXXXXXXXX": {"frames": [30, 60, 90, 120, 150, 180, 210, 240, 270, 300], "final": 300}, "9-9-9-9-9-9-9-9-9-9-": {"frames": [9, 18, 27, 36, 45, 54, 63, 72, 81, 90], "final": 90}, "5/5/5/5/5/5/5/5/5/5/5": {"frames": [15, 30, 45, 60, 75, 90, 105, 120, 135, 150], "final": 150}, "X 7/ 9- X -8 8/ -6 X X X81": {"frames": [20, 39, 48, 66, 74, 84, 90, 120, 148, 167], "final": 167}, "XX": "refused: frame 1 is unfinished", "75 11": "refused: 12 pins in frame 1", "/": "refused: spare without a first roll", "12Q": "refused: what is 'Q'?", "--------------------1": "refused: +1 rolls at the end"}, "best": 300}
