"""The hub: a controller as one ONNX file, written and read. ``docs/onnx-domain.md`` specifies it."""
