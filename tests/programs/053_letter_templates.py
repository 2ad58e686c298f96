"""Fill letters from string.Template, with missing fields reported and a custom delimiter."""

import string
import textwrap
from string import Template


class MoneyTemplate(Template):
    delimiter = "%"
    idpattern = r"[a-z]+\.?[a-z]*"


class Mailer:
    def __init__(self, template, width=40, cls=Template):
        self.__template = cls(template)
        self.__width = width
        self.__missing = []

    def render(self, **fields):
        try:
            text = self.__template.substitute(fields)
        except KeyError as exc:
            self.__missing.append(exc.args[0])
            text = self.__template.safe_substitute(fields)
        except ValueError as exc:
            return f"bad template: {exc}"
        return textwrap.fill(text, self.__width)

    @property
    def missing(self):
        return tuple(self.__missing)


def run(inputs):
    mailer = Mailer(inputs["template"])
    letters = [mailer.render(**person) for person in inputs["people"]]
    offer = Mailer("Only %item.name for $5 (100%%)", cls=MoneyTemplate).render(**{"item.name": "socks"})
    broken = Mailer("Hello $").render()
    signature = textwrap.dedent(
        """
        Yours,
            The Team
        """
    ).strip()
    return {
        "letters": [letter.splitlines() for letter in letters],
        "missing": list(mailer.missing),
        "offer": offer,
        "broken": broken.split(":")[0],
        "signature": textwrap.indent(signature, "> ").split("\n"),
        "short": textwrap.shorten("The quick brown fox jumps over it", width=20, placeholder="..."),
        "caps": string.capwords("dear sir or madam"),
    }

# inputs: {"template": "Dear $name, your order of ${count} items ships on $day. It weighs ${weight}kg and costs $$9.", "people": [{"name": "Ada", "count": 3, "day": "Monday", "weight": 2.5}, {"name": "Bob", "count": 1, "weight": 1}]}
# expect: {"letters": [["Dear Ada, your order of 3 items ships on", "Monday. It weighs 2.5kg and costs $9."], ["Dear Bob, your order of 1 items ships on", "$day. It weighs 1kg and costs $9."]], "missing": ["day"], "offer": "Only socks for $5 (100%)", "broken": "bad template", "signature": ["> Yours,", ">     The Team"], "short": "The quick brown...", "caps": "Dear Sir Or Madam"}
