"""Content negotiation: one work in every form that readers ask for."""
