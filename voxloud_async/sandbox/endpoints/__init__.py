"""The endpoints, a file for each section of the API text."""
