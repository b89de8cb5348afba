"""Other words that are made of one, or that it is made of: who scrapes has a scraper, who owns has the ownership.

Only told; whether anybody here has them the caller looks up, and only where nobody has the word itself: "drive" and
"driver" are two things. Pure, by how the stemmer leaves English words.
"""

# Endings by which one word is made of another.
_MADE_BY = ("er", "or", "r", "ion", "ation", "ment", "ship", "abl", "anc", "enc", "ur", "al", "iti")
# Of shorter words too much is made.
_LEAST = 5


def forms_of(stem: str) -> tuple[str, ...]:
    """The stems of such words, of which most are none."""
    if len(stem) < _LEAST or not stem.isalpha():
        return ()
    base = stem.removesuffix("e")
    bases = [stem.removesuffix(ending) for ending in _MADE_BY if stem.endswith(ending)]
    long = [each for each in bases if len(each) >= _LEAST - 1]
    made = (*(f"{base}{ending}" for ending in _MADE_BY), *long, *(f"{each}e" for each in long))
    return tuple(each for each in dict.fromkeys(made) if each != stem)
