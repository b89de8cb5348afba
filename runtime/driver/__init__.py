"""The driver: the one room with an HTTP client. `exchange` alone imports httpx, `tries` alone imports tenacity."""

from runtime.driver.driver import DeviceState, Driver
from runtime.driver.endpoint import Endpoint
from runtime.driver.posting import Poster

__all__ = ["DeviceState", "Driver", "Endpoint", "Poster"]
