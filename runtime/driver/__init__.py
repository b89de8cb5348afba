"""The driver: the one room with an HTTP client. `exchange` alone imports httpx, `tries` alone imports tenacity."""

from runtime.driver.driver import Driver
from runtime.driver.endpoint import Endpoint
from runtime.driver.posting import Poster

__all__ = ["Driver", "Endpoint", "Poster"]
