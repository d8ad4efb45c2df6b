"""Parts of ``tools/build_zoo.py``: from what is wanted to files in the package and a page about them."""
