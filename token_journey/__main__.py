"""`python -m token_journey` is the `token-journey` command."""

import sys

from token_journey.commands.main import main

sys.exit(main())
