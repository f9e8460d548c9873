"""`python -m config.up`: what `make up` runs once the packages are installed."""

import sys

from config.up.run import main

if __name__ == "__main__":
    sys.exit(main())
