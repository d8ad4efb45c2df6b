"""Manifests of library managers: Arduino's, PlatformIO's and ESP-IDF's."""

from __future__ import annotations

import json

from ltc_edge.export.c.packaging.escape import property_value, yaml_string
from ltc_edge.export.c.packaging.facts import Facts
from ltc_edge.export.c.packaging.templates import filled

KEEP_PRODUCTS = "-ffp-contract=off"
"""A compiler's flag: ``a * b + c`` is rounded twice, on processors that could round it once too. The sources
say so themselves; the flag says it again to compilers that do not listen to them."""


def library_properties(facts: Facts) -> str:
    """``library.properties`` of an Arduino library, format 1.5.

    Its objects go through an archive, so that two controllers in one sketch share the runtime they have in
    common instead of defining it twice.
    """
    properties = {
        "name": facts.name,
        "version": facts.version,
        "author": "ltc-edge",
        "maintainer": "ltc-edge",
        "sentence": property_value(facts.summary),
        "paragraph": f"Observations: {len(facts.observations)}; bounded actions: {len(facts.actions)}; "
        f"every {facts.period_s:g} s, in {facts.state_type}, no allocation, a fallback on faults.",
        "category": "Device Control",
        "url": "",
        "architectures": "*",
        "includes": f"{facts.name}.h",
        "dot_a_linkage": "true",
    }
    return "".join(f"{key}={value}\n" for key, value in properties.items())


def library_json(facts: Facts) -> str:
    """``library.json`` of a PlatformIO library."""
    manifest = {
        "name": facts.name,
        "version": facts.version,
        "description": facts.summary,
        "keywords": ["control", "neural-network", "liquid-time-constant"],
        "authors": [{"name": "ltc-edge"}],
        "frameworks": "*",
        "platforms": "*",
        "headers": f"{facts.name}.h",
        "examples": [
            {"name": facts.name, "base": f"examples/{facts.name}", "files": [f"{facts.name}.ino"]},
        ],
        "build": {"flags": [KEEP_PRODUCTS], "srcDir": "src", "includeDir": "src", "libArchive": True},
    }
    return json.dumps(manifest, indent=2) + "\n"


def idf_component(facts: Facts) -> str:
    """``idf_component.yml`` of an ESP-IDF component."""
    words = {"version": yaml_string(facts.version), "description": yaml_string(facts.summary)}
    return filled("idf_component.yml", words)
