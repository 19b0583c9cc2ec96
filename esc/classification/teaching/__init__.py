"""Networks with own classes: another last layer and detector on a trained network."""
