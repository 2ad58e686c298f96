"""A text editor with undo and redo through command objects."""

from abc import ABC, abstractmethod


class Command(ABC):
    @abstractmethod
    def apply(self, text): ...

    @abstractmethod
    def revert(self, text): ...

    def merge(self, other):
        """Return both as one command, or None if they do not belong together."""


class Insert(Command):
    def __init__(self, at, piece):
        self._at, self._end, self._piece = at, at + len(piece), piece

    def apply(self, text):
        return text[:self._at] + self._piece + text[self._at:]

    def revert(self, text):
        return text[:self._at] + text[self._end:]

    def merge(self, other):
        if isinstance(other, Insert) and other._at == self._end and not other._piece.isspace():
            return Insert(self._at, self._piece + other._piece)
        return super().merge(other)


class Delete(Command):
    def __init__(self, at, length):
        self._at, self._length, self._removed = at, length, None

    def apply(self, text):
        end = self._at + self._length
        self._removed = text[self._at:end]
        return text[:self._at] + text[end:]

    def revert(self, text):
        return text[:self._at] + self._removed + text[self._at:]


class Editor:
    def __init__(self, text=""):
        self.text = text
        self.__done, self.__undone = [], []

    def execute(self, command):
        self.text = command.apply(self.text)
        self.__undone.clear()
        if self.__done and (merged := self.__done[-1].merge(command)):
            self.__done[-1] = merged
        else:
            self.__done.append(command)

    def undo(self):
        if self.__done:
            self.__undone.append(command := self.__done.pop())
            self.text = command.revert(self.text)

    def redo(self):
        if self.__undone:
            self.__done.append(command := self.__undone.pop())
            self.text = command.apply(self.text)


def run(inputs):
    editor, trace = Editor(inputs["text"]), []
    commands = {"insert": Insert, "delete": Delete}
    for action, *args in inputs["actions"]:
        editor.execute(commands[action](*args)) if action in commands else getattr(editor, action)()
        trace.append(editor.text)
    return {"trace": trace}

# inputs: {"text": "Hello", "actions": [["insert", 5, ","], ["insert", 6, "you"], ["insert", 9, " "], ["undo"], ["undo"], ["redo"], ["delete", 0, 2], ["undo"], ["delete", 3, 4], ["delete", 0, 1], ["redo"], ["undo"], ["undo"], ["undo"], ["undo"]]}
# expect: {"trace": ["Hello,", "Hello,you", "Hello,you ", "Hello,you", "Hello", "Hello,you", "llo,you", "Hello,you", "Helou", "elou", "elou", "Helou", "Hello,you", "Hello", "Hello"]}
