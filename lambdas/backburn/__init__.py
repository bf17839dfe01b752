"""Backburn: from an SLO that burns to a change that provably put it out."""
