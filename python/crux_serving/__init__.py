"""The parts of crux_serve.py."""
