"""`python -m pipeline` is the command `slipway`."""

from pipeline.cli import main

main()
