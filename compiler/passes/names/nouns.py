"""What a person calls the thing that an address names: `serviceaccounts` → service account, `roles-by-id` → role by ID.

Pure text over operations and addresses, for the names of resources (`resources`). Words that are written together are
split as the API's own operation ids and schemas split them; what says nothing alone (`models`) takes the word before
it in the address. Here never lives how equal names are told apart.
"""

from collections.abc import Iterable, Mapping, Sequence, Set

from compiler.ir.model import Api
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, last_word, noun_of_query, parameter_of, parent, segments
from workflow.documents.path_queries import parted

_SHORTEST = 7  # letters of a word that may be two; shorter ones are names of their own
_SHORTEST_ONE = 2  # letters
_TELLING = 120  # characters of a text: what is done to what
_MOST_JOINED = 4  # words written as one
_SAY_NOTHING = frozenset({"model", "item", "entry", "parameter", "object", "instance", "record", "element", "detail"})
# What is of something, in whatever API: `/quota/settings/mappings` has quota settings mappings.
_OF_SOMETHING = frozenset({"mapping", "definition", "option", "rule", "attribute", "property", "type"})
_EITHER = 2  # words: `name or`
_OF_IDENTITY = frozenset({"id", "uuid", "name", "key", "path", "guid", "num", "number"})


def joined_words(api: Api) -> Mapping[str, str]:
    """Segment of an address written as one word → the same as operation ids and schemas spell it, spaced."""
    asked = {part for o in api.operations for part in segments(o.path) if _may_be_joined(part)}
    names = [words.split(name or "") for name in (*(o.name for o in api.operations), *api.schemas)]
    names += [words.split(text[:_TELLING]) for o in api.operations for text in (o.summary, o.description) if text]
    spoken = {word for said in names for word in said}
    ones = {part: part[:-1] for o in api.operations for part in segments(o.path) if _is_plural(part, spoken)}
    if not asked:
        return ones
    wanted = {**{part: part for part in asked}, **{words.singular(part): part for part in asked}}
    found: dict[str, str] = dict(ones)
    for name in names:
        for said in _runs(name):
            segment = wanted.get("".join(said))
            is_typing = any(len(word) == 1 for word in said)  # `BRanding`
            if segment is not None and len(said) > 1 and not is_typing:
                found.setdefault(segment, " ".join(said))
    return found


def _is_plural(part: str, spoken: Set[str]) -> bool:
    """`srs`, `pgpus`: no English word, and the API has operations or schemas of one `Sr`."""
    is_unknown = part.isalpha() and part.endswith("s") and len(part) > _SHORTEST_ONE and words.singular(part) == part
    return is_unknown and part.lower()[:-1] in spoken


def _may_be_joined(part: str) -> bool:
    return part.isalpha() and part.islower() and len(part) >= _SHORTEST


def _runs(said: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    for start in range(len(said)):
        for end in range(start + 2, min(len(said), start + _MOST_JOINED) + 1):
            yield said[start:end]


def spoken_noun(noun: str, joined: Mapping[str, str], *, is_one: bool) -> str:
    """The noun as a person says it, of one thing where `is_one`."""
    own, by, rest = noun.replace("_by_", "-by-").partition("-by-")
    said = joined.get(own, own)
    return f"{words.spoken(words.singular(said) if is_one else said)}{' by ' + words.spoken(rest) if by else ''}"


def says_nothing(noun: str) -> bool:
    """True for what is everywhere (`items`, `models`) and needs the word before it."""
    return words.singular(noun).lower() in _SAY_NOTHING


def is_of_something(noun: str) -> bool:
    """True for what is understood by the words before it alone (`mappings`, `definitions`)."""
    return words.singular(noun).lower() in _OF_SOMETHING


def needs_more(group: str) -> bool:
    """True for a word that says little before another one, too: the mapping of `settings` is that of quota settings."""
    return is_of_something(group) or words.singular(group).lower() == "setting"


def noun_of_address(collection: str, item: str) -> str:
    """`/stores/{store_id}/{image_id}` is of the images of a store, whatever its last literal segment is."""
    if parted(collection or item)[1]:
        return noun_of_query(collection or item)
    noun = last_word(collection or item)
    own = segments(item)[-1:] if ends_in_parameter(item) and ends_in_parameter(parent(item)) else ()
    said = words.split(parameter_of(own[0])) if own else ()
    if len(said) > 1 and said[-1] in _OF_IDENTITY and noun:
        thing = thing_of(said)
        return noun if thing in words.snake(noun) else f"{words.singular(noun)}_{thing}"
    return noun


def thing_of(said: Sequence[str]) -> str:
    """What a parameter of these words tells the identity of: an environment for `{environment_name_or_uuid}`."""
    said = said[:-1]
    while len(said) > _EITHER and said[-1] == "or" and said[-2] in _OF_IDENTITY:
        said = said[:-_EITHER]
    return "_".join(said)
