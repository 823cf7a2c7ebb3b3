"""From the bytes of pages to a table, beside other ways."""
