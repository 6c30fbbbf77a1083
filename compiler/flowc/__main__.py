"""`python -m flowc`: the same as the console script `flowc`."""

import sys

from flowc.cli.main import main

sys.exit(main())
