"""The benchmarks: what they judge, without measuring."""
