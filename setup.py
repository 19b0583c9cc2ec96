"""Packages of `pip install .`: esc, with the page's assets and the shipped checkpoint inside."""

from setuptools import find_packages, setup

DATA = {"esc.assets": "assets", "esc.checkpoints": "checkpoints"}

setup(
    packages=[*find_packages(include=["esc", "esc.*"]), *DATA],
    package_dir=DATA,
    package_data={"esc.ui.i18n": ["*.json"]} | {name: ["**/*"] for name in DATA},
    exclude_package_data={"esc.assets": ["images/*"]},  # of the README
)
