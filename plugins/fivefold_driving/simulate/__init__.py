"""Traffic from the simulator Eclipse SUMO, as a file of tracks."""
