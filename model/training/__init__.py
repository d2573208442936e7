"""Training: imagery, pairs, the diffusion loop, distillation."""
