"""Trained, verified controllers that come with the package, to start from; ``docs/zoo.md`` lists them."""
