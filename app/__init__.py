"""The program: command line, the Textual app and the plain console."""
