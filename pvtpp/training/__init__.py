"""Training of the predictors; needs the extra `train` (torch and Lightning)."""
