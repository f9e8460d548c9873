"""What moved with a finding or before it, and which series move as one."""

from metrics.correlation.frame import Frame, frame_of
from metrics.correlation.groups import Group, group_series
from metrics.correlation.movers import Mover, Relation, find_movers

__all__ = ["Frame", "Group", "Mover", "Relation", "find_movers", "frame_of", "group_series"]
