"""The sentiment of a comment, from a lexicon that analysts can read and edit.

In: a comment in plain words (``cx.plain_text``) and the words of its language, from the
seed ``sentiment_words``. Out: a score from -1 to 1, or none. Rules, as in VADER (Hutto
and Gilbert 2014): weights add up; a negation up to three words before turns a weight
round, at three quarters of its size; an intensifier just before makes it half as much
again; what follows a "but" weighs more than what stands before it. The sum is bounded:
sum / sqrt(sum² + 15).
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

# Changes with the rules below, and is stored beside what they say.
VERSION = "lexicon 1"
# Words of all languages: emoji.
ANY_LANGUAGE = "*"
LONGEST_PHRASE = 4
SHORTEST_STEM = 3
NEGATION_REACH = 3
NEGATED, INTENSIFIED = -0.75, 1.5
BEFORE_CONTRAST, AFTER_CONTRAST = 0.5, 1.5
BOUND = 15.0

_TOKENS = re.compile(r"[^\W_]+|[^\w\s]|\n")
_ENDS_A_CLAUSE = frozenset(".,;:!?()\n")


@dataclass
class Lexicon:
    """The words of one language, in plain letters.

    weights, stems : of whole words and phrases, and of words that begin so
    """

    weights: dict[str, int] = field(default_factory=dict)
    stems: dict[str, int] = field(default_factory=dict)
    negations: set[str] = field(default_factory=set)
    intensifiers: set[str] = field(default_factory=set)
    contrasts: set[str] = field(default_factory=set)

    @cached_property
    def _longest(self) -> dict[str, int]:
        """How many words the longest phrase has that begins with a word."""
        longest: dict[str, int] = {}
        for phrase in (*self.weights, *self.stems):
            if " " in phrase:
                words = phrase.split(" ")
                longest[words[0]] = max(longest.get(words[0], 0), len(words))
        return longest

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        return frozenset(stem[:SHORTEST_STEM] for stem in self.stems)

    def weigh(self, tokens: list[str], place: int) -> tuple[int, int] | None:
        """The weight of what begins at a place, and how many words that is; the longest
        phrase goes first, a whole word before a stem."""
        first = tokens[place]
        # Most words begin nothing, which two look-ups tell.
        longest = min(self._longest.get(first, 1), LONGEST_PHRASE, len(tokens) - place)
        for length in range(longest, 0, -1):
            words = " ".join(tokens[place : place + length])
            if words in self.weights:
                return self.weights[words], length
            if words[:SHORTEST_STEM] not in self._beginnings:
                continue
            for end in range(
                len(words), max(len(words) - len(first), SHORTEST_STEM - 1), -1
            ):
                stem = words[:end]
                if stem in self.stems and stem.count(" ") == length - 1:
                    return self.stems[stem], length
        return None


def read_lexicons(
    rows: Iterable[tuple[str, str, str, int | None]],
) -> dict[str, Lexicon]:
    """The lexicon of each language.

    rows : language, word in plain letters, role, weight of an opinion
    """
    lexicons: dict[str, Lexicon] = {}
    for language, word, role, weight in rows:
        lexicon = lexicons.setdefault(language, Lexicon())
        if role == "negation":
            lexicon.negations.add(word)
        elif role == "intensifier":
            lexicon.intensifiers.add(word)
        elif role == "contrast":
            lexicon.contrasts.add(word)
        elif weight is None:
            raise ValueError(f"The word {word} of sentiment_words has no weight")
        elif word.endswith("*"):
            lexicon.stems[word.removesuffix("*")] = weight
        else:
            lexicon.weights[word] = weight
    for_all = lexicons.pop(ANY_LANGUAGE, Lexicon())
    for lexicon in lexicons.values():
        lexicon.weights.update(for_all.weights)
    return lexicons


def score(text: str, lexicon: Lexicon) -> Decimal | None:
    """The sentiment of a text in plain words, -1 to 1; None: it has no opinion word."""
    tokens = _TOKENS.findall(text)
    found = list(_weigh_all(tokens, lexicon))
    if not found:
        return None
    contrast = max(
        (place for place, token in enumerate(tokens) if token in lexicon.contrasts),
        default=None,
    )
    total = 0.0
    for place, weight in found:
        if contrast is not None and contrast > 0:
            weight *= AFTER_CONTRAST if place > contrast else BEFORE_CONTRAST
        total += weight
    return Decimal(repr(round(total / math.sqrt(total * total + BOUND), 4)))


def _weigh_all(tokens: list[str], lexicon: Lexicon) -> Iterable[tuple[int, float]]:
    place = 0
    phrase_end = 0
    while place < len(tokens):
        weighed = lexicon.weigh(tokens, place)
        if weighed is None:
            place += 1
            continue
        weight, length = float(weighed[0]), weighed[1]
        if not weight:
            # A greeting: "good" in "good morning" is no opinion.
            place += length
            continue
        before = _words_before(tokens, max(place - NEGATION_REACH, phrase_end), place)
        if before and before[-1] in lexicon.intensifiers:
            weight *= INTENSIFIED
        if any(word in lexicon.negations for word in before):
            weight *= NEGATED
        yield place, weight
        place += length
        # The "not" of a phrase that is listed with it turns nothing else round.
        phrase_end = place if length > 1 else phrase_end


def _words_before(tokens: list[str], start: int, place: int) -> list[str]:
    """The words from a start up to a place, as far as they are of its clause."""
    before: list[str] = []
    for token in reversed(tokens[max(start, 0) : place]):
        if token in _ENDS_A_CLAUSE:
            break
        before.insert(0, token)
    return before


def name(value: Decimal) -> str:
    """positive, negative, or mixed: words for and against that weigh the same."""
    if value > 0:
        return "positive"
    return "negative" if value < 0 else "mixed"


def describe(lexicons: Mapping[str, Lexicon]) -> str:
    """Everything that a score depends on but the text, to tell two lexicons apart."""
    return VERSION + repr(
        [
            (
                language,
                sorted(one.weights.items()),
                sorted(one.stems.items()),
                *(sorted(w) for w in (one.negations, one.intensifiers, one.contrasts)),
            )
            for language, one in sorted(lexicons.items())
        ]
    )
