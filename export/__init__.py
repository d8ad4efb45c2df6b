"""Export: from a controller to what a device runs. The folder ``export/`` is this package."""
