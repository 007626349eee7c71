"""A second implementation of the models in PyTorch and float64, written from the papers' equations; ../README.md says what for."""
