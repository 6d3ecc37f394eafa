"""Measurements behind README's figures: ratios against a floor or a peer, taken in turn in the same run."""
