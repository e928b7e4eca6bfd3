"""Speed, always beside a bare baseline on the same broker and store in the same run."""
