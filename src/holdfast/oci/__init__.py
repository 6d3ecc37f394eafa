"""Container images as they are stored: references, manifests, layouts and archives, and their layers as streams."""
