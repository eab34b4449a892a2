"""`python -m token_journey` is the `token-journey` command."""

import sys

from token_journey.cli import main

sys.exit(main())
