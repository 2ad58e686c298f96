"""Generate sentences from a word-level Markov chain with a fixed seed."""

import random
from collections import defaultdict

START, END = "<s>", "</s>"


class MarkovChain:
    def __init__(self, order=1, seed=None):
        self.order = order
        self._random = random.Random(seed)
        self._table = defaultdict(list)

    def train(self, sentence):
        words = [START] * self.order + sentence.lower().split() + [END]
        for i in range(len(words) - self.order):
            state = tuple(words[i:i + self.order])
            self._table[state].append(words[i + self.order])
        return self

    def generate(self, limit=12):
        state = (START,) * self.order
        for _ in range(limit):
            word = self._random.choice(self._table[state])
            if word == END:
                return
            yield word
            state = (*state[1:], word)

    def probability(self, sentence):
        words = [START] * self.order + sentence.lower().split() + [END]
        p = 1.0
        for i in range(len(words) - self.order):
            options = self._table.get(tuple(words[i:i + self.order]), [])
            if not options:
                return 0.0
            p *= options.count(words[i + self.order]) / len(options)
        return p


def run(inputs):
    chain = MarkovChain(order=inputs["order"], seed=inputs["seed"])
    for sentence in inputs["corpus"]:
        chain.train(sentence)
    sentences = [" ".join(chain.generate()).capitalize() + "." for _ in range(inputs["count"])]
    vocabulary = {word for sentence in inputs["corpus"] for word in sentence.lower().split()}
    made_of_known = all(w in vocabulary for s in sentences for w in s.lower().rstrip(".").split())
    again = MarkovChain(order=inputs["order"], seed=inputs["seed"])
    for sentence in inputs["corpus"]:
        again.train(sentence)
    return {
        "sentences": sentences,
        "known_words_only": made_of_known,
        "repeatable": " ".join(again.generate()).capitalize() + "." == sentences[0],
        "probability": round(chain.probability("the cat sat"), 4),
        "impossible": chain.probability("cat the"),
    }

# inputs: {"order": 1, "seed": 11, "count": 3, "corpus": ["the cat sat on the mat", "the dog sat", "a cat saw the dog", "the dog saw a bird on the mat"]}
# expect: {"sentences": ["The dog.", "The dog saw the mat.", "The cat saw a cat sat on the dog saw the dog."], "known_words_only": true, "repeatable": true, "probability": 0.0312, "impossible": 0.0}
