"""Settings that give more than is needed: of images, of the servers inside, of Dockerfiles.

traits = marks(entry)                      # of every entry of a tree, as it is walked
found = reader.read(file)                  # of the files that READERS ask for
findings = assess(Scene(name, image, traits=(Placed(path, trait, diff_id, side), …), …))
"""

from holdfast.misconfig.assess import assess
from holdfast.misconfig.marks import marks
from holdfast.misconfig.readers import READERS
from holdfast.misconfig.rule import rules
from holdfast.misconfig.scene import Placed, Scene

__all__ = ["READERS", "Placed", "Scene", "assess", "marks", "rules"]
