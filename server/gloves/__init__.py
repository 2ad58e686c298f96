"""Gloves: host services that agent code reaches only through `ctx`."""
