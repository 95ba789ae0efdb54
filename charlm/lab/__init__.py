"""The laboratory: experiments that show what textbooks claim about recurrent networks.

Each is one function of a seed that returns a frozen dataclass of plain numbers, with
`as_dict()` for --json and `panels()` for the picture.
"""

from ..system.extras import require_packages

require_packages("the laboratory", "torch", "matplotlib")
