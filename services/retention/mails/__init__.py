"""What retention mails: templates; nothing here decides whether a mail may go."""
