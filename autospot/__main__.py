"""`python -m autospot`."""

from autospot.cli import main

main()
