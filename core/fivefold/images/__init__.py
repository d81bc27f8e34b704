"""Pictures: decoded, brought to a common shape, compared, and shown. Needs OpenCV, which plugins bring."""

import os

# OpenCV reads these once, when it is first imported, so they are set before any module here can import it.
# A small file can name any size and fill the memory: larger pictures (134 megapixels) are refused.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**27))
# OpenCV's own complaints would stand between the lines of ours.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
