"""Double descent: how the test error changes as a model grows past the point where it fits every label."""
