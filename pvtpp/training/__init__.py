"""Training of the predictors: window sampling, losses, Lightning modules."""
