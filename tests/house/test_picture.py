"""The picture that the README opens with shows what was measured and what the compiler makes."""

from bench import picture
from tests.shipped import shipped


def test_the_picture_of_what_an_agent_sees_is_as_drawn_now() -> None:
    text = picture.MEASURED.read_text()
    one = next(each for each in shipped("hypercore").workflows if each.flow.id == picture.WORKFLOW)
    without, with_it = (picture.measured(text, name) for name in ("one tool an operation", "default catalog"))
    assert picture.PLACE.read_text() == picture.picture(without, with_it, one), "python -m bench.picture"
    assert without.tools > with_it.tools
    assert without.text in picture.PLACE.read_text() and with_it.text in picture.PLACE.read_text()
