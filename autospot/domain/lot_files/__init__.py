"""Lots as files: the lot file itself (JSON), import from GeoJSON and CSV, and generated lots."""

from autospot.domain.lot_files.checks import problems_of
from autospot.domain.lot_files.json_file import lot_json, parse_lot, read_lots, write_lots
from autospot.domain.lot_files.problems import InvalidLots, Problem

__all__ = ["InvalidLots", "Problem", "lot_json", "parse_lot", "problems_of", "read_lots", "write_lots"]
