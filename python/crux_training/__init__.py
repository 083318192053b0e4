"""The parts of crux_train.py."""
