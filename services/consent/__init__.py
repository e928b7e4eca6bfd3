"""Consent: notices, what people consented to, lists, processors and exports to them, page views.

It promises that absent means no, that a withdrawal it acknowledged is durable and on its way to
every reader, that every consent can be shown with its history and a signed receipt, and that no
mail of its own leaves without a recorded decision. It keeps addresses as ciphertext alone, and
never asks another service.
"""
