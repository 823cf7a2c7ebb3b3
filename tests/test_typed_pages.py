"""The examples of a page as a module for type checkers."""

from __future__ import annotations

from tests.typing.pages import module_of

PAGE = """\
# Title

```python
client = Client()
for each in await client.list():
    print(each)
```

Text, and `code`.

```console
$ voxloud demo
```

```python
print(client)
```
"""


def test_the_blocks_become_one_coroutine_with_the_lines_of_the_page() -> None:
    lines = module_of(PAGE).splitlines()
    assert lines[0] == "async def page() -> None:"
    assert lines[3:6] == ["    client = Client()", "    for each in await client.list():", "        print(each)"]
    assert lines[15] == "    print(client)"
    assert [line for line in (*lines[1:3], *lines[6:15], *lines[16:-1]) if line] == []
    compile("\n".join(lines), "page", "exec")


def test_a_page_without_examples_is_a_module_too() -> None:
    compile(module_of("# Title\n"), "page", "exec")
