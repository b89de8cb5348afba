"""What text from outside may look like: cleaning before a model reads it, limits before a person or an agent does.

Here live the rules about characters, words and sentences. Here never lives what a text is about (see
`compiler.proposals`). `clean` never refuses: a prompt needs something to show. The `fault_of_…` functions
never repair: they say in words what is wrong, "" when nothing is. THREATS.md, B1 and B2.
"""

import re
import unicodedata
from collections.abc import Iterable

from compiler.proposer.vocabulary import COMMANDS, SOOTHING
from workflow.documents.path_queries import parted
from workflow.visible import is_visible

MAX_NOUN = 40
MAX_NOUN_WORDS = 4
SENTENCE_WORDS = range(2, 13)
MAX_WORD = 30  # longer ones are encodings, not words
_NOUN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[ -][A-Za-z0-9]+)*")
_SENTENCE = re.compile(r"[A-Za-z][A-Za-z ,'-]*")
_DESCRIPTION = re.compile(r"[A-Za-z][A-Za-z0-9 .,;:()'/%+-]*")
_ADDRESS = re.compile(r"//|www\.|[a-z0-9]\.[a-z0-9]|\bhttps?\b", re.IGNORECASE)
_SEGMENT = re.compile(r"\{?[A-Za-z0-9_.@$:~-]{1,48}\}?")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")  # `@odata.id` and `$ref` tell nothing of a thing
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "–": "-", "—": "-", "‑": "-", "…": ".", "“": "'", "”": "'", '"': "'"})


def clean(text: str, most: int) -> str:
    """`text` in one line of visible characters, compatibility forms folded, at most `most` of them."""
    # Far more than is kept, and little enough that a long text costs nothing.
    plain = unicodedata.normalize("NFKC", text[: 20 * most])
    spaced = "".join(c if is_visible(c) else " " if c.isspace() else "" for c in plain)
    return " ".join(spaced.split())[:most].rstrip()


def identifiers(names: Iterable[str], most: int) -> list[str]:
    """The first `most` names that look like a program's names; a sentence in the place of a name is left out."""
    return [name for name in names if _IDENTIFIER.fullmatch(name)][:most]


def path_words(path: str) -> str:
    """A path template with every segment that is no plain name blotted out, so that no sentence travels in it."""
    address, query = parted(path)
    parts = (*address.split("/"), *re.split(r"[?#&=]", query))
    shown = [part if _SEGMENT.fullmatch(part) else "?" for part in parts if part]
    return "/" + "/".join(shown[:16])


def plain_typography(text: str) -> str:
    """Curly quotes, dashes and ellipses as their plain forms: models write them, and they mean nothing else."""
    return text.translate(_TYPOGRAPHY).strip(" ")


def words_of(text: str) -> tuple[str, ...]:
    """Lower-case words; hyphens and slashes part them."""
    return tuple(_WORD.findall(text.lower()))


def phrase_in(text: str, phrases: Iterable[str]) -> str:
    """The first of `phrases` that stands in `text` as whole words, "" where none does."""
    said = f" {' '.join(words_of(text))} "
    return next((phrase for phrase in phrases if f" {phrase} " in said), "")


def fault_of_command(text: str, own: frozenset[str] = frozenset()) -> str:
    """`own`: words of the thing's name, which may be said of it (a “trusted host”)."""
    found = phrase_in(text, (phrase for phrase in COMMANDS if phrase not in own))
    return f"speaks to its reader (“{found}”)" if found else ""


def fault_of_noun(name: str, own: frozenset[str] = frozenset()) -> str:
    """Letters, digits, single spaces and hyphens; at most 40 characters and four words."""
    if len(name) > MAX_NOUN:
        return f"longer than {MAX_NOUN} characters"
    if not _NOUN.fullmatch(name):
        return "other characters than letters, digits, single spaces and hyphens"
    if len(words_of(name)) > MAX_NOUN_WORDS:
        return f"more than {MAX_NOUN_WORDS} words"
    return fault_of_command(name, own)


def fault_of_description(text: str, most_words: int, own: frozenset[str] = frozenset()) -> str:
    if "\n" in text or "\r" in text:
        return "more than one paragraph"
    if len(text.split()) > most_words:
        return f"more than {most_words} words"
    if not _DESCRIPTION.fullmatch(text):
        return "characters that no description needs: markup, expressions, invisible or foreign ones"
    return _fault_of_words(text, own)


def _fault_of_words(text: str, own: frozenset[str]) -> str:
    if _ADDRESS.search(text):
        return "an address or a file's name"
    if any(len(word) > MAX_WORD for word in text.split()):
        return f"a word longer than {MAX_WORD} characters"
    return fault_of_command(text, own)


def fault_of_sentence(text: str, own: frozenset[str] = frozenset()) -> str:
    """Of what an operator would say: a few plain words, no number and no name of one thing."""
    if not _SENTENCE.fullmatch(text):
        return "other characters than letters, commas and hyphens"
    said = words_of(text)
    if len(said) not in SENTENCE_WORDS:
        return f"{len(said)} words; a sentence has {SENTENCE_WORDS.start} to {SENTENCE_WORDS.stop - 1}"
    judging = phrase_in(text, (phrase for phrase in SOOTHING if phrase not in own))
    return f"“{judging}” is a judgement" if judging else _fault_of_words(text, own)
