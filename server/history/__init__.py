"""The record of what is said in public: a file that is written behind the chat's back, and its readers."""
