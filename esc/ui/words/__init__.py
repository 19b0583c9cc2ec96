"""The words on the screen, one module a part of the page; `esc.ui.text` puts them together."""
