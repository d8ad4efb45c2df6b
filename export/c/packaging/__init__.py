"""What each ecosystem expects beside a controller's C: one folder that serves all of them."""

from ltc_edge.export.c.packaging.files import package_files

__all__ = ["package_files"]
