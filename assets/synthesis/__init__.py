"""Physical and perceptual models of everyday sounds; no recordings are involved."""
