"""Contacts of organisations by role, memberships that name the first of them, and mail to them."""
