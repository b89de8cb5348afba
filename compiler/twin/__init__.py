"""A stateful mock of a vendor's device, made from the understood API and the vendor's profile.

Here live the twin itself (`machine.py`) and what it is made of; serving it over HTTP is `server.py`. Here never lives
a vendor's name: what differs by vendor is in the profile. Called by `compiler.proofs.proof`, `switchgear mock` and
tests.
"""

from compiler.twin.machine import Tempo, Twin
from compiler.twin.requests.messages import Recorded, Sample, TwinReply, TwinRequest
from compiler.twin.sessions import Credentials

__all__ = ["Credentials", "Recorded", "Sample", "Tempo", "Twin", "TwinReply", "TwinRequest"]
