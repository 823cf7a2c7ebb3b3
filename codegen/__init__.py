"""Writes `models/` and `spec/voxloud.json` of the package from `spec/voxloud.yaml`: `python -m codegen`."""
