"""How much a description may ask of the compiler: one value, handed to whoever reads bytes.

Here live numbers with their reasons; here never lives the code that enforces them (`parse`, `yaml_events`, `files`,
`operations`). THREATS.md row B4 asks for a verdict in 2 s and 512 MB whatever the bytes are; every figure below
follows from that on a machine that builds 500,000 YAML nodes a second. The largest honest description at hand
(iDRAC, 2.9 MB of YAML) has 110,000 nodes, the deepest 18 levels: each limit leaves room for several times as much.
"""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """`nodes` are mappings, lists and scalars, counted as often as aliases repeat them.

    json_bytes: a hostile 32 MiB within `json_nodes` stays under 350 MB once parsed.
    json_nodes: bounds mappings, lists and commas, counted before anything is built (an empty list costs 64 bytes).
    yaml_bytes, yaml_nodes: libyaml is 20 times slower than JSON; more than this would not end in 2 s.
    depth: readers recurse at most three frames a level, and Python stands a thousand.
    digits: no number of a description needs more; converting long ones takes quadratic time.
    total_*: over all files together, since one small file can name a thousand others.
    lookups: different references to other files; each asks the file system a few times.
    """

    json_bytes: int = 32 * MIB
    json_nodes: int = 1_500_000
    yaml_bytes: int = 16 * MIB
    yaml_nodes: int = 600_000
    depth: int = 100
    digits: int = 64
    total_bytes: int = 128 * MIB
    total_nodes: int = 3_000_000
    files: int = 4_000
    lookups: int = 20_000
    folder_entries: int = 50_000
    operations: int = 20_000
    schemas: int = 25_000


DEFAULT_LIMITS = ReadLimits()
