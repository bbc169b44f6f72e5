"""Notices: what a person is told without asking, on the console, in a file, and through the channels they set up."""
