"""Fonts of pictures whose text is Chinese."""

from __future__ import annotations

from contextlib import suppress

from ..errors import require

CHINESE = (  # the first of them that is installed is used
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Sans CJK JP",  # the only one that matplotlib sees in the file of all Noto Sans CJK
    "Heiti SC",
    "STHeiti",
    "SimHei",
    "DengXian",
    "Droid Sans Fallback",
    "Arial Unicode MS",
    "SimSun",
)


def chinese_fonts() -> list[str]:
    """One installed font with Chinese characters.

    Raises CharlmError if there is none.
    """
    found = _installed()
    if not found:
        _look_again()
        found = _installed()
    require(bool(found), "`lang=zh` needs a font with Chinese characters, such as fonts-noto-cjk")
    return found[:1]


def _installed() -> list[str]:
    from matplotlib.font_manager import fontManager

    names = set(fontManager.get_font_names())
    return [name for name in CHINESE if name in names]


def _look_again() -> None:
    """Make matplotlib aware of fonts that were installed after it last looked."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {font.fname for font in fontManager.ttflist}
    for path in findSystemFonts():
        if path not in known:
            with suppress(OSError, RuntimeError):  # a file that is no usable font
                fontManager.addfont(path)
