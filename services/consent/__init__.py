"""Consent: notices and their versions, what people consented to, lists, processors, the mail gate.

It promises that absent means no, that a withdrawal it acknowledged is durable and on its way to
every reader, that every consent can be shown with its history and a signed receipt, and that no
mail of its own leaves without a recorded decision. It keeps addresses as ciphertext alone, and
never asks another service.
"""
