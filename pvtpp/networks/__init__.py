"""The torch modules behind the learned predictors, for training and export; on board their exported graphs run."""
