"""The colours of surprisal and of signed numbers."""

from __future__ import annotations

from charlm.display import colours


def test_ink_can_be_read_on_every_shade() -> None:
    surprisal = (colours.ON_WHITE, colours.ON_BLACK)
    signed = (colours.SIGNED_ON_WHITE, colours.SIGNED_ON_BLACK)
    for scale in (*surprisal, *signed):
        for k in range(-1, 30):
            background = colours.interpolate(k / 24, scale)
            light = colours.luminance(background)
            dark = colours.needs_dark_text(background)
            contrast = (light + 0.05) / 0.05 if dark else 1.05 / (light + 0.05)
            assert contrast > 4.5  # WCAG 2, level AA
    assert colours.surprisal_colour(99) == colours.ON_WHITE[-1]


def test_colours_run_from_blue_over_white_to_red() -> None:
    assert colours.signed_colour(0.0) == (255, 255, 255)
    for scale in (colours.SIGNED_ON_WHITE, colours.SIGNED_ON_BLACK):
        red, blue = colours.signed_colour(2.0, scale), colours.signed_colour(-2.0, scale)
        assert red == scale[-1]
        assert blue == scale[0]
        assert red[0] > red[2]
        assert blue[2] > blue[0]
