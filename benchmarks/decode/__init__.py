"""From the bytes of a page to objects, beside other ways."""
