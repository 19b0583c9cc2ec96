"""The commands of `python -m training`, one function each; what takes seconds to load is loaded when it is used."""
