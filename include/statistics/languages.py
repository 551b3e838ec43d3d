"""The language of a comment, where no export tells it.

In: a text. Out: its language (ISO 639-1), or none where the library is not certain
enough. The library (py3langid, Lui and Baldwin's langid.py kept up to date) brings its
model with it: nothing is fetched, and the same text is of the same language anywhere.
"""

from functools import cache
from importlib.metadata import version

from py3langid import langid

VERSION = f"py3langid {version('py3langid')}"
# Comments are short, and near relatives (Galician, Catalan) take them from Portuguese
# and Spanish: the languages that this company's customers may write, and a few more, so
# that not everything is one of the four.
LANGUAGES = (
    *("pt", "es", "ro", "en", "fr", "it", "de", "nl"),
    *("pl", "hu", "uk", "ru", "tr", "ja", "zh", "ar"),
)
LEAST_PROBABILITY = 0.7


@cache
def _load() -> langid.LanguageIdentifier:
    identifier = langid.LanguageIdentifier.from_model_file(
        langid.MODEL_FILE, norm_probs=True
    )
    identifier.set_languages(LANGUAGES)
    return identifier


def identify(text: str) -> str | None:
    """The language of a text; None: under 0.7 probable."""
    language, probability = _load().classify(text)
    return str(language) if probability >= LEAST_PROBABILITY else None
