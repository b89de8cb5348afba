"""The driver: the one room with an HTTP client. `exchange` alone imports httpx, `retry` alone imports tenacity."""

from runtime.driver.driver import DeviceState, Driver
from runtime.driver.endpoint import DeviceEndpoint
from runtime.driver.posting import Poster

__all__ = ["DeviceState", "Driver", "DeviceEndpoint", "Poster"]
