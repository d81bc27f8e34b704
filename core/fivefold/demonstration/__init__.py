"""The demonstration: a small real job for each domain, and a page that shows them side by side."""

from fivefold.demonstration.job import Shown, demonstrate, lacking
from fivefold.demonstration.page import write_page

__all__ = ["Shown", "demonstrate", "lacking", "write_page"]
