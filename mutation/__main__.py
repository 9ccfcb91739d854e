"""`python -m mutation`."""

from mutation.command import main

if __name__ == "__main__":
    main()
