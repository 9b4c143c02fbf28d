"""The parts of the lab: cases, network, proxies, ends, captures and the check of what was recorded."""
