"""Speed and memory, as ratios within one run. Run them with `make bench`."""
