"""What the textbook chapters say in numbers, and how each is measured.

A claim has the words of the English page, those of the Chinese page where it says so too, and a
range. What a training decides differs by processor and seed: such a range is as wide as the
sentence allows, not as what one machine computes. What is arithmetic, or counted, has a narrow one.
"""

from __future__ import annotations

import textbook_claims_1_to_5
import textbook_claims_7_to_11

CLAIMS = textbook_claims_1_to_5.CLAIMS + textbook_claims_7_to_11.CLAIMS
