"""The one cattrs converter: wire objects to models and back, with nothing coerced in silence.

What it adds to a plain `cattrs.Converter`, one file each:

- `scalars`: a string is no number and a number no string; times are aware, in all the spellings of the API text;
- `objects`: wire names come from each field's metadata, unknown fields are kept in `extra`, explicit nulls in `nulls`;
- `events`: telephony events are told apart by `type`, faxes by their shape, the rest becomes `UnknownEvent`;
- `webhooks`: deliveries with and without their envelope;
- `envelopes`: the three list envelopes of the API read into `Page`;
- `quick`, `compiled`, `source`: the same objects at a fifth of the cost, where a text is as expected;
- `fault`: an error names its place in wire names, such as `content[3].duration`.
"""

from __future__ import annotations

from .codec import converter, decode, structure, unstructure
from .fault import wire_names

__all__ = ["converter", "decode", "structure", "unstructure", "wire_names"]
