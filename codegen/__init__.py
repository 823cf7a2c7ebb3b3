"""Writes `voxloud_async/models` from `voxloud_async/spec/voxloud.yaml`: `python -m codegen`."""
