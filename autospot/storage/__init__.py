"""The only package that knows MongoDB: one module per collection or aggregate.

Motor is past its end of life; everything above this package sees plain values and `autospot.domain.errors`, so that
replacing the driver by PyMongo's own async client stays a change of this folder.
"""
