"""Plans: all combinations of a job, in order, as a lazy sequence; and their identity."""

from sweeplib.plan.combination import Combination
from sweeplib.plan.lines import Line, Lines
from sweeplib.plan.listed import Command, ListPlan
from sweeplib.plan.needs import Needs
from sweeplib.plan.part import Part
from sweeplib.plan.plan import Plan

__all__ = ["Combination", "Command", "Line", "Lines", "ListPlan", "Needs", "Part", "Plan"]
