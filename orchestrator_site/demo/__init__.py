"""The demonstration: the whole system on one machine, against simulated upstreams."""
