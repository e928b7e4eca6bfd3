"""The command line for operators, over retention's HTTP interface."""
