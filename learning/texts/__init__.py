"""Programs that learn from texts, with scikit-learn: no torch, no Django; each runs alone and nobody imports it."""
