"""`python -m djsandbox`."""

from djsandbox.cli.main import main

if __name__ == "__main__":
    main()
