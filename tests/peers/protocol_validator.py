"""Runs DMTF's redfish_protocol_validator against an address, without its search of the network.

A process of its own, started by test_protocol_validator.py: the validator keeps connections open and ends by
`sys.exit`. Its SSDP discovery asks the whole network by multicast; here nothing leaves the loopback address, so it
finds nothing. Arguments are the validator's own.
"""

from typing import Any

from redfish_protocol_validator import console_scripts, utils


def found_nothing(**_: Any) -> dict[str, Any]:
    return {}


if __name__ == "__main__":
    utils.discover_ssdp = found_nothing
    console_scripts.main()
