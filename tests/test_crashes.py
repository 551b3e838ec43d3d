"""The places where a process may be stopped are in the code."""

from tests import crashes


def test_every_place_to_stop_at_is_a_function_of_the_code() -> None:
    places = [
        *crashes.GATE_1_PLACES,
        *crashes.PLACES_BETWEEN_PARTS,
        *crashes.GATE_2_PLACES,
        *crashes.PUBLISH_PLACES,
    ]
    assert [
        (owner, name)
        for owner, name, _, _ in places
        if not callable(getattr(owner, name, None))
    ] == []
