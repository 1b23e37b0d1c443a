"""The torch modules behind the learned predictors. Imported by training and export alone: the onboard floor runs graphs."""
