"""Readers of tracks: ETH/UCY text, tables, SUMO, CommonRoad and JSON in the manner of nuScenes."""
