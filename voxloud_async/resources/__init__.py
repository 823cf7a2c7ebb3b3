"""The API's sections, thin: check arguments, name the operation, hand it to a `Caller`."""
