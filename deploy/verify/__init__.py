"""What others verify our proofs with: programs that need nothing of this project."""
